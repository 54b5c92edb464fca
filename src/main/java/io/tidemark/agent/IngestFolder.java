package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All ingest logs of a target, at its start. */
final class IngestFolder {
    private static final Logger LOG = LoggerFactory.getLogger(IngestFolder.class);

    /** An interrupted transfer nobody came back for: by then the source has sent newer recovery points, or nothing. */
    private static final Duration AGE_MAXIMUM = Duration.ofDays(7);

    /** What interrupted transfers may keep on the state's file system; the oldest go first. */
    private static final long TOTAL_BYTES_MAXIMUM = 256L << 30;

    /** Left free by logs of streams, which hold whole first copies: the site's own database lies there too. */
    private static final long FREE_BYTES_MINIMUM = 256L << 20;

    private final TargetHost.Site site;

    IngestFolder(TargetHost.Site site) {
        this.site = site;
    }

    private record Interrupted(Path file, long bytes, Instant createdAt) {}

    /**
     * Finishes committed logs; one that storage refuses stays, and the link's next synchronisation tries again.
     * Uncommitted ones are kept for their source to resume, unless too old or too large.
     */
    void resume() throws IOException {
        var interrupted = new ArrayList<Interrupted>();
        for (var file : logs()) {
            try {
                resume(file).ifPresent(interrupted::add);
            } catch (ReplicationException e) {
                LOG.error("ingest.stuck file={} reason=\"{}\"", file, e.getMessage());
            } catch (RuntimeException e) {
                // A fault of ours with one link's log must not keep the others, and the site, from starting.
                LOG.error("ingest.stuck file={} reason=\"{}\"", file, e.getMessage(), e);
            }
        }
        interrupted.sort(Comparator.comparing(Interrupted::createdAt).reversed());
        long total = 0;
        for (var log : interrupted) {
            total += log.bytes();
            if (log.createdAt().isBefore(site.clock().instant().minus(AGE_MAXIMUM)) || total > TOTAL_BYTES_MAXIMUM) {
                LOG.warn("ingest.removed file={} bytes={} createdAt={}", log.file(), log.bytes(), log.createdAt());
                Files.deleteIfExists(log.file());
            }
        }
    }

    /**
     * Removes what an interrupted synchronisation of the link left.
     *
     * @return why not: a received recovery point is not applied yet
     */
    Optional<String> forget(LinkId link) throws ReplicationException {
        var log = IngestLog.open(site.logOf(link));
        if (log.isPresent()) {
            var point = log.get().commit().map(commit -> log.get().header().point());
            log.get().close();
            if (point.isPresent() && !letGo(link)) {
                return Optional.of("recovery point %s, received and not applied yet".formatted(point.get()));
            }
        }
        try {
            Files.deleteIfExists(site.logOf(link));
            Overruled.delete(site.folder(), link);
        } catch (IOException e) {
            throw new ReplicationException(
                    new ReplicationError.State(site.logOf(link).toString(), String.valueOf(e.getMessage())), e);
        }
        site.volumes().deleteStamp(link);
        return Optional.empty();
    }

    /** @throws ProviderException OutOfSpace when little is free */
    static void requireRoom(Path folder) throws ReplicationException, ProviderException {
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < FREE_BYTES_MINIMUM) {
                throw new ProviderException(
                        new ProviderError.OutOfSpace("state folder " + folder, free, FREE_BYTES_MINIMUM));
            }
        } catch (IOException e) {
            throw new ReplicationException(
                    new ReplicationError.State(folder.toString(), String.valueOf(e.getMessage())), e);
        }
    }

    private boolean letGo(LinkId id) throws ReplicationException {
        var link = site.catalog().link(id);
        return link.isPresent() && StuckStream.letGo(site, link.get());
    }

    private List<Path> logs() throws IOException {
        try (var files = Files.list(site.folder())) {
            return files.filter(file -> file.toString().endsWith(".ingest"))
                    .sorted()
                    .toList();
        }
    }

    /** @return empty unless the log was interrupted and is kept */
    private Optional<Interrupted> resume(Path file) throws ReplicationException, IOException {
        var log = IngestLog.open(file);
        if (log.isEmpty()) {
            LOG.warn("ingest.removed file={} reason=unreadable", file);
            Files.deleteIfExists(file);
            return Optional.empty();
        }
        var header = log.get().header();
        boolean committed = log.get().commit().isPresent();
        log.get().close();
        var link = site.catalog().link(header.link()).filter(known -> known.role() == ReplicationLink.Role.TARGET);
        if (!committed) {
            return Optional.of(new Interrupted(file, Files.size(file), header.createdAt()));
        }
        if (link.isEmpty()) {
            LOG.warn("ingest.kept file={} reason=\"link {} is not known any more\"", file, header.link());
            return Optional.empty();
        }
        TargetHost.finishCommitted(site, link.get());
        return Optional.empty();
    }
}
