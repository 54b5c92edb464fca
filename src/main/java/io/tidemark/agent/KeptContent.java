package io.tidemark.agent;

import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetView;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import java.util.Optional;

/**
 * What a target volume held before a resync, as a recovery point of the group {@link KeptVolume#GROUP}: held by the link until
 * the resync has ended, deletable like any other after that. A resync's log builds upon it: as long as the volume is
 * still what was kept, the log may be gone on with and applied.
 */
final class KeptContent {
    private final TargetHost.Site site;
    private final ReplicationLink link;
    private final StorageProvider provider;

    KeptContent(TargetHost.Site site, ReplicationLink link, StorageProvider provider) {
        this.site = site;
        this.link = link;
        this.provider = provider;
    }

    /** What an interrupted resync left, when the volume is still what that resync kept. */
    Optional<TargetView.LogView> resumable(IngestLog log) throws ReplicationException, ProviderException {
        var header = log.header();
        var kept = header.base().filter(KeptPoints::is);
        if (kept.isEmpty() || changedSince(kept.get()).isPresent()) {
            return Optional.empty();
        }
        return Optional.of(new TargetView.LogView(
                header.point(), Optional.empty(), header.volumeBytes(), header.direct(), log.durable()));
    }

    /** How it is known that the volume is not what was kept; empty: it is. */
    Optional<String> changedSince(RecoveryPointId kept) throws ProviderException {
        try {
            return site.volumes().changedSince(new SnapshotId(link.localVolume(), kept), link.id());
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.SnapshotNotFound) {
                return Optional.of(kept + ", which kept its content, is gone");
            }
            throw e;
        }
    }

    /**
     * Before a resync: keeps it, and sets aside the recovery points that are there.
     *
     * @throws ProviderException OutOfSpace: then nothing is overwritten
     */
    RecoveryPointId keepAndOverrule(RecoveryPointId offered) throws ReplicationException, ProviderException {
        var kept = keep(offered);
        site.volumes().overrule(link);
        return kept;
    }

    /** Cuts, holds and records it. What an earlier try kept is kept once when the volume has not changed since. */
    RecoveryPointId keep(RecoveryPointId offered) throws ProviderException {
        var earlier = KeptPoints.earlier(
                site.providers().snapshotsOf(link.localVolume()).stream()
                        .map(snapshot -> snapshot.id().recoveryPoint())
                        .toList(),
                offered);
        var kept = earlier.isEmpty() || changedSince(earlier.getLast()).isPresent()
                ? KeptPoints.next(earlier, offered)
                : earlier.getLast();
        new KeptVolume(provider, site.catalog(), site.clock()).keep(link.id(), link.localVolume(), kept);
        return kept;
    }
}
