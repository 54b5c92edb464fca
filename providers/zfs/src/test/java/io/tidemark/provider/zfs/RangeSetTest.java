package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.BlockRange;
import org.junit.jupiter.api.Test;

class RangeSetTest {
    private static final int BLOCK_BYTES = 4096;

    @Test
    void rangesInAnyOrderBecomeWholeBlocksInOrderWithinTheSize() {
        var set = new RangeSet();
        set.add(40_000, Long.MAX_VALUE);
        set.add(5_000, 5_001);
        set.add(4_096, 4_097);
        set.add(9_000, 20_000);
        set.add(99_000, 100_000);

        assertThat(set.ranges(BLOCK_BYTES, 41_000))
                .containsExactly(new BlockRange(4_096, 16_384), new BlockRange(36_864, 41_000 - 36_864));
    }

    @Test
    void tooManyRangesBecomeFewerAndNoneIsLeftOut() {
        var set = new RangeSet();
        long count = RangeSet.RANGES_MAXIMUM * 2L;
        long everyBytes = 3L << 20;
        for (long number = 0; number < count; number++) {
            // Backwards, as no stream has them.
            long from = (count - 1 - number) * everyBytes;
            set.add(from, from + 1);
        }
        set.add(5 * everyBytes, 9 * everyBytes);

        var ranges = set.ranges(BLOCK_BYTES, count * everyBytes);

        assertThat(set.isEverything()).isFalse();
        assertThat(ranges).hasSizeLessThanOrEqualTo(RangeSet.RANGES_MAXIMUM).hasSizeGreaterThan(1);
        int at = 0;
        for (long number = 0; number < count; number++) {
            while (ranges.get(at).endBytes() <= number * everyBytes) {
                at++;
            }
            assertThat(ranges.get(at).offsetBytes() <= number * everyBytes).isTrue();
        }
    }

    @Test
    void nothingIsLeftOutOnceEverythingMayHaveChanged() {
        var set = new RangeSet();
        set.add(0, 1);
        set.addEverything();
        set.add(8_192, 8_193);

        assertThat(set.ranges(BLOCK_BYTES, 10_000)).containsExactly(new BlockRange(0, 10_000));
    }
}
