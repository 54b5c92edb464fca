package io.tidemark.replication;

import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;

/** What the outside tells a {@link TargetSync}. */
public sealed interface TargetInput {
    record Received(Message message) implements TargetInput {}

    /** Answers {@link TargetEffect.Look}. */
    record Looked(TargetView view) implements TargetInput {}

    /** Answers {@link TargetEffect.SyncLog}: these totals are durable. */
    record LogSynced(IngestTotals durable) implements TargetInput {}

    /** Answers {@link TargetEffect.WriteCommit}. */
    record CommitDurable() implements TargetInput {}

    /** A restart found the committed log of this recovery point. */
    record CommitFound(RecoveryPointId point) implements TargetInput {}

    /** Answers the effect in work after the commit: apply, cut, hold, record, move holds, clear. */
    record StepDone() implements TargetInput {}

    record LinkLost(ReplicationError error) implements TargetInput {}

    /** This side cannot or will not go on; the source is told. */
    record Failed(ReplicationError error) implements TargetInput {}
}
