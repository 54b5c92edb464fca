package io.tidemark.agent.remote;

import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;

/**
 * All that a controller can ask of an agent: version 1. There is no command that runs a program, reads a file or takes
 * anything but ids and sizes. Ids are the agent's own, without its name before them.
 */
sealed interface AgentCommand {
    /** Of the set; both sides say which they know, and use the newest that both do. */
    int VERSION_OLDEST = 1;

    int VERSION_NEWEST = 1;

    /** What a provider is asked. */
    sealed interface OfStorage extends AgentCommand {}

    /** What takes a recovery point. */
    sealed interface OfPoint extends AgentCommand {}

    record ListVolumes(String provider) implements OfStorage {}

    record FindVolume(VolumeId volume) implements OfStorage {}

    record CreateVolume(VolumeId volume, long sizeBytes) implements OfStorage {}

    record RemoveVolume(VolumeId volume) implements OfStorage {}

    record ForecastCut(List<VolumeId> volumes) implements OfStorage {}

    record PrepareCut(CutRequest request) implements OfStorage {}

    record CutVolumes(CutRequest request) implements OfStorage {}

    record ListSnapshots(String provider, SnapshotQuery query) implements OfStorage {}

    record AskReadiness(SnapshotId snapshot) implements OfStorage {}

    record CloneSnapshot(CloneRequest request) implements OfStorage {}

    record RollBack(SnapshotId snapshot) implements OfStorage {}

    record RefuseWhileOpen(VolumeId volume) implements OfStorage {}

    record HoldSnapshot(SnapshotId snapshot, HoldOwner owner) implements OfStorage {}

    record ReleaseSnapshot(SnapshotId snapshot, HoldOwner owner) implements OfStorage {}

    record DeleteSnapshot(SnapshotId snapshot) implements OfStorage {}

    record ResumeStep(Handle handle) implements OfStorage {}

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
