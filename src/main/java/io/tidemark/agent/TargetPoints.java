package io.tidemark.agent;

import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import java.time.Duration;
import java.util.List;

/** The recovery points that a link has brought: recorded, and the newest of them held. */
final class TargetPoints {
    private final TargetHost.Site site;
    private final ReplicationLink link;
    private final StorageProvider provider;

    TargetPoints(TargetHost.Site site, ReplicationLink link, StorageProvider provider) {
        this.site = site;
        this.link = link;
        this.provider = provider;
    }

    /** Writes down what the committed log has brought. */
    void record(IngestLog committed) throws ReplicationException, ProviderException {
        var sent = RecoveryPointJson.parse(committed.metadata());
        var point = committed.header().point();
        var cost = committed.commit().orElseThrow().cost();
        var received = RecoveryPointJson.received(
                sent, snapshot(point), provider.volume(link.localVolume()).sizeBytes(), link.id());
        site.catalog()
                .recordReceived(
                        received,
                        link.id(),
                        new SyncReport(
                                point,
                                committed.header().base().filter(base -> !KeptPoints.is(base)),
                                cost.changedRangeSource(),
                                cost.namedBytes(),
                                cost.readBytes(),
                                cost.comparedBytes(),
                                cost.changedBytes(),
                                cost.sentPayloadBytes(),
                                cost.sentWireBytes(),
                                cost.resumedBytes(),
                                Duration.ofMillis(cost.durationMillis())));
    }

    /** Who sweeps orphans may have taken the snapshot before it was held; the volume still has its content. */
    void hold(RecoveryPointId point) throws ProviderException {
        try {
            provider.hold(snapshot(point), owner());
        } catch (ProviderException e) {
            if (!(e.error() instanceof ProviderError.SnapshotNotFound)) {
                throw e;
            }
            provider.cut(new CutRequest(point, List.of(link.localVolume())));
            provider.hold(snapshot(point), owner());
        }
    }

    void letGoOfOlder(RecoveryPointId point) throws ProviderException {
        for (var older : site.providers().snapshotsOf(link.localVolume())) {
            if (!older.id().recoveryPoint().equals(point)) {
                provider.release(older.id(), owner());
            }
        }
    }

    private SnapshotId snapshot(RecoveryPointId point) {
        return new SnapshotId(link.localVolume(), point);
    }

    private HoldOwner owner() {
        return new HoldOwner(link.id().value());
    }
}
