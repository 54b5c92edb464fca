package io.tidemark.replication;

import io.tidemark.domain.Moment;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;
import java.util.Optional;

/** What a {@link SourceSync} wants done, in order; each may be done twice. */
public sealed interface SourceEffect {
    /** Answered by {@link SourceInput.Connected}. */
    record Connect() implements SourceEffect {}

    record Send(Message message) implements SourceEffect {}

    /** Keeps the snapshot of the recovery point for the link; answered by {@link SourceInput.Held}. */
    record Hold(RecoveryPointId point) implements SourceEffect {}

    /**
     * Opens the image to be sent; nothing below {@code resumeBytes} is read again.
     *
     * @param base held for the link first; empty: blocks are told by the target's digests
     * @param letGo recovery points nothing depends on any more
     */
    record OpenImage(Optional<RecoveryPointId> base, List<RecoveryPointId> letGo, long resumeBytes)
            implements SourceEffect {
        public OpenImage {
            letGo = List.copyOf(letGo);
        }
    }

    /** Answered by {@link SourceInput.BlocksRead} or {@link SourceInput.NothingLeft}; one at a time. */
    record ReadBlocks() implements SourceEffect {}

    /** Queues a span's digests for {@link ReadBlocks}. At most {@link SourceSync#SPANS_AHEAD} are ever queued. */
    record UseDigests(Message.Digests digests) implements SourceEffect {}

    /** Ends the link's holds on these; answered by {@link SourceInput.HoldsMoved}. */
    record MoveHolds(List<RecoveryPointId> letGo) implements SourceEffect {
        public MoveHolds {
            letGo = List.copyOf(letGo);
        }
    }

    record Reached(Moment moment) implements SourceEffect {}

    /** The recovery point is at the target. */
    record Finish() implements SourceEffect {}

    record Fail(ReplicationError error) implements SourceEffect {}
}
