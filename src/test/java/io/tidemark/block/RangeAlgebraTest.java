package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Ranges against plain sets of bytes. */
class RangeAlgebraTest {
    private static final int SIZE = 400;
    private static final int SEEDS = 2_000;

    private static List<BlockRange> random(Random random) {
        var ranges = new ArrayList<BlockRange>();
        int at = random.nextInt(30);
        while (at < SIZE && random.nextInt(20) > 0) {
            int length = 1 + random.nextInt(Math.min(40, SIZE - at));
            ranges.add(new BlockRange(at, length));
            // Sources may name ranges that touch.
            at += length + random.nextInt(25);
        }
        return ranges;
    }

    private static BitSet bytes(List<BlockRange> ranges) {
        var set = new BitSet();
        ranges.forEach(range -> set.set((int) range.offsetBytes(), (int) range.endBytes()));
        return set;
    }

    /** In order, disjoint, and the bytes that were expected. */
    private static void assertNames(ChangedRanges ranges, BitSet expected, long seed) throws Exception {
        var named = GivenRanges.all(ranges);
        for (int index = 1; index < named.size(); index++) {
            assertThat(named.get(index).offsetBytes())
                    .as("seed %d", seed)
                    .isGreaterThanOrEqualTo(named.get(index - 1).endBytes());
        }
        assertThat(bytes(named)).as("seed %d", seed).isEqualTo(expected);
        assertThat(ranges.next()).as("seed %d, after the end", seed).isEmpty();
    }

    @Test
    void setOperationsNameWhatSetsOfBytesDo() throws Exception {
        for (long seed = 0; seed < SEEDS; seed++) {
            var random = new Random(seed);
            var left = random(random);
            var right = random(random);
            var union = bytes(left);
            union.or(bytes(right));
            var both = bytes(left);
            both.and(bytes(right));
            var only = bytes(left);
            only.andNot(bytes(right));

            assertNames(RangeAlgebra.union(GivenRanges.of(left), GivenRanges.of(right)), union, seed);
            assertNames(RangeAlgebra.intersection(GivenRanges.of(left), GivenRanges.of(right)), both, seed);
            assertNames(RangeAlgebra.subtraction(GivenRanges.of(left), GivenRanges.of(right)), only, seed);
        }
    }

    @Test
    void wideningNamesWholeBlocksAndNothingPastTheEnd() throws Exception {
        for (long seed = 0; seed < SEEDS; seed++) {
            var random = new Random(seed);
            var ranges = random(random);
            int granularity = 1 << random.nextInt(6);
            int image = SIZE / 2 + random.nextInt(SIZE / 2);
            var expected = new BitSet();
            bytes(ranges).stream().filter(at -> at < image).forEach(at -> {
                int block = at / granularity * granularity;
                expected.set(block, Math.min(image, block + granularity));
            });

            assertNames(RangeAlgebra.widened(GivenRanges.of(ranges), granularity, image), expected, seed);
        }
    }

    @Test
    void mergingFillsSmallGapsAndNoOthers() throws Exception {
        var ranges = GivenRanges.of(
                List.of(new BlockRange(0, 10), new BlockRange(10, 5), new BlockRange(18, 2), new BlockRange(24, 1)));

        assertThat(GivenRanges.all(RangeAlgebra.merged(ranges, 3)))
                .containsExactly(new BlockRange(0, 20), new BlockRange(24, 1));
    }

    @Test
    void splittingCutsAtMultiples() throws Exception {
        for (long seed = 0; seed < SEEDS; seed++) {
            var random = new Random(seed);
            var ranges = random(random);
            int most = 1 + random.nextInt(30);

            var split = GivenRanges.all(RangeAlgebra.split(GivenRanges.of(ranges), most));

            assertThat(bytes(split)).as("seed %d", seed).isEqualTo(bytes(ranges));
            assertThat(split)
                    .as("seed %d", seed)
                    .allSatisfy(
                            range -> assertThat(range.offsetBytes() / most).isEqualTo((range.endBytes() - 1) / most));
        }
    }

    @Test
    void whatIsLeftOfTheWholeIsWhatASourceCalledUnchanged() throws Exception {
        var named = GivenRanges.of(List.of(new BlockRange(0, 5), new BlockRange(90, 20)));

        var unchanged = RangeAlgebra.subtraction(RangeAlgebra.whole(100), named);

        assertThat(GivenRanges.all(unchanged)).containsExactly(new BlockRange(5, 85));
        unchanged.close();
        assertThat(named.closed()).isTrue();
    }

    @Test
    void senselessLimitsAreRefused() {
        var ranges = GivenRanges.of(List.of());

        assertThatThrownBy(() -> RangeAlgebra.widened(ranges, 3, SIZE)).hasMessageContaining("no power of two: 3");
        assertThatThrownBy(() -> RangeAlgebra.merged(ranges, -1)).hasMessageContaining("negative: -1");
        assertThatThrownBy(() -> RangeAlgebra.split(ranges, 0)).hasMessageContaining("not positive: 0");
    }
}
