package io.tidemark.site;

import io.tidemark.agent.Providers;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Cuts volumes without freezing anything. */
public final class FakeTaker implements RecoveryPointTaker {
    private final Providers providers;
    private final Moments moments;
    private final InstantSource clock;

    /** Thrown by the next plan or take. */
    public volatile @Nullable ConsistencyError failure;

    /** While true, taking goes on until it is cancelled. */
    public volatile boolean slow;

    /** While true, taking fails after its snapshots are cut. */
    public volatile boolean failAfterCut;

    /** While true, the storage refuses to delete. */
    public volatile boolean failUndo;

    public FakeTaker(Providers providers, Moments moments, InstantSource clock) {
        this.providers = providers;
        this.moments = moments;
        this.clock = clock;
    }

    @Override
    public RecoveryPointPlan plan(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException {
        var told = failure;
        if (told != null) {
            throw new ConsistencyException(told);
        }
        for (var volume : group.volumes()) {
            if (providers.all().stream().noneMatch(provider -> provider.name().equals(volume.provider()))) {
                throw new ConsistencyException(new ConsistencyError.VolumeUnknown(volume));
            }
        }
        return new RecoveryPointPlan(
                id, group, List.of("cut " + group.volumes()), Consistency.CRASH, Duration.ZERO, List.of(), List.of());
    }

    @Override
    public RecoveryPoint take(RecoveryPointPlan plan, ProgressListener listener) throws ConsistencyException {
        var id = plan.recoveryPoint();
        listener.progress(new Operation.Progress("cut", 0, 1, "volumes"));
        try {
            while (slow) {
                if (listener.cancelled()) {
                    throw new ConsistencyException(new ConsistencyError.Cancelled(id));
                }
                pause();
            }
            var members = new ArrayList<RecoveryPoint.Member>();
            var cuts = new ArrayList<Certificate.CutTimes>();
            for (var volume : plan.group().volumes()) {
                members.add(cut(id, volume, cuts));
            }
            moments.reached(Moment.SNAPSHOT_CUT);
            if (failAfterCut) {
                throw new ConsistencyException(new ConsistencyError.FreezeFailed("test", "db", "told to"));
            }
            var certificate = new Certificate("host", "boot", freezes(), cuts, true, List.of("nothing was frozen"));
            return new RecoveryPoint(
                    id,
                    plan.group().id(),
                    clock.instant(),
                    Consistency.CRASH,
                    certificate,
                    members,
                    Map.of("backup_label", "START WAL LOCATION: 0/0"),
                    Optional.empty(),
                    Optional.empty());
        } catch (ProviderException e) {
            undo(id);
            throw new ConsistencyException(new ConsistencyError.Storage(e.error()), e);
        }
    }

    private RecoveryPoint.Member cut(RecoveryPointId id, VolumeId volume, List<Certificate.CutTimes> cuts)
            throws ProviderException {
        var cut = providers.of(volume).cut(new CutRequest(id, List.of(volume)));
        var member = cut.members().getFirst();
        cuts.add(new Certificate.CutTimes(member.snapshot().id(), member.startedNanos(), member.finishedNanos()));
        return new RecoveryPoint.Member(
                volume, member.snapshot().id(), member.snapshot().sizeBytes());
    }

    private static List<Certificate.Freeze> freezes() {
        return List.of(new Certificate.Freeze(
                Certificate.FILE_SYSTEM, "/srv", 1_000_000, 2_000_000, 3_000_000, 4_500_000, true, Map.of()));
    }

    private static void pause() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new AssertionError("nothing interrupts an operation", e);
        }
    }

    @Override
    public void undo(RecoveryPointId id) throws ConsistencyException {
        if (failUndo) {
            throw new ConsistencyException(new ConsistencyError.FreezeFailed("test", "storage", "told to"));
        }
        try {
            for (var provider : providers.all()) {
                for (var snapshot :
                        provider.snapshots(SnapshotQuery.ofRecoveryPoint(id)).snapshots()) {
                    provider.delete(snapshot.id());
                }
            }
        } catch (ProviderException e) {
            throw new ConsistencyException(new ConsistencyError.Storage(e.error()), e);
        }
    }

    @Override
    public void sweepFreezes() {}
}
