package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.spi.BlockRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A source that lies is found out; one that tells the truth never is. */
class AuditedRangesTest {
    private static final int BLOCK = ChangedRuns.BLOCK_BYTES;
    private static final int BLOCKS = 700;
    private static final JavaBlockKernel KERNEL = new JavaBlockKernel();

    private final byte[] older = new byte[BLOCKS * BLOCK];
    private final byte[] newer = new byte[BLOCKS * BLOCK];

    private void change(int block) {
        newer[block * BLOCK + 17] = 1;
    }

    private AuditedRanges audited(List<BlockRange> named, AuditedRanges.Scope scope, long seed) {
        return new AuditedRanges(
                GivenRanges.of(named),
                new MemorySnapshot(older),
                new MemorySnapshot(newer),
                KERNEL,
                scope,
                new Random(seed));
    }

    private static BlockRange blocks(int first, int count) {
        return new BlockRange((long) first * BLOCK, (long) count * BLOCK);
    }

    @Test
    void rangesArePassedOnAsTheyAre() throws Exception {
        var named = List.of(new BlockRange(100, 600), blocks(7, 2), new BlockRange(90_000L, 1));

        assertThat(GivenRanges.all(audited(named, new AuditedRanges.Scope(50, 0, 40L * BLOCK), 1)))
                .isEqualTo(named);
    }

    @Test
    void theWindowFindsWhatWasLeftOut() throws Exception {
        change(300);
        change(301);
        var ranges = audited(List.of(blocks(10, 5)), new AuditedRanges.Scope(0, 0, (long) BLOCKS * BLOCK), 1);

        GivenRanges.all(ranges);

        assertThat(ranges.leftOut()).contains(blocks(300, 2));
    }

    @Test
    void aWindowThatEndsBeforeItDoesNotReadIt() throws Exception {
        change(300);
        var ranges = audited(List.of(), new AuditedRanges.Scope(0, 0, 300L * BLOCK), 1);

        GivenRanges.all(ranges);

        assertThat(ranges.leftOut()).isEmpty();
        assertThat(ranges.auditedBytes()).isEqualTo(300L * BLOCK);
    }

    @Test
    void windowsThatFollowOneAnotherCoverTheVolume() throws Exception {
        change(699);
        long found = 0;
        for (int from = 0; from < BLOCKS; from += 100) {
            var scope = new AuditedRanges.Scope(0, (long) from * BLOCK, (from + 100L) * BLOCK);
            var ranges = audited(List.of(blocks(0, 1)), scope, 1);
            GivenRanges.all(ranges);
            found += ranges.leftOut().isPresent() ? 1 : 0;
        }

        assertThat(found).isEqualTo(1);
    }

    /** A lie of a tenth of the blocks escapes 64 samples with a chance of 0.9^64, 1 in 850. */
    @Test
    void samplesFindASourceThatLeavesOutMuch() throws Exception {
        for (int block = 0; block < BLOCKS; block += 10) {
            change(block);
        }
        int found = 0;
        for (long seed = 0; seed < 100; seed++) {
            var ranges = audited(List.of(), new AuditedRanges.Scope(64, 0, 0), seed);
            GivenRanges.all(ranges);
            found += ranges.leftOut().isPresent() ? 1 : 0;
        }

        assertThat(found).isGreaterThanOrEqualTo(97);
    }

    @Test
    void theTruthIsNeverTakenForALie() throws Exception {
        for (long seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            System.arraycopy(older, 0, newer, 0, newer.length);
            var named = new ArrayList<BlockRange>();
            int at = 0;
            while (at < newer.length) {
                int length = 1 + random.nextInt(5 * BLOCK);
                int end = Math.min(newer.length, at + length);
                if (random.nextInt(4) == 0) {
                    newer[at] ^= 1;
                    newer[end - 1] ^= 2;
                    named.add(new BlockRange(at, end - at));
                }
                at = end + random.nextInt(40 * BLOCK);
            }
            var ranges = audited(named, new AuditedRanges.Scope(100, 0, newer.length), seed);

            GivenRanges.all(ranges);

            assertThat(ranges.leftOut()).as("seed %d", seed).isEmpty();
        }
    }

    @Test
    void anImageThatGrewIsAuditedToItsOldEnd() throws Exception {
        var longer = new MemorySnapshot(new byte[newer.length + 10 * BLOCK]);
        var scope = new AuditedRanges.Scope(20, 0, newer.length + 10L * BLOCK);
        var ranges = new AuditedRanges(
                GivenRanges.of(List.of()), new MemorySnapshot(older), longer, KERNEL, scope, new Random(1));

        GivenRanges.all(ranges);

        assertThat(ranges.leftOut()).isEmpty();
        assertThat(ranges.auditedBytes()).isEqualTo(newer.length + 20L * BLOCK);
    }

    @Test
    void senselessScopesAreRefused() {
        assertThatThrownBy(() -> new AuditedRanges.Scope(-1, 0, 0)).hasMessageContaining("0..4096: -1");
        assertThatThrownBy(() -> new AuditedRanges.Scope(4_097, 0, 0)).hasMessageContaining("4097");
        assertThatThrownBy(() -> new AuditedRanges.Scope(1, 5, 10)).hasMessageContaining("5 to 10");
        assertThatThrownBy(() -> new AuditedRanges.Scope(1, BLOCK, 0)).hasMessageContaining("no run of blocks");
    }
}
