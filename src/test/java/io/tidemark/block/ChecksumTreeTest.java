package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ChecksumTreeTest {
    private static final BlockKernel KERNEL = new JavaBlockKernel();

    private static ByteBuffer leaves(HashAlgorithm algorithm, int count, long seed) {
        var bytes = new byte[count * algorithm.digestBytes()];
        new Random(seed).nextBytes(bytes);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    @Test
    void imageWithoutBlocksHasOneEmptyLevelAndARootOfZeros() {
        var tree = ChecksumTree.of(KERNEL, HashAlgorithm.XXH3_128, ByteBuffer.allocateDirect(0));

        assertThat(tree.levels()).isEqualTo(1);
        assertThat(tree.count(0)).isZero();
        assertThat(tree.root()).isEqualTo(Digest.ofNothing(HashAlgorithm.XXH3_128));
    }

    @Test
    void singleBlockIsItsOwnRoot() {
        var leaf = leaves(HashAlgorithm.SHA_256, 1, 1);

        var tree = ChecksumTree.of(KERNEL, HashAlgorithm.SHA_256, leaf.duplicate());

        assertThat(tree.levels()).isEqualTo(1);
        assertThat(tree.root()).isEqualTo(Digest.take(HashAlgorithm.SHA_256, leaf));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 255, 256, 257, 65_535, 65_536, 65_537, 70_001})
    void everyParentIsTheDigestOfItsChildren(int leafCount) {
        var tree =
                ChecksumTree.of(KERNEL, HashAlgorithm.XXH3_128, leaves(HashAlgorithm.XXH3_128, leafCount, leafCount));

        assertThat(tree.levels()).isEqualTo(ChecksumTree.levels(leafCount));
        assertThat(tree.count(tree.levels() - 1)).isEqualTo(1);
        var digest = ByteBuffer.allocateDirect(16);
        for (int level = 1; level < tree.levels(); level++) {
            assertThat(tree.count(level)).isEqualTo(ChecksumTree.count(leafCount, level));
            for (long node = 0; node < tree.count(level); node++) {
                int children = (int) Math.min(256, tree.count(level - 1) - node * 256);
                var group = ByteBuffer.allocateDirect(children * 16);
                group.put(tree.digests(level - 1, node * 256, children)).flip();
                KERNEL.hashBlocks(group, 4096, HashAlgorithm.XXH3_128, digest);
                assertThat(tree.digests(level, node, 1))
                        .as("level %d node %d", level, node)
                        .isEqualTo(digest);
            }
        }
    }

    private static ByteBuffer onHeap(ByteBuffer bytes) {
        return ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
    }

    @ParameterizedTest
    @EnumSource
    void treeDoesNotDependOnHowLeavesArrive(HashAlgorithm algorithm) {
        var random = new Random(7);
        for (int round = 0; round < 20; round++) {
            int leafCount = random.nextInt(3_000);
            var all = leaves(algorithm, leafCount, round);
            var builder = ChecksumTree.builder(KERNEL, algorithm);
            for (int at = 0; at < leafCount; ) {
                int taken = Math.min(leafCount - at, random.nextInt(700));
                var piece = all.slice(at * algorithm.digestBytes(), taken * algorithm.digestBytes());
                builder.append(random.nextBoolean() ? piece : onHeap(piece));
                at += taken;
            }

            var pieces = builder.build();

            assertThat(pieces.root())
                    .as("round %d", round)
                    .isEqualTo(ChecksumTree.of(KERNEL, algorithm, all).root());
        }
    }

    @Test
    void comparisonFindsExactlyTheBlocksThatDiffer() {
        for (long seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            int leafCount = 1 + random.nextInt(seed % 10 == 0 ? 140_000 : 2_000);
            var left = leaves(HashAlgorithm.XXH3_128, leafCount, seed);
            var right = ByteBuffer.allocateDirect(left.remaining())
                    .put(left.duplicate())
                    .flip();
            var expected = new BitSet();
            for (int change = random.nextInt(40); change > 0; change--) {
                int first = random.nextInt(leafCount);
                int run = 1 + random.nextInt(Math.min(leafCount - first, 300));
                for (int block = first; block < first + run && !expected.get(block); block++) {
                    int at = block * 16 + random.nextInt(16);
                    right.put(at, (byte) ~right.get(at));
                    expected.set(block);
                }
            }

            var actual = new BitSet();
            var last = new AtomicLong(-1);
            new TreeComparison<>(tree(left), tree(right)).run((first, count) -> {
                assertThat(first).isGreaterThan(last.get());
                last.set(first + count - 1);
                actual.set((int) first, (int) first + count);
            });

            assertThat(actual).as("seed %d", seed).isEqualTo(expected);
        }
    }

    @Test
    void comparisonFetchesOnlyUnderNodesThatDiffer() {
        var left = leaves(HashAlgorithm.XXH3_128, 200_000, 1);
        var right = ByteBuffer.allocateDirect(left.remaining())
                .put(left.duplicate())
                .flip();
        right.put(150_000 * 16, (byte) ~right.get(150_000 * 16));
        var counted = new Counted(tree(right));

        new TreeComparison<>(tree(left), counted).run((first, count) -> {});

        // The root, the 4 under it, the 256 under one of those, the 256 leaves under one of those.
        assertThat(counted.fetched).isEqualTo(1 + 4 + 256 + 256);
    }

    @Test
    void treesOfDifferentShapeOrAlgorithmAreNotCompared() {
        var two = tree(leaves(HashAlgorithm.XXH3_128, 2, 1));
        var three = tree(leaves(HashAlgorithm.XXH3_128, 3, 1));
        var other = ChecksumTree.of(KERNEL, HashAlgorithm.SHA_256, leaves(HashAlgorithm.SHA_256, 2, 1));

        assertThatThrownBy(() -> new TreeComparison<>(two, three)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TreeComparison<>(two, other)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void digestsThatAreNotThereAreRefused() {
        var tree = tree(leaves(HashAlgorithm.XXH3_128, 300, 1));

        assertThatThrownBy(() -> tree.digests(0, 299, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tree.digests(3, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tree.digests(0, -1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static ChecksumTree tree(ByteBuffer leaves) {
        return ChecksumTree.of(KERNEL, HashAlgorithm.XXH3_128, leaves.duplicate());
    }

    private static final class Counted implements DigestLevels<RuntimeException> {
        private final ChecksumTree tree;
        private long fetched;

        Counted(ChecksumTree tree) {
            this.tree = tree;
        }

        @Override
        public HashAlgorithm algorithm() {
            return tree.algorithm();
        }

        @Override
        public int levels() {
            return tree.levels();
        }

        @Override
        public long count(int level) {
            return tree.count(level);
        }

        @Override
        public ByteBuffer digests(int level, long from, int count) {
            fetched += count;
            return tree.digests(level, from, count);
        }
    }
}
