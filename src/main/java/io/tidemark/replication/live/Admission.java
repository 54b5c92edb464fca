package io.tidemark.replication.live;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.Optional;

/** What a peer sends is looked at before it is taken: against role, state, order, and the volume's size. */
final class Admission {
    private final Desk desk;

    Admission(Desk desk) {
        this.desk = desk;
    }

    /** Why what the peer sent is not what a peer sends; empty where it is. */
    Optional<String> refusal(LiveMessage message) {
        return switch (message) {
            case LiveMessage.Hello hello -> Optional.empty();
            case LiveMessage.RoleChanged changed -> Optional.empty();
            case LiveMessage.InStep inStep -> Optional.empty();
            case LiveMessage.OutOfSync outOfSync -> Optional.empty();
            case LiveMessage.Differing differing ->
                differing.runs().stream().allMatch(this::isInside)
                        ? unsent(differing.number())
                        : Optional.of("the peer compares blocks outside of the volume");
            case LiveMessage.Ask ask -> Optional.empty();
            case LiveMessage.Dirty dirty ->
                dirty.runs().stream().allMatch(this::isInside)
                        ? Optional.empty()
                        : Optional.of("the peer's dirty bits lie outside of the volume");
            case LiveMessage.Received received -> unsent(received.upTo());
            case LiveMessage.Durable durable -> unsent(durable.upTo());
            case LiveMessage.Numbered numbered -> refusal(numbered);
        };
    }

    private boolean isInside(Run run) {
        return run.first() >= 0
                && run.count() >= 1
                && run.first() <= Math.ceilDiv(desk.settings.sizeBytes(), DirtyBitmap.BLOCK_BYTES) - run.count();
    }

    private Optional<String> unsent(long upTo) {
        return upTo <= desk.lastNumber()
                ? Optional.empty()
                : Optional.of(
                        "the peer confirms %d, and %d was the last that was sent".formatted(upTo, desk.lastNumber()));
    }

    private Optional<String> refusal(LiveMessage.Numbered message) {
        boolean isTarget = desk.replication == ReplicationState.SYNC_TARGET;
        if (desk.role == Role.PRIMARY || !(isTarget || desk.replication == ReplicationState.ESTABLISHED)) {
            return Optional.of("the peer writes, and this copy is %s, %s".formatted(desk.role, desk.replication));
        }
        return switch (message) {
            case LiveMessage.Write write -> outside(write.offset(), write.length());
            case LiveMessage.Block block ->
                isTarget
                        ? outside(block.offset(), block.length())
                        : Optional.of("the peer sends a block of a resync, and there is none");
            case LiveMessage.Compare compare -> refusal(compare);
            case LiveMessage.Finished finished ->
                isTarget ? Optional.empty() : Optional.of("the peer ends a resync, and there is none");
            case LiveMessage.Barrier barrier -> Optional.empty();
            case LiveMessage.Ahead ahead -> Optional.empty();
        };
    }

    private Optional<String> refusal(LiveMessage.Compare compare) {
        boolean isWhole = compare.offset() % DirtyBitmap.BLOCK_BYTES == 0
                && compare.digests().count() == Math.ceilDiv(compare.length(), DirtyBitmap.BLOCK_BYTES);
        return isWhole
                ? outside(compare.offset(), compare.length())
                : Optional.of("the peer sends %d digests of %d bytes at %d"
                        .formatted(compare.digests().count(), compare.length(), compare.offset()));
    }

    private Optional<String> outside(long offset, int length) {
        return offset >= 0 && length >= 0 && offset <= desk.settings.sizeBytes() - length
                ? Optional.empty()
                : Optional.of("the peer writes %d bytes at %d, outside of the volume".formatted(length, offset));
    }
}
