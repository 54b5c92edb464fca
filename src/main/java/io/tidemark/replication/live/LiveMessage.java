package io.tidemark.replication.live;

import io.tidemark.replication.live.LiveStatus.Role;
import java.util.List;

/**
 * What two copies tell each other. Within a session messages arrive in order, each once, until the session ends; those of
 * an ended session are not heard.
 */
public sealed interface LiveMessage {

    /**
     * Each side's first word in a session, and again where the one that ran ahead is to be followed.
     *
     * @param differs it was primary when it died or was cut off: its dirty bits tell blocks that may differ though the
     *     generation is the same
     * @param isConsistent its content is of one moment
     * @param yields somebody chose to give up what this side alone has
     * @param apart what it has alone
     */
    record Hello(
            CopyId id,
            long sizeBytes,
            Protocol protocol,
            Generations generations,
            Role role,
            boolean differs,
            boolean isConsistent,
            boolean yields,
            Apart apart)
            implements LiveMessage {
        /** Of one that was written nowhere without the other, or does not know. */
        public Hello(
                CopyId id,
                long sizeBytes,
                Protocol protocol,
                Generations generations,
                Role role,
                boolean differs,
                boolean isConsistent,
                boolean yields) {
            this(id, sizeBytes, protocol, generations, role, differs, isConsistent, yields, Apart.NOTHING);
        }
    }

    /**
     * What a copy has that its peer may lack.
     *
     * @param dirtyBlocks of 4 KiB: no fewer than it has changed
     * @param isCounted it has changed as many. Else some may be what an activity log had under way at a start, what a verify
     *     has found, or what a resync was to copy, and was not changed
     * @param since when the first generation without the peer was begun, in milliseconds since 1970 by the host's clock; 0
     *     where that is not known
     * @param policy what the copy was told to do where both have something
     */
    record Apart(long dirtyBlocks, boolean isCounted, long since, AfterSplitBrain policy) {
        /** Of changes that were counted. */
        public Apart(long dirtyBlocks, long since, AfterSplitBrain policy) {
            this(dirtyBlocks, true, since, policy);
        }

        public static final Apart NOTHING = new Apart(0, 0, AfterSplitBrain.DISCONNECT);
    }

    /** Runs of the target's own dirty bits, {@link #RUNS_MAXIMUM} at most. */
    record Dirty(List<DirtyBitmap.Run> runs, boolean isLast) implements LiveMessage {
        public static final int RUNS_MAXIMUM = 4_096;

        public Dirty {
            runs = List.copyOf(runs);
        }
    }

    /** What is numbered is done in such an order that no {@link Barrier} is crossed, and confirmed by its number. */
    sealed interface Numbered extends LiveMessage {
        /** 1 for a session's first, one more for each next. */
        long number();
    }

    /** An application's write. */
    record Write(long number, long offset, int length, Payload data) implements Numbered {}

    /** A part of a resync. */
    record Block(long number, long offset, int length, Payload data) implements Numbered {}

    /**
     * The target, or who is verified, compares its own blocks, as they are when all before was written and nothing behind
     * it, and answers with {@link Differing}.
     */
    record Compare(long number, long offset, int length, Digests digests) implements Numbered {}

    /** All before is durable before anything behind it is begun. */
    record Barrier(long number) implements Numbered {}

    /** A resync's end: once all before is durable, the copy is what the source is. */
    record Finished(long number, Generations generations) implements Numbered {}

    /** From here on the primary's writes are not sent. */
    record Ahead(long number) implements Numbered {}

    /** Protocol B: all up to this number is in memory. */
    record Received(long upTo) implements LiveMessage {}

    /** All up to this number is durable. */
    record Durable(long upTo) implements LiveMessage {}

    /**
     * Of a {@link Compare}: blocks that are not the same.
     *
     * @param number the comparison's
     */
    record Differing(long number, List<DirtyBitmap.Run> runs) implements LiveMessage {
        public Differing {
            runs = List.copyOf(runs);
        }

        /** Whether it tells of blocks of this run alone, in order and each once. */
        boolean isPartOf(DirtyBitmap.Run asked) {
            long from = asked.first();
            for (var run : runs) {
                if (run.first() < from || !asked.contains(run)) {
                    return false;
                }
                from = run.first() + run.count();
            }
            return true;
        }
    }

    /** Before a {@link Hello}: the sender has dirty bits of a verify that were not repaired. */
    record OutOfSync() implements LiveMessage {}

    /** The end of a resync was taken down. */
    record InStep() implements LiveMessage {}

    /** Somebody asks something of the receiver by way of its peer; where it cannot be done, nothing is. */
    record Ask(What what) implements LiveMessage {
        public enum What {
            /** The receiver, a secondary, is to give up its content. */
            INVALIDATE,
            /** The receiver, the primary, is to verify. */
            VERIFY
        }
    }

    /** The sender is now of this role. */
    record RoleChanged(Role role) implements LiveMessage {}
}
