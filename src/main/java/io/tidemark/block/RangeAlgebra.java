package io.tidemark.block;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.util.Optional;

/**
 * Set operations on ranges as they stream: the operands are read once, in order, and nothing is collected, so a volume
 * of any size and any number of ranges costs the same memory. What an operation returns closes its operands.
 *
 * <p>A result is never more certain than its least certain operand, nor finer. Narrowing ranges to the blocks that
 * truly differ is {@link ChangedBlocks}: that takes the bytes.
 */
public final class RangeAlgebra {
    /** What every provider calls it when it names everything, and so does {@link #whole}. */
    public static final String WHOLE = "full";

    private RangeAlgebra() {}

    /** What either names: the changes of two tracking sources that each saw a part. */
    public static ChangedRanges union(ChangedRanges left, ChangedRanges right) {
        return new RangeCombination(left, right, (inLeft, inRight) -> inLeft || inRight, "+");
    }

    /** What both name. Never too little only where both operands never name too little of the same change. */
    public static ChangedRanges intersection(ChangedRanges left, ChangedRanges right) {
        return new RangeCombination(left, right, (inLeft, inRight) -> inLeft && inRight, "&");
    }

    /** What {@code left} names and {@code right} does not. */
    public static ChangedRanges subtraction(ChangedRanges left, ChangedRanges right) {
        return new RangeCombination(left, right, (inLeft, inRight) -> inLeft && !inRight, "-");
    }

    /** {@code [0, sizeBytes)}: all that could have changed, where nobody says what did. */
    public static ChangedRanges whole(long sizeBytes) {
        return new ChangedRanges() {
            private boolean given = sizeBytes == 0;

            @Override
            public int granularityBytes() {
                return ChangedRuns.BLOCK_BYTES;
            }

            @Override
            public Confidence confidence() {
                return Confidence.COARSE;
            }

            @Override
            public String source() {
                return WHOLE;
            }

            @Override
            public Optional<BlockRange> next() {
                if (given) {
                    return Optional.empty();
                }
                given = true;
                return Optional.of(new BlockRange(0, sizeBytes));
            }

            @Override
            public void close() {}
        };
    }

    /**
     * Widened to whole multiples of {@code granularityBytes}, cut at the end of the image, and merged where that makes
     * ranges touch.
     */
    public static ChangedRanges widened(ChangedRanges ranges, int granularityBytes, long imageBytes) {
        if (Integer.bitCount(granularityBytes) != 1) {
            throw new IllegalArgumentException("granularityBytes is no power of two: " + granularityBytes);
        }
        return new RangeMapping(ranges, Math.max(granularityBytes, ranges.granularityBytes())) {
            @Override
            Optional<BlockRange> read() throws ProviderException {
                var range = source.next();
                if (range.isEmpty() || range.get().offsetBytes() >= imageBytes) {
                    return Optional.empty();
                }
                long from = range.get().offsetBytes() / granularityBytes * granularityBytes;
                long end = Math.min(imageBytes, range.get().endBytes());
                long to = Math.min(imageBytes, Math.ceilDiv(end, granularityBytes) * granularityBytes);
                return Optional.of(new BlockRange(from, to - from));
            }

            @Override
            boolean joins(BlockRange first, BlockRange second) {
                return second.offsetBytes() <= first.endBytes();
            }
        };
    }

    /** Ranges with at most {@code gapBytes} between them become one: fewer reads for some more bytes read. */
    public static ChangedRanges merged(ChangedRanges ranges, long gapBytes) {
        if (gapBytes < 0) {
            throw new IllegalArgumentException("gapBytes is negative: " + gapBytes);
        }
        return new RangeMapping(ranges, ranges.granularityBytes()) {
            @Override
            Optional<BlockRange> read() throws ProviderException {
                return source.next();
            }

            @Override
            boolean joins(BlockRange first, BlockRange second) {
                return second.offsetBytes() - first.endBytes() <= gapBytes;
            }
        };
    }

    /** No range longer than {@code lengthBytesMaximum}, cut at its multiples, so that many can work on one. */
    public static ChangedRanges split(ChangedRanges ranges, long lengthBytesMaximum) {
        if (lengthBytesMaximum < 1) {
            throw new IllegalArgumentException("lengthBytesMaximum is not positive: " + lengthBytesMaximum);
        }
        return new RangeMapping(ranges, ranges.granularityBytes()) {
            private Optional<BlockRange> rest = Optional.empty();

            @Override
            Optional<BlockRange> read() throws ProviderException {
                var range = rest.isPresent() ? rest : source.next();
                rest = Optional.empty();
                if (range.isEmpty()) {
                    return range;
                }
                long from = range.get().offsetBytes();
                long border = (from / lengthBytesMaximum + 1) * lengthBytesMaximum;
                if (range.get().endBytes() > border) {
                    rest = Optional.of(new BlockRange(border, range.get().endBytes() - border));
                    return Optional.of(new BlockRange(from, border - from));
                }
                return range;
            }

            @Override
            boolean joins(BlockRange first, BlockRange second) {
                return false;
            }
        };
    }
}
