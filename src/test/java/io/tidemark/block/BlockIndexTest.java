package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BlockIndexTest {
    private static final BlockKernel KERNEL = new JavaBlockKernel();

    private static byte[] randomBytes(int length, long seed) {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static MemoryImage index(MemoryImage image, HashAlgorithm algorithm, int blockBytes)
            throws IOException, BlockException {
        var file = new MemoryImage();
        var leaves = image.leaves(KERNEL, algorithm, blockBytes);
        var writer = new BlockIndexWriter(file, KERNEL, algorithm, leaves.geometry());
        for (var span = leaves.nextSpan(); span.hasRemaining(); span = leaves.nextSpan()) {
            writer.append(span);
        }
        writer.finish();
        return file;
    }

    @Test
    void indexGivesBackEveryDigestOfEveryLevel() throws Exception {
        for (long seed = 0; seed < 40; seed++) {
            var random = new Random(seed);
            var algorithm = random.nextBoolean() ? HashAlgorithm.XXH3_128 : HashAlgorithm.SHA_256;
            int blockBytes = 512 << random.nextInt(4);
            var image = new MemoryImage(randomBytes(random.nextInt(400_000), seed));
            var all = image.leaves(KERNEL, algorithm, blockBytes).nextSpan();
            var tree = ChecksumTree.of(KERNEL, algorithm, all.duplicate());

            var index = BlockIndex.open(index(image, algorithm, blockBytes));

            assertThat(index.geometry()).isEqualTo(new ImageGeometry(image.sizeBytes(), blockBytes));
            assertThat(index.root()).as("seed %d", seed).isEqualTo(tree.root());
            assertThat(index.levels()).isEqualTo(tree.levels());
            for (int level = 0; level < tree.levels(); level++) {
                int count = (int) tree.count(level);
                assertThat(index.digests(level, 0, count)).isEqualTo(tree.digests(level, 0, count));
            }
            assertThat(index.leaves().nextSpan()).isEqualTo(all);
        }
    }

    @Test
    void indexOfSeveralChunksIsReadAcrossTheirBorders() throws Exception {
        var image = new MemoryImage(randomBytes(512 * 140_000, 1));
        var index = BlockIndex.open(index(image, HashAlgorithm.XXH3_128, 512));

        var across = index.digests(0, 65_530, 12);

        var data = ByteBuffer.allocateDirect(12 * 512);
        image.read(65_530L * 512, data);
        var expected = ByteBuffer.allocateDirect(12 * 16);
        KERNEL.hashBlocks(data.flip(), 512, HashAlgorithm.XXH3_128, expected);
        assertThat(across).isEqualTo(expected);
    }

    @Test
    void indexCutAtAnyByteIsRefused() throws Exception {
        var whole = index(new MemoryImage(randomBytes(20_000, 3)), HashAlgorithm.XXH3_128, 512)
                .bytes();

        for (int length = 0; length < whole.length; length++) {
            var cut = new MemoryImage(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> BlockIndex.open(cut))
                    .as("cut to %d", length)
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void everyFlippedBitIsNoticedBeforeItsDigestIsUsed() throws Exception {
        var whole = index(new MemoryImage(randomBytes(20_000, 3)), HashAlgorithm.XXH3_128, 512)
                .bytes();

        for (int at = 0; at < whole.length; at++) {
            var flipped = whole.clone();
            flipped[at] ^= (byte) (1 << at % 8);
            assertThatThrownBy(() -> readAll(BlockIndex.open(new MemoryImage(flipped))))
                    .as("byte %d", at)
                    .isInstanceOfAny(BlockException.class, IOException.class);
        }
    }

    @Test
    void bytesAfterTheEndAreRefused() throws Exception {
        var whole = index(new MemoryImage(randomBytes(20_000, 3)), HashAlgorithm.XXH3_128, 512)
                .bytes();

        assertThatThrownBy(() -> BlockIndex.open(new MemoryImage(Arrays.copyOf(whole, whole.length + 1))))
                .isInstanceOf(BlockException.class);
    }

    @Test
    void newerVersionIsNamed() throws Exception {
        var bytes = index(new MemoryImage(randomBytes(600, 3)), HashAlgorithm.XXH3_128, 512)
                .bytes();
        var header = ByteBuffer.wrap(bytes, 0, 128);
        header.putInt(8, 2);
        header.putInt(124, FixedHeader.crcOf(ByteBuffer.wrap(bytes, 0, 124)));

        var thrown = catchThrowableOfType(BlockException.class, () -> BlockIndex.open(new MemoryImage(bytes)));

        assertThat(thrown.error()).isEqualTo(new BlockError.UnknownVersion("memory", "block-hash index", 2, 1));
    }

    @Test
    void headerWithATrueChecksumAndFalseLengthsIsRefused() throws Exception {
        var whole = index(new MemoryImage(randomBytes(6_000, 3)), HashAlgorithm.XXH3_128, 512)
                .bytes();
        for (int field : new int[] {12, 16, 20, 24, 28, 64}) {
            for (int value : new int[] {0, -1, 3, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                var bytes = whole.clone();
                ByteBuffer.wrap(bytes).putInt(field, value);
                ByteBuffer.wrap(bytes).putInt(124, FixedHeader.crcOf(ByteBuffer.wrap(bytes, 0, 124)));
                if (!Arrays.equals(bytes, whole)) {
                    assertThatThrownBy(() -> BlockIndex.open(new MemoryImage(bytes)))
                            .as("field %d value %d", field, value)
                            .isInstanceOf(BlockException.class);
                }
            }
        }
    }

    @Test
    void indexThatMissesBlocksIsNotFinished() {
        var writer = new BlockIndexWriter(
                new MemoryImage(), KERNEL, HashAlgorithm.XXH3_128, new ImageGeometry(10_000, 4096));
        assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
    }

    private static void readAll(BlockIndex index) throws IOException {
        for (int level = 0; level < index.levels(); level++) {
            index.digests(level, 0, (int) index.count(level));
        }
    }
}
