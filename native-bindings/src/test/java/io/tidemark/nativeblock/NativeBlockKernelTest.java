package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract, and that native and Java kernels give the same answers to the same random questions. */
final class NativeBlockKernelTest extends BlockKernelContract {
    private static final int CASES = 400;
    private static final int LENGTH_MAX = 40_000;

    private final BlockKernel java = new JavaBlockKernel();

    @BeforeEach
    void needsTheLibrary() {
        assumeTrue(
                BlockKernels.unavailableReason().isEmpty(),
                () -> "no native library: " + BlockKernels.unavailableReason().orElse(""));
    }

    @Override
    BlockKernel kernel() {
        return BlockKernels.best();
    }

    @Test
    void bestKernelIsTheNativeOneWhereItLoads() {
        assertThat(kernel().name()).isEqualTo("native");
    }

    @Test
    void nativeAndJavaKernelsMarkTheSameDifferingBlocks() {
        for (long seed = 0; seed < CASES; seed++) {
            var random = new Random(seed);
            var length = random.nextInt(LENGTH_MAX);
            var blockBytes = 512 << random.nextInt(6);
            var left = unaligned(random, length);
            var right = unaligned(random, length);
            right.duplicate().put(left.duplicate());
            for (int flips = random.nextInt(8); flips > 0 && length > 0; flips--) {
                var at = right.position() + random.nextInt(length);
                right.put(at, (byte) (right.get(at) ^ 1 << random.nextInt(8)));
            }
            var expected = ByteBuffer.allocateDirect(length / blockBytes / 8 + 1);
            var actual = ByteBuffer.allocateDirect(expected.capacity());

            var want = java.diffBlocks(left, right, blockBytes, expected);

            assertThat(kernel().diffBlocks(left, right, blockBytes, actual))
                    .as("seed %d", seed)
                    .isEqualTo(want);
            assertThat(actual).as("seed %d", seed).isEqualTo(expected);
        }
    }

    @Test
    void nativeAndJavaKernelsMarkTheSameZeroBlocks() {
        for (long seed = 0; seed < CASES; seed++) {
            var random = new Random(seed);
            var length = random.nextInt(LENGTH_MAX);
            var blockBytes = 512 << random.nextInt(6);
            var data = unaligned(random, length);
            for (int at = data.position(); at < data.limit(); at++) {
                data.put(at, (byte) 0);
            }
            for (int marks = random.nextInt(8); marks > 0 && length > 0; marks--) {
                data.put(data.position() + random.nextInt(length), (byte) (1 + random.nextInt(255)));
            }
            var expected = ByteBuffer.allocateDirect(length / blockBytes / 8 + 1);
            var actual = ByteBuffer.allocateDirect(expected.capacity());

            var want = java.zeroBlocks(data, blockBytes, expected);

            assertThat(kernel().zeroBlocks(data, blockBytes, actual))
                    .as("seed %d", seed)
                    .isEqualTo(want);
            assertThat(actual).as("seed %d", seed).isEqualTo(expected);
        }
    }

    @Test
    void nativeAndJavaKernelsGiveTheSameDigests() {
        for (long seed = 0; seed < CASES; seed++) {
            assertSameDigests(seed, new Random(seed).nextInt(LENGTH_MAX), 512 << (seed % 6));
        }
    }

    /** Every length through all of XXH3's paths, each as a short last block, at every alignment that follows. */
    @Test
    void shortBlocksOfEveryLengthHaveTheSameDigests() {
        for (int length = 1; length <= 1100; length++) {
            assertSameDigests(length, length, 2048);
        }
    }

    private void assertSameDigests(long seed, int length, int blockBytes) {
        var data = unaligned(new Random(seed), length);
        for (var algorithm : HashAlgorithm.values()) {
            var expected = ByteBuffer.allocateDirect((length / blockBytes + 1) * algorithm.digestBytes());
            var actual = ByteBuffer.allocateDirect(expected.capacity());

            var want = java.hashBlocks(data, blockBytes, algorithm, expected);

            assertThat(kernel().hashBlocks(data, blockBytes, algorithm, actual))
                    .as("seed %d %s", seed, algorithm)
                    .isEqualTo(want);
            assertThat(actual).as("seed %d %s", seed, algorithm).isEqualTo(expected);
        }
    }

    /** Random bytes that start at a random address, so that vector loads see every alignment. */
    private static ByteBuffer unaligned(Random random, int length) {
        var start = random.nextInt(64);
        var bytes = new byte[length];
        random.nextBytes(bytes);
        var buffer = ByteBuffer.allocateDirect(length + 64).position(start).limit(start + length);
        buffer.duplicate().put(bytes);
        return buffer;
    }

    @Test
    void libraryOfAnotherMachineOrNoneAtAllIsALinkError(@TempDir Path folder) throws IOException {
        var noLibrary = Files.writeString(folder.resolve("libtidemark_block.so"), "not an ELF file");

        assertThatExceptionOfType(UnsatisfiedLinkError.class).isThrownBy(() -> NativeBlockKernel.load(noLibrary));
        assertThatExceptionOfType(UnsatisfiedLinkError.class)
                .isThrownBy(() -> NativeBlockKernel.load(folder.resolve("absent.so")));
    }
}
