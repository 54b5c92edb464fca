package io.tidemark.consistency.mongodb;

import java.time.Instant;
import java.util.Comparator;

/**
 * A place in the log of a replica set's operations. Source: MongoDB, "replSetGetStatus", optimes: {@code ts} and {@code
 * t}.
 *
 * @param term of the primary that wrote it
 * @param timestamp seconds since 1970 in the upper half, a count within that second in the lower
 */
record OpTime(long term, long timestamp) implements Comparable<OpTime> {
    private static final int COUNT_BITS = 32;
    private static final Comparator<OpTime> ORDER = Comparator.comparingLong(OpTime::term)
            .thenComparing((one, other) -> Long.compareUnsigned(one.timestamp(), other.timestamp()));

    @Override
    public int compareTo(OpTime other) {
        return ORDER.compare(this, other);
    }

    /** {@code 2026-11-27T06:58:00Z, operation 3 of term 7}. */
    @Override
    public String toString() {
        return "%s, operation %d of term %d"
                .formatted(Instant.ofEpochSecond(timestamp >>> COUNT_BITS), timestamp & 0xffff_ffffL, term);
    }
}
