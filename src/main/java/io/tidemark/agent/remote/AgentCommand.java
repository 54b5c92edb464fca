package io.tidemark.agent.remote;

import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a controller can ask of an agent: version {@value CommandVersions#NEWEST}. There is no command that runs a
 * program, reads a file or takes anything but ids and sizes. Ids are the agent's own, without its name before them.
 */
sealed interface AgentCommand {
    /** The first version of the set that has the command. */
    default int version() {
        return 1;
    }

    /** What a provider is asked. */
    sealed interface OfStorage extends AgentCommand {}

    /** What may take long, and comes to a volume. */
    sealed interface Lasting extends OfStorage {
        /** What it comes to. */
        VolumeId volume();

        /** Whether a second time would lose what was written since the first. */
        default boolean overwrites() {
            return false;
        }
    }

    /** What a rare ability of a storage is asked. */
    sealed interface OfAbility extends OfStorage {
        AgentAbility ability();

        /** Whether it only looks: then no leave is needed but that of the volume. */
        default boolean looks() {
            return false;
        }

        @Override
        default int version() {
            return CommandVersions.ABILITIES_SINCE;
        }
    }

    sealed interface OfLocks extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.LOCKS;
        }
    }

    sealed interface OfArchives extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.ARCHIVES;
        }
    }

    sealed interface OfFastRestores extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.FAST_RESTORES;
        }
    }

    sealed interface OfRecycleBin extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.RECYCLE_BIN;
        }
    }

    sealed interface OfCopies extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.COPIES;
        }
    }

    sealed interface OfReplication extends OfAbility {
        @Override
        default AgentAbility ability() {
            return AgentAbility.STORAGE_REPLICATION;
        }
    }

    /** What takes a recovery point. */
    sealed interface OfPoint extends AgentCommand {}

    record ListVolumes(String provider) implements OfStorage {}

    record FindVolume(VolumeId volume) implements OfStorage {}

    record CreateVolume(VolumeId volume, long sizeBytes) implements Lasting {}

    record RemoveVolume(VolumeId volume) implements OfStorage {}

    record ForecastCut(List<VolumeId> volumes) implements OfStorage {}

    record PrepareCut(CutRequest request) implements OfStorage {}

    record CutVolumes(CutRequest request) implements OfStorage {}

    record ListSnapshots(String provider, SnapshotQuery query) implements OfStorage {}

    record AskReadiness(SnapshotId snapshot) implements OfStorage {}

    record CloneSnapshot(CloneRequest request) implements Lasting {
        @Override
        public VolumeId volume() {
            return request.name();
        }
    }

    record RollBack(SnapshotId snapshot) implements Lasting {
        @Override
        public VolumeId volume() {
            return snapshot.volume();
        }

        @Override
        public boolean overwrites() {
            return true;
        }
    }

    /**
     * Begins the work, unless work of that id was begun before: then it says how far that is, or what it came to. So an
     * answer that was lost is asked for again, and so is one that {@link AgentFailure.AskAgain} stands for.
     *
     * @param work id that the controller gives it, and nothing else
     */
    record DoOnce(String work, Lasting what) implements OfStorage {
        @Override
        public int version() {
            return CommandVersions.REMEMBERS_SINCE;
        }
    }

    record RefuseWhileOpen(VolumeId volume) implements OfStorage {}

    record HoldSnapshot(SnapshotId snapshot, HoldOwner owner) implements OfStorage {}

    record ReleaseSnapshot(SnapshotId snapshot, HoldOwner owner) implements OfStorage {}

    record DeleteSnapshot(SnapshotId snapshot) implements OfStorage {}

    record ResumeStep(Handle handle) implements OfStorage {}

    record AskLock(SnapshotId snapshot) implements OfLocks {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record LockSnapshot(SnapshotId snapshot, LockRequest request) implements OfLocks {}

    record UnlockSnapshot(SnapshotId snapshot) implements OfLocks {}

    record AskTier(SnapshotId snapshot) implements OfArchives {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record ArchiveSnapshot(SnapshotId snapshot) implements OfArchives {}

    record RestoreSnapshot(SnapshotId snapshot, Optional<Integer> days) implements OfArchives {}

    record AskFastRestores(SnapshotId snapshot) implements OfFastRestores {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record SetFastRestore(SnapshotId snapshot, List<String> zones, boolean on) implements OfFastRestores {}

    record AskFastRestoreCost(String provider, int zones) implements OfFastRestores {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record ListBinned(String provider) implements OfRecycleBin {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record UndeleteSnapshot(SnapshotId snapshot) implements OfRecycleBin {}

    /** Both storages are of the agent's host. */
    record CopySnapshot(String to, SnapshotId snapshot, Optional<String> key) implements OfCopies {}

    /** @param handle of a copy, as the agent gave it out */
    record AskCopyPhase(Handle handle) implements OfCopies {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record AskReplication(VolumeId volume) implements OfReplication {
        @Override
        public boolean looks() {
            return true;
        }
    }

    record StartReplication(VolumeId primary, VolumeId secondary) implements OfReplication {}

    record StopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted)
            implements OfReplication {}

    record PlanPoint(RecoveryPointId id, ConsistencyGroup group) implements OfPoint {}

    /** Begins this host's part of a recovery point; the steps of {@link io.tidemark.agent.HostTake} follow. */
    record PreparePoint(RecoveryPointId id, ConsistencyGroup group) implements OfPoint {}

    record WriteOutPoint(RecoveryPointId id) implements OfPoint {}

    record FreezePoint(RecoveryPointId id) implements OfPoint {}

    record CutPoint(RecoveryPointId id, Map<String, String> frozen) implements OfPoint {}

    record FinishPoint(RecoveryPointId id, Map<String, String> cut) implements OfPoint {}

    record AbandonPoint(RecoveryPointId id) implements OfPoint {}

    /** Deletes every snapshot of the recovery point on this host. */
    record UndoPoint(RecoveryPointId id) implements OfPoint {}
}
