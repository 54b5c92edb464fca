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

    record ListVolumes(String provider) implements AgentCommand {}

    record FindVolume(VolumeId volume) implements AgentCommand {}

    record CreateVolume(VolumeId volume, long sizeBytes) implements AgentCommand {}

    record RemoveVolume(VolumeId volume) implements AgentCommand {}

    record ForecastCut(List<VolumeId> volumes) implements AgentCommand {}

    record PrepareCut(CutRequest request) implements AgentCommand {}

    record CutVolumes(CutRequest request) implements AgentCommand {}

    record ListSnapshots(String provider, SnapshotQuery query) implements AgentCommand {}

    record AskReadiness(SnapshotId snapshot) implements AgentCommand {}

    record CloneSnapshot(CloneRequest request) implements AgentCommand {}

    record RollBack(SnapshotId snapshot) implements AgentCommand {}

    record HoldSnapshot(SnapshotId snapshot, HoldOwner owner) implements AgentCommand {}

    record ReleaseSnapshot(SnapshotId snapshot, HoldOwner owner) implements AgentCommand {}

    record DeleteSnapshot(SnapshotId snapshot) implements AgentCommand {}

    record ResumeStep(Handle handle) implements AgentCommand {}

    record PlanPoint(RecoveryPointId id, ConsistencyGroup group) implements AgentCommand {}

    /** Begins this host's part of a recovery point; the steps of {@link io.tidemark.agent.HostTake} follow. */
    record PreparePoint(RecoveryPointId id, ConsistencyGroup group) implements AgentCommand {}

    record WriteOutPoint(RecoveryPointId id) implements AgentCommand {}

    record FreezePoint(RecoveryPointId id) implements AgentCommand {}

    record CutPoint(RecoveryPointId id, Map<String, String> frozen) implements AgentCommand {}

    record FinishPoint(RecoveryPointId id, Map<String, String> cut) implements AgentCommand {}

    record AbandonPoint(RecoveryPointId id) implements AgentCommand {}

    /** Deletes every snapshot of the recovery point on this host. */
    record UndoPoint(RecoveryPointId id) implements AgentCommand {}
}
