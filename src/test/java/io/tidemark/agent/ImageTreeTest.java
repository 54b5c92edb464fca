package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.block.ChecksumTree;
import io.tidemark.block.TreeComparison;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ImageTreeTest {
    private static final BlockKernel KERNEL = BlockKernels.best();
    private static final int BLOCK = ImageTree.BLOCK_BYTES;
    private static final long GROUP = 256L << 20;

    @TempDir
    Path folder;

    /** A file as a snapshot. */
    private record Image(Path file, long sizeBytes, boolean sparse) implements SnapshotReader {
        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
                for (long at = offsetBytes; target.hasRemaining(); ) {
                    at += channel.read(target, at);
                }
            } catch (java.io.IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public Optional<Path> path() {
            return sparse ? Optional.of(file) : Optional.empty();
        }

        @Override
        public void close() {}
    }

    private Image image(String name, long sizeBytes, long seed, long... offsets) throws Exception {
        var file = folder.resolve(name);
        var random = new Random(seed);
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            for (long offset : offsets) {
                byte[] bytes = new byte[(int) Math.min(BLOCK, sizeBytes - offset)];
                random.nextBytes(bytes);
                channel.write(ByteBuffer.wrap(bytes), offset);
            }
            channel.force(true);
        }
        return new Image(file, Files.size(file), true);
    }

    private static ImageTree tree(Image image) throws Exception {
        return ImageTree.of(image, KERNEL, done -> {});
    }

    /** The tree as it is defined, all in memory. */
    private static ChecksumTree whole(Image image) {
        var builder = ChecksumTree.builder(KERNEL, HashAlgorithm.XXH3_128);
        var data = ByteBuffer.allocateDirect(1 << 20);
        var digests = ByteBuffer.allocateDirect((1 << 20) / BLOCK * 16);
        for (long at = 0; at < image.sizeBytes(); at += data.capacity()) {
            image.read(at, data.clear().limit((int) Math.min(data.capacity(), image.sizeBytes() - at)));
            int blocks = (int) KERNEL.hashBlocks(data.flip(), BLOCK, HashAlgorithm.XXH3_128, digests.clear());
            builder.append(digests.limit(blocks * 16));
        }
        return builder.build();
    }

    private static List<Long> differing(ImageTree left, ImageTree right) throws Exception {
        var blocks = new ArrayList<Long>();
        new TreeComparison<>(left, right).<RuntimeException>run((first, count) -> {
            for (long block = first; block < first + count; block++) {
                blocks.add(block);
            }
        });
        return blocks;
    }

    @Test
    void everyLevelIsThatOfTheWholeTree() throws Exception {
        var sizes = List.of(
                1L, 4_096L, 5_000L, 256L * BLOCK, 257L * BLOCK, (3L << 20) + 7, GROUP, GROUP + 1, 2 * GROUP + 12_345);
        for (long size : sizes) {
            var image = image("levels-" + size, size, size, 0, size / 2 / BLOCK * BLOCK, (size - 1) / BLOCK * BLOCK);
            var expected = whole(image);
            for (boolean sparse : new boolean[] {true, false}) {
                var tree = tree(new Image(image.file(), size, sparse));
                assertThat(tree.levels()).as("size %d", size).isEqualTo(expected.levels());
                assertThat(tree.root()).as("size %d", size).isEqualTo(expected.root());
                for (int level = 0; level < tree.levels(); level++) {
                    int most = (int) Math.min(ChecksumTree.MAXIMUM_DIGESTS_PER_CALL, expected.count(level));
                    long from = expected.count(level) - most;
                    assertThat(tree.count(level)).isEqualTo(expected.count(level));
                    assertThat(tree.digests(level, from, most))
                            .as("size %d, level %d", size, level)
                            .isEqualTo(expected.digests(level, from, most));
                }
            }
        }
    }

    @Test
    void whatDiffersIsFoundWhereverItLies() throws Exception {
        long size = 3 * GROUP + 777;
        long last = size / BLOCK * BLOCK;
        var one = tree(image("one", size, 1, 0, GROUP, 2 * GROUP + BLOCK, last));
        var same = tree(image("same", size, 1, 0, GROUP, 2 * GROUP + BLOCK, last));
        var other = tree(image("other", size, 2, 0, GROUP, 2 * GROUP + BLOCK, last));

        assertThat(differing(one, same)).isEmpty();
        assertThat(differing(one, other)).containsExactly(0L, GROUP / BLOCK, 2 * GROUP / BLOCK + 1, last / BLOCK);
    }

    @Test
    void nodesThatItDoesNotHaveAreRefused() throws Exception {
        var tree = tree(image("small", 1 << 20, 1, 0));

        assertThatThrownBy(() -> tree.digests(0, 0, 257)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tree.digests(2, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tree.digests(0, -1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
