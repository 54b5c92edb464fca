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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The exports that are open or ending: what connections choose from. Those that are kept are opened again by the next process. */
public final class Exports implements ExportHost, Offer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Exports.class);
    /** Stands for an export's name in an address. */
    public static final String NAME = "{export}";

    /** Of one that asks for an export's end; it goes on without them. */
    static final Duration CLOSE_WAIT = Duration.ofSeconds(3);

    /** For all exports together when the site stops: less than the site has for all that follows its operations. */
    static final Duration STOP_WAIT = Duration.ofSeconds(8);

    private static final Duration RETRY_LATER = Duration.ofMinutes(1);

    private final Providers providers;
    private final Overlays overlays;
    private final Optional<HostCalls> host;
    private final Supplier<List<String>> addresses;
    private final Optional<KeptExports> kept;
    private final List<String> notServed = new CopyOnWriteArrayList<>();
    private final Map<ExportId, ServedExport> open = new ConcurrentSkipListMap<>();
    private final Traffic traffic = new Traffic();

    /**
     * @param providers those of this host
     * @param addresses where its server listens: an export's name takes the place of {@link #NAME}
     */
    public Exports(Providers providers, Overlays overlays, Optional<HostCalls> host, Supplier<List<String>> addresses) {
        this(providers, overlays, host, addresses, Optional.empty());
    }

    /** @param keptIn folder that tells which exports are to be opened again; without it none are */
    public Exports(
            Providers providers,
            Overlays overlays,
            Optional<HostCalls> host,
            Supplier<List<String>> addresses,
            Optional<Path> keptIn) {
        this.kept = keptIn.map(KeptExports::new);
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

    /** Serves an image that is there already, and closes it with this. */
    public void open(Export export, ExportImage image) {
        open.put(export.id(), new ServedExport(export, image));
    }

    private ExportImage image(Export export) throws ProviderException {
        try {
            return switch (export.access()) {
                case LIVE -> throw new IllegalArgumentException("a live link opens its own export: " + export);
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

    /** @param reason why a listener of these exports does not stand, for people */
    public void notServed(String reason) {
        notServed.add(reason);
    }

    @Override
    public List<String> notServed() {
        return List.copyOf(notServed);
    }

    @Override
    public void keep(Export export) throws ProviderException {
        try {
            if (kept.isPresent() && export.access() != Export.Access.OVERLAY && export.access() != Export.Access.LIVE) {
                kept.get().keep(export);
            }
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected(
                            "keeping export %s for the next start".formatted(export.id()),
                            String.valueOf(e.getMessage())),
                    e);
        }
    }

    @Override
    public void forget(ExportId id) {
        try {
            if (kept.isPresent()) {
                kept.get().forget(id);
            }
        } catch (IOException e) {
            LOG.warn("export.not_forgotten export={} reason={}", id, e.getMessage());
        }
    }

    @Override
    public List<Export> kept() {
        try {
            return kept.isPresent() ? kept.get().all() : List.of();
        } catch (IOException e) {
            LOG.warn("export.not_kept reason={}", e.getMessage());
            return List.of();
        }
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
                served.ending(),
                false,
                addresses.get().stream()
                        .map(address ->
                                address.replace(NAME, served.export().id().value()))
                        .toList());
    }

    @Override
    public ExportHost.Closing close(ExportId id, Runnable ended) throws InterruptedException {
        var served = open.get(id);
        if (served == null) {
            return ExportHost.Closing.NONE;
        }
        end(served, ended);
        return served.awaitEnd(CLOSE_WAIT.toNanos()) ? ExportHost.Closing.ENDED : ExportHost.Closing.ENDING;
    }

    private void end(ServedExport served, Runnable ended) {
        served.end(() -> {
            // Claims first: once it is listed no more, a new one of its id can have them.
            ended.run();
            open.remove(served.export().id(), served);
        });
    }

    /** Open or ending. */
    public int openCount() {
        return open.size();
    }

    /** Of clients, to all of them. */
    public int connectionCount() {
        return open.values().stream().mapToInt(ServedExport::connectionCount).sum();
    }

    public Traffic traffic() {
        return traffic;
    }

    Optional<ServedExport> served(String name) {
        return stillServed().filter(each -> each.offered().name().equals(name)).findFirst();
    }

    private Stream<ServedExport> stillServed() {
        return open.values().stream().filter(each -> !each.ending());
    }

    @Override
    public Optional<OfferedExport> find(String name) {
        return served(name).map(ServedExport::offered);
    }

    @Override
    public List<OfferedExport> offered() {
        return stillServed().map(ServedExport::offered).toList();
    }

    /** Ends all, and waits once for all of them; what its storage keeps open then ends with the process. */
    @Override
    public void close() {
        var all = List.copyOf(open.values());
        all.forEach(served -> end(served, () -> {}));
        long until = System.nanoTime() + STOP_WAIT.toNanos();
        try {
            for (var served : all) {
                if (!served.awaitEnd(until - System.nanoTime())) {
                    LOG.warn(
                            "export.not_closed export={} reason=it takes too long",
                            served.export().id());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
