package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MetadataFormatTest {
    private static final long GIB = 1L << 30;
    private static final MetadataFormat FORMAT = new MetadataFormat(id("a"), id("b"), GIB, 127);
    private static final byte[] NOTHING = new byte[MetadataFormat.BLOCK_BYTES];

    private static CopyId id(String value) {
        return new CopyId(value);
    }

    private static List<Generation> generations(int count, long from) {
        return LongStream.range(from, from + count).mapToObj(Generation::new).toList();
    }

    private static Superblock superblock(long current) {
        return new Superblock(
                new Generations(
                        Optional.of(new Generation(current)), Map.of(id("b"), generations(2, 10)), generations(3, 20)),
                true,
                false,
                true,
                current * 1_000_000_007L);
    }

    @Test
    void theNewerOfTwoIsRead() {
        var older = FORMAT.superblock(superblock(1), 7);
        var newer = FORMAT.superblock(superblock(2), 8);

        assertThat(FORMAT.newest(older, newer)).isEqualTo(new MetadataFormat.Found(superblock(2), 8));
        assertThat(FORMAT.newest(newer, older)).isEqualTo(new MetadataFormat.Found(superblock(2), 8));
        assertThat(FORMAT.newest(NOTHING, older)).isEqualTo(new MetadataFormat.Found(superblock(1), 7));
        assertThat(MetadataFormat.superblockAt(7)).isNotEqualTo(MetadataFormat.superblockAt(8));
    }

    @Test
    void oneThatIsTornAnywhereLeavesTheOther() {
        var older = FORMAT.superblock(superblock(1), 7);
        var before = FORMAT.superblock(superblock(3), 6);
        var newer = FORMAT.superblock(superblock(2), 8);
        int told = 256;
        for (int at = 1; at < told; at++) {
            var torn = before.clone();
            System.arraycopy(newer, 0, torn, 0, at);
            if (!Arrays.equals(torn, newer)) {
                assertThat(FORMAT.newest(torn, older).sequence())
                        .as("torn at %s", at)
                        .isIn(6L, 7L);
                assertThat(FORMAT.newest(torn, older).superblock())
                        .as("torn at %s", at)
                        .isEqualTo(superblock(1));
            }
        }
    }

    @Test
    void theLargestFits() {
        var full = new Superblock(
                new Generations(
                        Optional.of(new Generation(-1)),
                        Map.of(
                                id("b".repeat(63)), generations(Generations.BASES_MAXIMUM, 1),
                                id("c".repeat(63)), generations(Generations.BASES_MAXIMUM, 9),
                                id("d".repeat(63)), generations(Generations.BASES_MAXIMUM, 17)),
                        generations(Generations.HISTORY_MAXIMUM, 100)),
                false,
                true,
                false);

        assertThat(FORMAT.newest(FORMAT.superblock(full, Long.MAX_VALUE), NOTHING)
                        .superblock())
                .isEqualTo(full);
    }

    @Test
    void whatIsOfAnotherIsRefusedByName() {
        var block = FORMAT.superblock(superblock(1), 0);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MetadataFormat(id("a"), id("b"), GIB / 2, 127).newest(block, NOTHING))
                .withMessage("the metadata of copy a is of another volume's size: 1073741824, not 536870912");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MetadataFormat(id("b"), id("a"), GIB, 127).newest(block, NOTHING))
                .withMessageContaining("another copy: a, not b");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FORMAT.newest(NOTHING, NOTHING))
                .withMessageContaining("no superblock of copy a holds");
    }

    @Test
    void nothingLiesOverAnother() {
        assertThat(MetadataFormat.ringAt()).isEqualTo(2L * MetadataFormat.BLOCK_BYTES);
        assertThat(FORMAT.pageAt(0)).isEqualTo(MetadataFormat.ringAt() + FORMAT.ringBytes());
        assertThat(FORMAT.bytes() - FORMAT.pageAt(0))
                .isEqualTo((long) DirtyBitmap.pageCount(GIB) * DirtyBitmap.PAGE_BYTES);
    }
}
