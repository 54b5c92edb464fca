package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.replication.live.DirtyBitmap.Run;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirtyBitmapTest {
    private static final int BLOCK = DirtyBitmap.BLOCK_BYTES;
    private static final long PAGE = (long) DirtyBitmap.PAGE_BLOCKS * BLOCK;

    @Test
    void blockOfWhichAPartWasWrittenIsDirtyAndOneOfWhichAPartWasSentStaysSo() {
        var bitmap = new DirtyBitmap(10L * BLOCK + 100);

        bitmap.mark(BLOCK - 1, 2);
        assertThat(bitmap.next(0, 8)).contains(new Run(0, 2));
        bitmap.clear(1, 2L * BLOCK - 1);
        assertThat(bitmap.next(0, 8)).contains(new Run(0, 1));
        bitmap.mark(10L * BLOCK + 50, 1);
        bitmap.clear(10L * BLOCK, 99);
        assertThat(bitmap.isDirty(10)).as("a byte of the last block is missing").isTrue();
        bitmap.clear(10L * BLOCK, 100);
        assertThat(bitmap.isDirty(10)).isFalse();
        assertThat(bitmap.dirtyBlocks()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void isWhatASetOfBlocksIs(long seed) {
        var random = new Random(seed);
        long size = 3 * PAGE + random.nextInt(BLOCK);
        int blocks = (int) Math.ceilDiv(size, BLOCK);
        var bitmap = new DirtyBitmap(size);
        var oracle = new BitSet();
        for (int step = 0; step < 2_000; step++) {
            int first = random.nextInt(blocks);
            int count = Math.min(blocks - first, 1 + random.nextInt(random.nextInt(10) == 0 ? 40_000 : 130));
            long offset = (long) first * BLOCK;
            long length = Math.min(size - offset, (long) count * BLOCK);
            boolean toDirty = random.nextBoolean();
            if (toDirty) {
                bitmap.mark(offset, length);
            } else {
                bitmap.clear(offset, length);
            }
            oracle.set(first, first + count, toDirty);
            assertThat(bitmap.dirtyBlocks()).isEqualTo(oracle.cardinality());
            int from = random.nextInt(blocks);
            int next = oracle.nextSetBit(from);
            var expected = next < 0
                    ? Optional.<Run>empty()
                    : Optional.of(new Run(next, Math.min(500, oracle.nextClearBit(next) - next)));
            assertThat(bitmap.next(from, 500)).isEqualTo(expected);
        }
    }

    /** Pages are written at some time, and one of them torn: what was dirty is dirty for the next process. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void nothingDirtyIsLostWhereverAPageIsTorn(long seed) {
        var random = new Random(seed);
        long size = 4 * PAGE;
        var bitmap = new DirtyBitmap(size);
        Map<Integer, byte[]> disk = new HashMap<>();
        for (int page = 0; page < DirtyBitmap.pageCount(size); page++) {
            disk.put(page, bitmap.page(page));
        }
        for (int step = 0; step < 200; step++) {
            long offset = random.nextLong(size - BLOCK);
            if (random.nextInt(4) > 0) {
                bitmap.mark(offset, 1 + random.nextInt(BLOCK));
            } else {
                bitmap.clear(offset / PAGE * PAGE, PAGE);
            }
            for (var page : List.copyOf(bitmap.changedPages())) {
                var bytes = bitmap.page(page);
                var torn = Objects.requireNonNull(disk.get(page)).clone();
                System.arraycopy(bytes, 0, torn, 0, random.nextInt(bytes.length + 1));
                var next = new DirtyBitmap(size);
                disk.forEach((number, kept) -> next.load(number, number.equals(page) ? torn : kept));
                for (var run = bitmap.next(0, 1);
                        run.isPresent();
                        run = bitmap.next(run.get().first() + 1, 1)) {
                    assertThat(next.isDirty(run.get().first())
                                    || isAsBefore(bitmap, run.get().first(), disk, torn, page))
                            .isTrue();
                }
                disk.put(page, bytes);
                bitmap.written(page);
            }
        }
        var last = new DirtyBitmap(size);
        disk.forEach((number, kept) -> assertThat(last.load(number, kept)).isTrue());
        assertThat(last.dirtyBlocks()).isEqualTo(bitmap.dirtyBlocks());
        assertThat(last.changedPages()).isEmpty();
    }

    /** Not a byte of the page has reached the disk: it is what it was, and its block was clean there. */
    private static boolean isAsBefore(
            DirtyBitmap bitmap, long block, Map<Integer, byte[]> disk, byte[] torn, int page) {
        return bitmap.isDirty(block) && block / DirtyBitmap.PAGE_BLOCKS == page && Arrays.equals(torn, disk.get(page));
    }

    @Test
    void pageOfAnotherPlaceIsNotTakenForThisOne() {
        var bitmap = new DirtyBitmap(2 * PAGE);
        bitmap.mark(0, 1);

        var next = new DirtyBitmap(2 * PAGE);
        assertThat(next.load(1, bitmap.page(0))).isFalse();
        assertThat(next.dirtyBlocks()).isEqualTo(DirtyBitmap.PAGE_BLOCKS);
        assertThat(next.load(0, new byte[10])).isFalse();
    }

    @Test
    void bitmapsOfTwoSidesAreTakenTogether() {
        var one = new DirtyBitmap(2 * PAGE);
        var other = new DirtyBitmap(2 * PAGE);
        one.mark(0, 1);
        other.mark(PAGE + BLOCK, 1);

        one.add(other);

        assertThat(one.dirtyBlocks()).isEqualTo(2);
        assertThat(one.isDirty(DirtyBitmap.PAGE_BLOCKS + 1)).isTrue();
        assertThatThrownBy(() -> one.add(new DirtyBitmap(PAGE))).hasMessageContaining("bytes");
    }

    @Test
    void rangeThatIsNotInTheVolumeIsRefused() {
        var bitmap = new DirtyBitmap(BLOCK);

        assertThatThrownBy(() -> bitmap.mark(1, BLOCK)).hasMessageContaining("4096 bytes at 1");
        assertThatThrownBy(() -> bitmap.clear(-1, 1)).hasMessageContaining("at -1");
        assertThatThrownBy(() -> bitmap.mark(Long.MAX_VALUE, 10)).hasMessageContaining("10 bytes");
        assertThatThrownBy(() -> new DirtyBitmap(DirtyBitmap.SIZE_MAXIMUM_BYTES + 1))
                .hasMessageContaining("bytes");
        assertThat(new DirtyBitmap(0).next(0, 1)).isEmpty();
    }
}
