package io.tidemark.block;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.util.Optional;

/** One sweep over the borders of two streams of ranges; a rule says what is inside. Touching results are merged. */
final class RangeCombination implements ChangedRanges {
    /** Behind every border. */
    private static final long NOWHERE = Long.MAX_VALUE;

    /** Whether a place belongs to the result. Must be false for a place in neither. */
    interface Rule {
        boolean inside(boolean inLeft, boolean inRight);
    }

    private final Side left;
    private final Side right;
    private final Rule rule;
    private final String sign;
    private long atBytes;
    private boolean started;

    RangeCombination(ChangedRanges left, ChangedRanges right, Rule rule, String sign) {
        this.left = new Side(left);
        this.right = new Side(right);
        this.rule = rule;
        this.sign = sign;
    }

    /** One stream, and its range that is not passed yet. */
    private static final class Side {
        private final ChangedRanges ranges;
        private long fromBytes = NOWHERE;
        private long toBytes = NOWHERE;

        Side(ChangedRanges ranges) {
            this.ranges = ranges;
        }

        void read() throws ProviderException {
            var range = ranges.next();
            fromBytes = range.map(BlockRange::offsetBytes).orElse(NOWHERE);
            toBytes = range.map(BlockRange::endBytes).orElse(NOWHERE);
        }

        boolean holds(long place) {
            return fromBytes <= place && place < toBytes;
        }

        /** The first border behind a place. */
        long borderAfter(long place) {
            return fromBytes > place ? fromBytes : toBytes;
        }

        void pass(long place) throws ProviderException {
            while (toBytes <= place && toBytes != NOWHERE) {
                read();
            }
        }
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        if (!started) {
            started = true;
            left.read();
            right.read();
        }
        long from = NOWHERE;
        while (atBytes != NOWHERE) {
            boolean inside = rule.inside(left.holds(atBytes), right.holds(atBytes));
            if (!inside && from != NOWHERE) {
                return Optional.of(new BlockRange(from, atBytes - from));
            }
            if (inside && from == NOWHERE) {
                from = atBytes;
            }
            atBytes = Math.min(left.borderAfter(atBytes), right.borderAfter(atBytes));
            left.pass(atBytes);
            right.pass(atBytes);
        }
        return Optional.empty();
    }

    @Override
    public int granularityBytes() {
        return Math.min(left.ranges.granularityBytes(), right.ranges.granularityBytes());
    }

    @Override
    public Confidence confidence() {
        var one = left.ranges.confidence();
        var other = right.ranges.confidence();
        return one.compareTo(other) > 0 ? one : other;
    }

    @Override
    public String source() {
        return left.ranges.source() + sign + right.ranges.source();
    }

    @Override
    public void close() throws ProviderException {
        try (right.ranges) {
            left.ranges.close();
        }
    }
}
