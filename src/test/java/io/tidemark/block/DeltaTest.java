package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class DeltaTest {
    private static final BlockKernel KERNEL = new JavaBlockKernel();
    private static final HashAlgorithm XXH3 = HashAlgorithm.XXH3_128;

    /** Two random images, the second made from the first by writes, zeroed ranges and a change of size. */
    private static final class Pair {
        private final byte[] base;
        private final byte[] result;
        private final HashAlgorithm algorithm;
        private final int blockBytes;

        Pair(byte[] base, byte[] result, HashAlgorithm algorithm, int blockBytes) {
            this.base = base;
            this.result = result;
            this.algorithm = algorithm;
            this.blockBytes = blockBytes;
        }

        static Pair of(long seed) {
            var random = new Random(seed);
            var base = new byte[random.nextInt(300_000)];
            random.nextBytes(base);
            Arrays.fill(base, base.length / 2, base.length / 2 + base.length / 8, (byte) 0);
            int size = random.nextInt(3) == 0 ? random.nextInt(400_000) : base.length;
            var result = Arrays.copyOf(base, size);
            for (int change = random.nextInt(12); change > 0 && size > 0; change--) {
                int from = random.nextInt(size);
                int to = from + random.nextInt(Math.min(size - from, 70_000) + 1);
                if (random.nextInt(3) == 0) {
                    Arrays.fill(result, from, to, (byte) 0);
                } else if (random.nextInt(3) == 0) {
                    Arrays.fill(result, from, to, (byte) random.nextInt());
                } else {
                    for (int at = from; at < to; at++) {
                        result[at] = (byte) random.nextInt();
                    }
                }
            }
            return new Pair(
                    base, result, random.nextBoolean() ? XXH3 : HashAlgorithm.SHA_256, 512 << random.nextInt(5));
        }

        MemoryImage delta() throws IOException, BlockException {
            return DeltaTest.delta(new MemoryImage(base), new MemoryImage(result), algorithm, blockBytes);
        }
    }

    private static MemoryImage delta(MemoryImage base, MemoryImage result, HashAlgorithm algorithm, int blockBytes)
            throws IOException, BlockException {
        var file = new MemoryImage();
        var older = base.leaves(KERNEL, algorithm, blockBytes);
        var newer = result.leaves(KERNEL, algorithm, blockBytes);
        try (var writer = new DeltaWriter(file, KERNEL, algorithm, older.geometry(), newer.geometry())) {
            new DeltaMaker(KERNEL, older, newer, result, writer).make();
        }
        return file;
    }

    private static DeltaApplication.Check check(MemoryImage delta, MemoryImage image, boolean forced)
            throws IOException, BlockException {
        try (var reader = DeltaReader.open(delta, KERNEL)) {
            var header = reader.header();
            DeltaApplication.bytesToHash(header, "memory", image.sizeBytes(), false, forced);
            var leaves = image.leaves(KERNEL, header.algorithm(), header.base().blockBytes());
            return DeltaApplication.check(KERNEL, reader, leaves, forced);
        }
    }

    private static void write(MemoryImage delta, MemoryImage image) throws IOException, BlockException {
        try (var reader = DeltaReader.open(delta, KERNEL)) {
            DeltaApplication.write(reader, image);
        }
    }

    @Test
    void deltaLeadsFromItsBaseToItsResult() throws Exception {
        for (long seed = 0; seed < 150; seed++) {
            var pair = Pair.of(seed);
            var delta = pair.delta();
            var image = new MemoryImage(pair.base);

            var found = check(delta, image, false);
            write(delta, image);

            assertThat(found.state())
                    .as("seed %d", seed)
                    .isEqualTo(
                            Arrays.equals(pair.base, pair.result)
                                    ? DeltaApplication.State.APPLIED
                                    : DeltaApplication.State.BASE);
            assertThat(found.resultMatches()).isTrue();
            assertThat(image.bytes()).as("seed %d", seed).isEqualTo(pair.result);
            assertThat(check(delta, image, false).state())
                    .as("seed %d", seed)
                    .isEqualTo(DeltaApplication.State.APPLIED);
        }
    }

    @Test
    void applicationThatWasKilledAnywhereIsFinishedByRunningItAgain() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            var pair = Pair.of(seed);
            var delta = pair.delta();
            boolean finished = false;
            for (int writes = 0; !finished; writes++) {
                var image = new MemoryImage(pair.base).killedAfter(writes);
                finished = true;
                try {
                    write(delta, image);
                } catch (MemoryImage.Killed killed) {
                    finished = false;
                }
                var restarted = new MemoryImage(image.bytes());

                assertThat(check(delta, restarted, false).resultMatches())
                        .as("seed %d after %d writes", seed, writes)
                        .isTrue();
                write(delta, restarted);

                assertThat(restarted.bytes())
                        .as("seed %d after %d writes", seed, writes)
                        .isEqualTo(pair.result);
            }
        }
    }

    @Test
    void imageThatIsNotTheBaseIsRefusedWhereverItDiffers() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            var pair = Pair.of(seed);
            if (pair.base.length == 0 || Arrays.equals(pair.base, pair.result)) {
                continue;
            }
            var delta = pair.delta();
            var other = pair.base.clone();
            int at = new Random(seed).nextInt(other.length);
            other[at] ^= 0x40;
            boolean inBlockThatIsCut = at >= pair.result.length - pair.result.length % pair.blockBytes
                    && pair.result.length < pair.base.length
                    && at < Math.ceilDiv(pair.result.length, pair.blockBytes) * pair.blockBytes;
            if (Arrays.equals(other, pair.result) || inBlockThatIsCut) {
                continue;
            }

            var thrown = catchThrowableOfType(BlockException.class, () -> check(delta, new MemoryImage(other), false));

            assertThat(thrown).as("seed %d", seed).isNotNull();
            assertThat(thrown.error()).isInstanceOfAny(BlockError.NotTheBase.class, BlockError.StrangeBlocks.class);
            assertThat(check(delta, new MemoryImage(other), true).state()).isEqualTo(DeltaApplication.State.OTHER);
        }
    }

    @Test
    void imageOfAnotherSizeIsRefused() throws Exception {
        var delta = delta(new MemoryImage(new byte[9_000]), new MemoryImage(new byte[12_000]), XXH3, 4096);

        var thrown = catchThrowableOfType(
                BlockException.class, () -> check(delta, new MemoryImage(new byte[10_000]), false));

        assertThat(thrown.error()).isEqualTo(new BlockError.WrongSize("memory", 10_000, 9_000, 12_000));
    }

    @Test
    void deviceMustHoldBaseAndResultAndMayBeLarger() throws Exception {
        var delta = delta(new MemoryImage(new byte[8_192]), new MemoryImage(new byte[16_384]), XXH3, 4096);
        try (var reader = DeltaReader.open(delta, KERNEL)) {
            assertThat(DeltaApplication.bytesToHash(reader.header(), "device", 1 << 20, true, false))
                    .isEqualTo(8_192);
            assertThatThrownBy(() -> DeltaApplication.bytesToHash(reader.header(), "device", 12_288, true, true))
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void deltaCutAtAnyByteIsRefusedInTheCheckingPass() throws Exception {
        var pair = smallPair();
        var whole = pair.delta().bytes();

        for (int length = 0; length < whole.length; length++) {
            var cut = new MemoryImage(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> check(cut, new MemoryImage(pair.base), true))
                    .as("cut to %d", length)
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void everyFlippedBitIsRefusedInTheCheckingPass() throws Exception {
        var pair = smallPair();
        var whole = pair.delta().bytes();

        for (int at = 0; at < whole.length; at++) {
            var flipped = whole.clone();
            flipped[at] ^= (byte) (1 << at % 8);
            assertThatThrownBy(() -> check(new MemoryImage(flipped), new MemoryImage(pair.base), true))
                    .as("byte %d", at)
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void recordWithATrueChecksumAndFalseLengthsIsRefused() throws Exception {
        var pair = smallPair();
        var whole = pair.delta().bytes();
        for (int field = 0; field < 60; field += 4) {
            for (int value : new int[] {0, -1, 7, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 24}) {
                var bytes = whole.clone();
                ByteBuffer.wrap(bytes).putInt(160 + field, value);
                if (Arrays.equals(bytes, whole)) {
                    continue;
                }
                assertThatThrownBy(() -> check(new MemoryImage(bytes), new MemoryImage(pair.base), true))
                        .as("field %d value %d", field, value)
                        .isInstanceOf(BlockException.class);
            }
        }
    }

    @Test
    void bytesAfterTheTrailerAreRefused() throws Exception {
        var pair = smallPair();
        var whole = pair.delta().bytes();

        assertThatThrownBy(() -> check(
                        new MemoryImage(Arrays.copyOf(whole, whole.length + 1)), new MemoryImage(pair.base), true))
                .isInstanceOf(BlockException.class);
    }

    @Test
    void zeroedBlocksTakeNoPayload() throws Exception {
        var base = new byte[4 << 20];
        new Random(1).nextBytes(base);

        var delta = delta(new MemoryImage(base), new MemoryImage(new byte[4 << 20]), XXH3, 4096);

        assertThat(delta.sizeBytes()).isLessThan(1024 * 16 + 1_000);
    }

    @Test
    void longRunsAreCompressedWhereThatShrinksThem() throws Exception {
        var text = new byte[1 << 20];
        Arrays.fill(text, (byte) 'a');
        var noise = new byte[1 << 20];
        new Random(1).nextBytes(noise);
        var zeros = new MemoryImage(new byte[1 << 20]);

        assertThat(delta(zeros, new MemoryImage(text), XXH3, 4096).sizeBytes()).isLessThan(10_000);
        assertThat(delta(zeros, new MemoryImage(noise), XXH3, 4096).sizeBytes())
                .isBetween(1L << 20, (1L << 20) * 101 / 100);
    }

    @Test
    void imageWrittenBetweenHashingAndReadingIsFoundOut() throws Exception {
        var base = new MemoryImage(new byte[100_000]);
        var before = new byte[100_000];
        before[50_000] = 1;
        var after = before.clone();
        after[50_001] = 1;
        var leaves = new MemoryImage(before).leaves(KERNEL, XXH3, 4096);
        try (var writer = new DeltaWriter(new MemoryImage(), KERNEL, XXH3, leaves.geometry(), leaves.geometry())) {
            var maker = new DeltaMaker(KERNEL, base.leaves(KERNEL, XXH3, 4096), leaves, new MemoryImage(after), writer);

            var thrown = catchThrowableOfType(BlockException.class, maker::make);

            assertThat(thrown.error()).isEqualTo(new BlockError.ImageChanged("memory", 49_152));
        }
    }

    @Test
    void digestsOfAnotherAlgorithmOrBlockSizeAreNotCompared() {
        var image = new MemoryImage(new byte[100_000]);

        assertThatThrownBy(() -> delta(image, image, XXH3, 3_000)).isInstanceOf(IllegalArgumentException.class);
        for (var other :
                new LeafDigests[] {image.leaves(KERNEL, HashAlgorithm.SHA_256, 4096), image.leaves(KERNEL, XXH3, 8192)
                }) {
            assertThatThrownBy(() -> LeafComparison.run(KERNEL, image.leaves(KERNEL, XXH3, 4096), other, 10))
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    void comparisonMergesNeighboursAndCountsTheTailOfTheLongerImage() throws Exception {
        var left = new byte[10 * 512];
        var right = new byte[12 * 512 + 7];
        right[512] = 1;
        right[1024] = 1;
        right[5 * 512] = 1;

        var found = LeafComparison.run(
                KERNEL,
                new MemoryImage(left).leaves(KERNEL, XXH3, 512),
                new MemoryImage(right).leaves(KERNEL, XXH3, 512),
                10);

        assertThat(found.differingBlocks()).isEqualTo(6);
        assertThat(found.firstRanges())
                .containsExactly(
                        new BlockRange(512, 1024), new BlockRange(5 * 512, 512), new BlockRange(10 * 512, 2 * 512 + 7));
        assertThat(found.leftRoot()).isNotEqualTo(found.rightRoot());
    }

    private static Pair smallPair() {
        var base = new byte[5_000];
        new Random(5).nextBytes(base);
        var result = Arrays.copyOf(base, 6_000);
        result[700] ^= 1;
        result[3_000] ^= 1;
        Arrays.fill(result, 1_024, 2_048, (byte) 0);
        return new Pair(base, result, XXH3, 512);
    }
}
