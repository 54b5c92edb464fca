package io.tidemark.replication;

import io.tidemark.domain.Moment;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** What a {@link TargetSync} wants done, in order; each may be done twice. */
public sealed interface TargetEffect {
    /** Dropped without harm when the link is gone. */
    record Send(Message message) implements TargetEffect {}

    /** Finishes what a committed log asks for, then looks; answered by {@link TargetInput.Looked}. */
    record Look(Message.Offer offer) implements TargetEffect {}

    /**
     * Before a resync overwrites it: a snapshot of what the volume has now, recorded as a recovery point, where the
     * storage can; the recovery points there are become overruled.
     */
    record KeepContent() implements TargetEffect {}

    /** A new, empty ingest log, durable; an older one of the link is gone. */
    record StartLog(Message.Offer offer, Optional<RecoveryPointId> base, boolean direct) implements TargetEffect {}

    /** Goes on in the log there is, behind these totals: whatever else is in it is cut off. */
    record ReopenLog(IngestTotals from, boolean direct) implements TargetEffect {}

    /** Not durable before {@link SyncLog}. */
    record Append(Message.Blocks blocks) implements TargetEffect {}

    /**
     * Makes everything appended so far durable, then a checkpoint; answered by {@link TargetInput.LogSynced}, in order,
     * while more may be appended meanwhile.
     */
    record SyncLog(IngestTotals totals) implements TargetEffect {}

    /** Reads the volume and sends the digests of the span. */
    record AnswerDigests(Message.DigestsWanted wanted) implements TargetEffect {}

    /** Makes everything appended and the commit durable; answered by {@link TargetInput.CommitDurable}. */
    record WriteCommit(Message.Commit commit) implements TargetEffect {}

    /** Writes the log's blocks to the volume and flushes it; may be repeated. */
    record ApplyLog() implements TargetEffect {}

    record CutSnapshot(RecoveryPointId point) implements TargetEffect {}

    record HoldSnapshot(RecoveryPointId point) implements TargetEffect {}

    /** The recovery point is here: from now on it is what the link stands at. */
    record RecordPoint(RecoveryPointId point) implements TargetEffect {}

    /** Ends the link's holds on all snapshots of the volume but this one. */
    record LetGoOfOlder(RecoveryPointId point) implements TargetEffect {}

    record ClearLog() implements TargetEffect {}

    record Reached(Moment moment) implements TargetEffect {}

    record Finish() implements TargetEffect {}

    record Fail(ReplicationError error) implements TargetEffect {}
}
