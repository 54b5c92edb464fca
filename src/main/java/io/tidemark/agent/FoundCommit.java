package io.tidemark.agent;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.BlocksByOthers;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetView;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A committed log that the life before this one, or a failed apply, has left. Until it is applied nobody watches the
 * volume: what others wrote meanwhile would be overwritten, or end up in the copy.
 */
final class FoundCommit {
    private static final Logger LOG = LoggerFactory.getLogger(FoundCommit.class);
    private static final int BLOCK_BYTES = 4 << 10;

    private final TargetHost.Site site;
    private final ReplicationLink link;
    private final StorageProvider provider;

    FoundCommit(TargetHost.Site site, ReplicationLink link, StorageProvider provider) {
        this.site = site;
        this.link = link;
        this.provider = provider;
    }

    /**
     * Whether the volume was wholly written and cut: then it must not be written again, whoever wrote since. Held on
     * return, so that the cut is not taken anew of what the volume has become. Never known of a resync: it may bring a
     * recovery point whose snapshot was here before.
     */
    boolean isCut(IngestLogFormat.Header log) throws ProviderException {
        if (log.base().filter(KeptPoints::is).isPresent()) {
            return false;
        }
        try {
            provider.hold(
                    new SnapshotId(link.localVolume(), log.point()),
                    new HoldOwner(link.id().value()));
            return true;
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.SnapshotNotFound) {
                return false;
            }
            throw e;
        }
    }

    private boolean has(RecoveryPointId point) throws ProviderException {
        return site.providers().snapshotsOf(link.localVolume()).stream()
                .anyMatch(snapshot -> snapshot.id().recoveryPoint().equals(point));
    }

    /**
     * Keeps the volume as it is when others wrote to it, as a resync does, and then makes what the log leaves alone the
     * base's again. Does nothing when nobody wrote, or when the base's snapshot is gone and nothing can tell. May run
     * twice.
     *
     * @param log that has the blocks: one of a direct transfer has none, and all of that would be taken for others'
     * @throws ProviderException OutOfSpace: then nothing is overwritten, and the log stays
     */
    void makeWay(IngestLog log, TargetBlocks blocks) throws ReplicationException, ProviderException {
        var base = base(log);
        if (base.isEmpty()) {
            return;
        }
        // Else each start reads the whole volume where the storage tracks nothing.
        var volume = provider.volume(link.localVolume());
        boolean untouched =
                site.volumes().asRemembered(volume, link.id(), base.get().recoveryPoint());
        if (untouched || !writtenByOthers(base.get(), log)) {
            return;
        }
        var point = log.header().point();
        var kept = new KeptContent(site, link, provider).keep(point);
        LOG.warn(
                "ingest.written-by-others link={} volume={} recoveryPoint={} kept={}",
                link.id(),
                link.localVolume(),
                point,
                kept);
        restore(base.get(), kept, log, blocks);
    }

    private Optional<SnapshotId> base(IngestLog log) throws ReplicationException, ProviderException {
        var known = site.catalog().link(link.id()).orElse(link);
        var view = new TargetView(
                link.localVolume(),
                log.header().volumeBytes(),
                site.volumes().points(link.localVolume()),
                known.inStep(),
                Optional.empty(),
                Optional.empty());
        var base = log.header().base().or(view::stands);
        return base.isPresent() && has(base.get())
                ? Optional.of(new SnapshotId(link.localVolume(), base.get()))
                : Optional.empty();
    }

    private boolean writtenByOthers(SnapshotId base, IngestLog log) throws ReplicationException, ProviderException {
        long baseBytes = site.providers().snapshotsOf(base.volume()).stream()
                .filter(snapshot -> snapshot.id().equals(base))
                .mapToLong(Snapshot::sizeBytes)
                .findFirst()
                .orElse(0);
        return site.volumes().compare(base, link.id(), changed -> {
            var found = new boolean[1];
            // What lies behind the base's end came with the volume's growth.
            var others = new BlocksByOthers(changed, (offset, _, _) -> found[0] |= offset < baseBytes);
            log.<ProviderException>replay(others::passed);
            others.end();
            return found[0];
        });
    }

    private void restore(SnapshotId base, RecoveryPointId kept, IngestLog log, TargetBlocks blocks)
            throws ReplicationException, ProviderException {
        try (var older = provider.read(base);
                var newer = provider.read(new SnapshotId(link.localVolume(), kept));
                var changed =
                        new ChangedBlocks(RangeAlgebra.whole(newer.sizeBytes()), older, newer, site.kernel(), 0)) {
            var others = new BlocksByOthers(changed, (offset, length, inLog) -> {
                var bytes = ByteBuffer.allocate(BLOCK_BYTES);
                long known = Math.min(length, older.sizeBytes() - offset);
                for (long done = 0; !inLog && done < known; done += BLOCK_BYTES) {
                    bytes.clear().limit((int) Math.min(BLOCK_BYTES, known - done));
                    older.read(offset + done, bytes);
                    blocks.write(offset + done, bytes.flip());
                }
            });
            log.<ProviderException>replay(others::passed);
            others.end();
        }
    }
}
