package io.tidemark.export;

import io.tidemark.agent.Providers;
import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.export.protocol.NbdLimits;
import io.tidemark.export.protocol.Offer;
import io.tidemark.export.protocol.OfferedExport;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The exports that are open: what connections choose from. They live as long as this process. */
public final class Exports implements ExportHost, Offer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Exports.class);
    /** Stands for an export's name in an address. */
    public static final String NAME = "{export}";

    private static final Duration RETRY_LATER = Duration.ofMinutes(1);

    private final Providers providers;
    private final Overlays overlays;
    private final Optional<HostCalls> host;
    private final Supplier<List<String>> addresses;
    private final Map<ExportId, ServedExport> open = new ConcurrentSkipListMap<>();

    /**
     * @param providers those of this host
     * @param addresses where its server listens: an export's name takes the place of {@link #NAME}
     */
    public Exports(Providers providers, Overlays overlays, Optional<HostCalls> host, Supplier<List<String>> addresses) {
        this.providers = providers;
        this.overlays = overlays;
        this.host = host;
        this.addresses = addresses;
    }

    @Override
    public void open(Export export) throws ProviderException {
        synchronized (open) {
            if (open.containsKey(export.id())) {
                return;
            }
            if (open.size() >= NbdLimits.EXPORTS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Busy(
                        "a place for export " + export.id(),
                        "%d other exports, the most there can be".formatted(open.size()),
                        RETRY_LATER));
            }
            var image = image(export);
            open.put(export.id(), new ServedExport(export, image));
            LOG.info(
                    "export.opened export={} source={} access={} sizeBytes={}",
                    export.id(),
                    export.source(),
                    export.access(),
                    image.sizeBytes());
        }
    }

    private ExportImage image(Export export) throws ProviderException {
        try {
            return switch (export.access()) {
                case READ_ONLY -> snapshot(SnapshotId.parse(export.source()));
                case OVERLAY -> overlays.over(snapshot(SnapshotId.parse(export.source())), export.id());
                case WRITABLE -> {
                    var volume = new VolumeId(export.source());
                    yield VolumeImage.of(providers.of(volume).write(volume), host);
                }
            };
        } catch (OutOfSpaceException e) {
            throw new ProviderException(new ProviderError.OutOfSpace(export.source(), 0, 0), e);
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected("opening " + export.source(), String.valueOf(e.getMessage())), e);
        }
    }

    private SnapshotImage snapshot(SnapshotId id) throws IOException, ProviderException {
        return SnapshotImage.of(providers.of(id.volume()).read(id), host);
    }

    @Override
    public List<ExportHost.Open> all() {
        return open.values().stream().map(this::told).toList();
    }

    @Override
    public Optional<ExportHost.Open> find(ExportId id) {
        return Optional.ofNullable(open.get(id)).map(this::told);
    }

    private ExportHost.Open told(ServedExport served) {
        return new ExportHost.Open(
                served.export(),
                served.image().sizeBytes(),
                served.connectionCount(),
                served.image().ownBytes(),
                addresses.get().stream()
                        .map(address ->
                                address.replace(NAME, served.export().id().value()))
                        .toList());
    }

    @Override
    public boolean close(ExportId id) throws InterruptedException {
        var served = open.remove(id);
        if (served == null) {
            return false;
        }
        end(served);
        return true;
    }

    private static void end(ServedExport served) throws InterruptedException {
        try {
            served.end();
            LOG.info("export.closed export={}", served.export().id());
        } catch (IOException e) {
            LOG.warn("export.not_closed export={} reason={}", served.export().id(), e.getMessage());
        }
    }

    Optional<ServedExport> served(String name) {
        return open.values().stream()
                .filter(each -> each.offered().name().equals(name))
                .findFirst();
    }

    @Override
    public Optional<OfferedExport> find(String name) {
        return served(name).map(ServedExport::offered);
    }

    @Override
    public List<OfferedExport> offered() {
        return open.values().stream().map(ServedExport::offered).toList();
    }

    @Override
    public void close() {
        for (var id : open.keySet()) {
            try {
                close(id);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
