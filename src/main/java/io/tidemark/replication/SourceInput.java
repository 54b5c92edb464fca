package io.tidemark.replication;

import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import java.nio.ByteBuffer;
import java.util.List;

/** What the outside tells a {@link SourceSync}. */
public sealed interface SourceInput {
    record Start() implements SourceInput {}

    record Connected() implements SourceInput {}

    record Received(Message message) implements SourceInput {}

    /** Answers {@link SourceEffect.Hold}. */
    record Held() implements SourceInput {}

    /** Answers {@link SourceEffect.ReadBlocks}: the next changed blocks, a frame's worth or less. */
    record BlocksRead(List<BlockExtent> extents, ByteBuffer data) implements SourceInput {}

    /** Answers {@link SourceEffect.ReadBlocks}: nothing more in the image, or in the span whose digests are in use. */
    record NothingLeft(SyncCost cost) implements SourceInput {}

    /** Answers {@link SourceEffect.MoveHolds}. */
    record HoldsMoved() implements SourceInput {}

    /** Connection lost, storage failed, cancelled. */
    record Failed(ReplicationError error) implements SourceInput {}
}
