package io.tidemark.simulation.live;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;

/** All that clients were told, and what each write found where it wrote: against it is checked what copies have. */
final class LiveHistory {
    static final long NEVER = Long.MAX_VALUE;

    /** A client's write; its number is what it writes. */
    static final class Written {
        final long number;
        final int host;
        final long promotion;
        final long first;
        final int blocks;
        final boolean isForced;
        final long begun;
        /** What was there, by block, when it was given to the primary's disk. */
        final TreeMap<Long, Long> over = new TreeMap<>();

        long answered = NEVER;
        boolean isForgiven;

        Written(long number, int host, long promotion, long first, int blocks, boolean isForced, long begun) {
            this.number = number;
            this.host = host;
            this.promotion = promotion;
            this.first = first;
            this.blocks = blocks;
            this.isForced = isForced;
            this.begun = begun;
        }
    }

    /** A client's flush. */
    record Flushed(long promotion, long begun, long answered) {}

    private final List<Written> writes = new ArrayList<>();
    private final List<Flushed> flushes = new ArrayList<>();

    Written begin(LiveHost host, long first, int blocks, boolean isForced, long now) {
        var write = new Written(writes.size() + 1L, host.side(), host.promotion(), first, blocks, isForced, now);
        writes.add(write);
        return write;
    }

    List<Written> writes() {
        return writes;
    }

    Written of(long number) {
        return writes.get((int) number - 1);
    }

    void flushed(Flushed flush) {
        flushes.add(flush);
    }

    /** Whether a block that has one write had the other before. */
    boolean comesFrom(long value, long before, long block) {
        long at = value;
        while (at > before) {
            at = of(at).over.getOrDefault(block, 0L);
        }
        return at == before;
    }

    /**
     * Answered writes that a content does not come from.
     *
     * @param content of a copy, by block
     * @return their numbers
     */
    Set<Long> missing(LongUnaryOperator content) {
        var missing = new HashSet<Long>();
        for (var write : writes) {
            if (write.answered == NEVER || write.isForgiven) {
                continue;
            }
            if (!has(content, write)) {
                missing.add(write.number);
            }
        }
        return missing;
    }

    /** Whether a content comes from a write wherever that has written. */
    boolean has(LongUnaryOperator content, Written write) {
        for (long block = write.first; block < write.first + write.blocks; block++) {
            if (!comesFrom(content.applyAsLong(block), write.number, block)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Answered writes of a primary that its own disk has to have after a power cut: those that were forced, and those
     * before a flush that was answered.
     *
     * @param isEachKept protocol C
     * @return the numbers of those that a content does not come from
     */
    Set<Long> lostByPowerCut(LongUnaryOperator content, long promotion, boolean isEachKept) {
        var lost = new HashSet<Long>();
        for (var write : writes) {
            boolean isKept = isEachKept
                    || write.isForced
                    || flushes.stream()
                            .anyMatch(flush -> flush.promotion() == promotion && write.answered < flush.begun());
            boolean isOurs = write.promotion == promotion && write.answered != NEVER && !write.isForgiven;
            if (isOurs && isKept && !has(content, write)) {
                lost.add(write.number);
            }
        }
        return lost;
    }

    /**
     * Whether a copy has all up to a barrier, and of what came after it any part: no write is there whose client had been
     * told before it that another is kept which is not there.
     *
     * @param isEachKept protocol C: each answered write is kept, without a flush
     * @return what is wrong; an empty text where nothing is
     */
    String prefix(LongUnaryOperator content, boolean isEachKept) {
        var present = new ArrayList<Written>();
        var absent = new ArrayList<Written>();
        for (var write : writes) {
            for (long block = write.first; block < write.first + write.blocks; block++) {
                long value = content.applyAsLong(block);
                if (value == write.number) {
                    present.add(write);
                } else if (!write.isForgiven && write.over.containsKey(block) && value < write.number) {
                    absent.add(write);
                }
            }
        }
        for (var there : present) {
            for (var lost : absent) {
                if (lost.promotion == there.promotion && isBefore(lost, there, isEachKept)) {
                    return "write %d is there, and %d is not, which was kept before it"
                            .formatted(there.number, lost.number);
                }
            }
        }
        return "";
    }

    private boolean isBefore(Written lost, Written there, boolean isEachKept) {
        if (isEachKept) {
            return lost.answered < there.begun;
        }
        return flushes.stream()
                .anyMatch(flush -> flush.promotion() == lost.promotion
                        && lost.answered < flush.begun()
                        && flush.answered() < there.begun);
    }
}
