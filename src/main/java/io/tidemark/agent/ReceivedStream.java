package io.tidemark.agent;

import io.tidemark.domain.Moment;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.StorageProvider;
import java.time.Duration;
import java.util.Optional;

/**
 * A committed log whose blocks are the storage's own stream: the storage makes a snapshot of it, and then the volume is
 * put to that snapshot. May run again after a death at any moment.
 */
final class ReceivedStream {
    /** Storages swap or switch; one that copies takes as long as the volume is large. */
    private static final Duration ROLLBACK_MAXIMUM = Duration.ofHours(12);

    private final TargetHost.Site site;
    private final StorageProvider provider;
    private final SnapshotStreams streams;
    private final HoldOwner owner;
    private final IngestLog log;
    private final SnapshotId snapshot;

    ReceivedStream(TargetHost.Site site, ReplicationLink link, IngestLog committed) throws ProviderException {
        this.site = site;
        this.provider = site.providers().of(link.localVolume());
        this.streams = site.providers().streamsOf(link.localVolume());
        this.owner = new HoldOwner(link.id().value());
        this.log = committed;
        this.snapshot = new SnapshotId(link.localVolume(), committed.header().point());
    }

    /**
     * The snapshot is there, held, and the volume has its files.
     *
     * @param unwatched whether a life before this one may have done some of it, and others may have written to the volume
     *     since the target looked
     * @throws ReplicationException TargetWritten; the log stays, and applies once the volume is put back
     */
    void apply(boolean unwatched) throws ReplicationException, ProviderException {
        boolean received = received();
        if (unwatched
                && received
                && changed(Optional.of(snapshot.recoveryPoint())).isEmpty()) {
            // A life before this one has come to the end of it.
            provider.hold(snapshot, owner);
            return;
        }
        if (!received) {
            if (unwatched) {
                refuseWhenWritten(false);
            }
            receive();
        }
        provider.hold(snapshot, owner);
        // Receiving takes a while, and the volume was seen by everybody meanwhile.
        refuseWhenWritten(true);
        putVolume();
    }

    private void refuseWhenWritten(boolean received) throws ReplicationException, ProviderException {
        if (!mayOverwrite(received)) {
            throw new ReplicationException(new ReplicationError.TargetWritten(
                    snapshot.volume(), changed(log.header().base()).orElse("it is not what it was before")));
        }
    }

    /** Whether the volume has what it had when the target looked, what it is to have, or what a resync has kept. */
    private boolean mayOverwrite(boolean received) throws ProviderException {
        if (changed(log.header().base()).isEmpty()
                || (received && changed(Optional.of(snapshot.recoveryPoint())).isEmpty())) {
            return true;
        }
        var points = site.providers().snapshotsOf(snapshot.volume()).stream()
                .map(each -> each.id().recoveryPoint())
                .toList();
        var kept = KeptPoints.earlier(points, snapshot.recoveryPoint());
        return !kept.isEmpty() && changed(Optional.of(kept.getLast())).isEmpty();
    }

    private Optional<String> changed(Optional<RecoveryPointId> since) throws ProviderException {
        try {
            return streams.changedSince(snapshot.volume(), since);
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.SnapshotNotFound gone) {
                return Optional.of("snapshot %s, which would tell, is gone".formatted(gone.snapshot()));
            }
            throw e;
        }
    }

    private boolean received() throws ProviderException {
        try {
            provider.readiness(snapshot);
            return true;
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.SnapshotNotFound) {
                return false;
            }
            throw e;
        }
    }

    private void receive() throws ReplicationException, ProviderException {
        try (var incoming = streams.receive(log.header().base(), snapshot)) {
            log.<ProviderException>replay(part -> {
                incoming.write(part.data().duplicate());
                site.moments().reached(Moment.INGEST_PARTLY_APPLIED);
            });
            incoming.finish();
        }
    }

    private void putVolume() throws ProviderException {
        new StepFollower(provider, site.nanos())
                .follow(
                        provider.rollback(snapshot),
                        ROLLBACK_MAXIMUM,
                        snapshot.volume().value(),
                        "its own rollback");
    }
}
