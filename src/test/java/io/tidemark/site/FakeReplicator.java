package io.tidemark.site;

import io.tidemark.agent.Providers;
import io.tidemark.agent.Replicator;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Sends nothing, but holds and reports as one that did. */
public final class FakeReplicator implements Replicator {
    private final Providers providers;
    private final Moments moments;

    public final List<LinkId> opened = new CopyOnWriteArrayList<>();
    public final List<RecoveryPointId> sent = new CopyOnWriteArrayList<>();
    public final List<List<RecoveryPointId>> basesOffered = new CopyOnWriteArrayList<>();
    public volatile @Nullable ReplicationError failure;
    /** Links whose peer takes nothing. */
    public final Set<LinkId> stuck = ConcurrentHashMap.newKeySet();

    public final List<RecoveryPointId> resynced = new CopyOnWriteArrayList<>();
    public final List<RecoveryPointId> handedOver = new CopyOnWriteArrayList<>();
    /** What the peer says to a reversal. */
    public volatile Optional<ReplicationError> refusal = Optional.empty();
    /** While true, the peer never answers a reversal. */
    public volatile boolean silent;

    public volatile boolean slow;
    /** While true, the peer does not answer to a new link. */
    public volatile boolean slowOpening;

    /** What happens on this host while a recovery point is sent. */
    public volatile ThrowingRunnable whileSending = () -> {};

    /** May fail as storage does. */
    public interface ThrowingRunnable {
        void run() throws ProviderException;
    }

    public FakeReplicator(Providers providers, Moments moments) {
        this.providers = providers;
        this.moments = moments;
    }

    @Override
    public void forget(LinkId link) {}

    @Override
    public void openLink(ReplicationLink link, Peer peer, long volumeBytes) throws ReplicationException {
        while (slowOpening) {
            pause();
        }
        failIfTold();
        opened.add(link.id());
    }

    @Override
    public SyncReport sync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException {
        failIfTold();
        basesOffered.add(candidateBases);
        long done = 0;
        listener.progress(new Operation.Progress("send", done, 100, "bytes"));
        while (slow || stuck.contains(link.id())) {
            if (listener.cancelled()) {
                throw new ReplicationException(new ReplicationError.Cancelled(link.id()));
            }
            listener.progress(new Operation.Progress("send", ++done, 0, "bytes"));
            pause();
        }
        moments.reached(Moment.SYNC_PARTLY_SENT);
        try {
            whileSending.run();
            var snapshot = point.snapshotOf(link.localVolume()).orElseThrow();
            providers
                    .of(link.localVolume())
                    .hold(snapshot, new HoldOwner(link.id().value()));
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
        sent.add(point.id());
        moments.reached(Moment.SYNC_ACKNOWLEDGED);
        return new SyncReport(
                point.id(),
                candidateBases.stream().findFirst(),
                "full",
                4_096,
                8_192,
                4_096,
                4_096,
                4_096,
                4_200,
                0,
                Duration.ofMillis(12));
    }

    @Override
    public SyncReport resync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException {
        resynced.add(point.id());
        return sync(link, peer, point, candidateBases, listener);
    }

    @Override
    public Optional<String> changedSince(ReplicationLink link, RecoveryPointId point) throws ReplicationException {
        var volume = link.localVolume();
        try (var older = providers.of(volume).read(new SnapshotId(volume, point));
                var now = providers.of(volume).write(volume)) {
            var before = ByteBuffer.allocate((int) older.sizeBytes());
            var after = ByteBuffer.allocate((int) now.sizeBytes());
            older.read(0, before);
            now.read(0, after);
            int differs = before.flip().mismatch(after.flip());
            return differs < 0 ? Optional.empty() : Optional.of("it differs from byte %d on".formatted(differs));
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    @Override
    public Optional<ReplicationError> handOver(ReplicationLink link, Peer peer, RecoveryPointId point)
            throws ReplicationException {
        if (silent) {
            throw new ReplicationException(new ReplicationError.ConnectionLost("127.0.0.1:7421", "told to"));
        }
        if (refusal.isEmpty()) {
            handedOver.add(point);
        }
        return refusal;
    }

    @Override
    public void confirmPeerIsSource(ReplicationLink link, Peer peer) throws ReplicationException {
        if (refusal.isPresent()) {
            throw new ReplicationException(refusal.orElseThrow());
        }
    }

    @Override
    public VerifyReport verify(ReplicationLink link, Peer peer, RecoveryPointId point, ProgressListener listener)
            throws ReplicationException {
        failIfTold();
        return new VerifyReport(point, 1_048_576, 0, "00ff");
    }

    private void failIfTold() throws ReplicationException {
        var told = failure;
        if (told != null) {
            throw new ReplicationException(told);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new AssertionError("nothing interrupts an operation", e);
        }
    }
}
