package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every kernel must do with files, however they are read. */
abstract class FileScanContract {
    private static final int LENGTH = 3 * (1 << 20) + 4096 + 100;

    @TempDir
    private Path folder;

    abstract BlockKernel kernel();

    final Path image(String name, byte[] data) throws IOException {
        return Files.write(folder.resolve(name), data);
    }

    static FileReading whole(long lengthBytes, int blockBytes, ReadBy way) {
        return new FileReading(0, List.of(new FileRange(0, lengthBytes)), blockBytes, 3, way);
    }

    private static byte[] halfZero(long seed) {
        var data = BlockKernelContract.random(seed, LENGTH);
        Arrays.fill(data, 70_000, 1_300_000, (byte) 0);
        return data;
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void onePassTellsDigestsDifferencesAndZeros(ReadBy way) throws IOException {
        var data = halfZero(4);
        var file = image("image with space ü%.raw", data);
        for (var algorithm : HashAlgorithm.values()) {
            for (int blockBytes : new int[] {512, 4096, 256 << 10, 4 << 20}) {
                int blocks = (LENGTH + blockBytes - 1) / blockBytes;
                var expected = ByteBuffer.allocateDirect(blocks * algorithm.digestBytes());
                kernel().hashBlocks(BlockKernelContract.direct(data), blockBytes, algorithm, expected);
                var expectedZeros = ByteBuffer.allocateDirect(blocks / 8 + 1);
                long zeros = kernel().zeroBlocks(BlockKernelContract.direct(data), blockBytes, expectedZeros);
                var stored = ByteBuffer.allocateDirect(expected.capacity()).put(expected.duplicate());
                stored.put(0, (byte) ~stored.get(0)).clear();
                var digests = ByteBuffer.allocateDirect(expected.capacity());
                var differing = ByteBuffer.allocateDirect(blocks / 8 + 1);
                var zeroBits = ByteBuffer.allocateDirect(blocks / 8 + 1);
                var control = new ScanControl();

                var counts = kernel().scanFile(
                                new FileScan(
                                        file,
                                        whole(LENGTH, blockBytes, way),
                                        algorithm,
                                        Optional.of(digests),
                                        Optional.of(new FileScan.Stored(stored, differing)),
                                        Optional.of(zeroBits)),
                                control);

                assertThat(counts).isEqualTo(new FileScan.Counts(blocks, 1, zeros));
                assertThat(digests).isEqualTo(expected);
                assertThat(zeroBits).isEqualTo(expectedZeros);
                assertThat(differing.get(0)).isEqualTo((byte) 1);
                assertThat(control.doneBytes()).isEqualTo(LENGTH);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void rangesAreReadAndWhatLiesBetweenIsLeftAlone(ReadBy way) throws IOException {
        var data = BlockKernelContract.random(5, 100 * 512);
        var file = image("image", data);
        var all = ByteBuffer.allocateDirect(100 * 16);
        kernel().hashBlocks(BlockKernelContract.direct(data), 512, HashAlgorithm.XXH3_128, all);
        var part = ByteBuffer.allocateDirect(60 * 16);
        var reading = new FileReading(
                30 * 512, List.of(new FileRange(30 * 512, 20 * 512), new FileRange(60 * 512, 30 * 512)), 512, 2, way);

        var counts =
                kernel().scanFile(FileScan.digests(file, reading, HashAlgorithm.XXH3_128, part), new ScanControl());

        assertThat(counts.blocks()).isEqualTo(50);
        assertThat(part.slice(0, 20 * 16)).isEqualTo(all.slice(30 * 16, 20 * 16));
        assertThat(part.slice(20 * 16, 10 * 16)).isEqualTo(ByteBuffer.allocate(10 * 16));
        assertThat(part.slice(30 * 16, 30 * 16)).isEqualTo(all.slice(60 * 16, 30 * 16));
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void comparisonMarksTheBlocksThatDiffer(ReadBy way) throws IOException {
        for (long seed = 0; seed < 10; seed++) {
            var random = new Random(seed);
            int blockBytes = 512 << random.nextInt(8);
            int length = 1 + random.nextInt(LENGTH);
            var left = BlockKernelContract.random(seed, length);
            var right = left.clone();
            for (int flips = random.nextInt(20); flips > 0; flips--) {
                right[random.nextInt(length)] ^= 4;
            }
            var expected = ByteBuffer.allocateDirect(length / blockBytes / 8 + 1);
            var actual = ByteBuffer.allocateDirect(expected.capacity());
            long want = kernel().diffBlocks(
                            BlockKernelContract.direct(left), BlockKernelContract.direct(right), blockBytes, expected);

            long found = kernel().compareFiles(
                            new FileComparison(
                                    image("left", left), image("right", right), whole(length, blockBytes, way), actual),
                            new ScanControl());

            assertThat(found).as("seed %d", seed).isEqualTo(want);
            assertThat(actual).as("seed %d", seed).isEqualTo(expected);
        }
    }

    private void scan(Path file, long lengthBytes, ReadBy way, ScanControl control) throws IOException {
        var digests = ByteBuffer.allocateDirect((int) (lengthBytes / 512 + 1) * 16);
        kernel().scanFile(
                        FileScan.digests(file, whole(lengthBytes, 512, way), HashAlgorithm.XXH3_128, digests), control);
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void fileThatEndsBeforeARangeIsAnError(ReadBy way) throws IOException {
        var file = image("image", BlockKernelContract.random(6, 4096 + 1));

        assertThatExceptionOfType(HostCallException.class)
                .isThrownBy(() -> scan(file, 4096 + 2, way, new ScanControl()))
                .extracting(HostCallException::errno)
                .isEqualTo(HostCallException.ENODATA);
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void cancelledScanEndsWhateverItsRate(ReadBy way) throws IOException {
        var file = image("image", BlockKernelContract.random(6, LENGTH));
        var control = new ScanControl(1);
        var cancelling = Thread.ofVirtual().start(control::cancel);

        assertThatExceptionOfType(HostCallException.class)
                .isThrownBy(() -> scan(file, LENGTH, way, control))
                .asInstanceOf(type(HostCallException.class))
                .extracting(HostCallException::errno)
                .isEqualTo(HostCallException.ECANCELED);
        assertThat(cancelling).isNotNull();
        assertThat(control.doneBytes()).isLessThan(LENGTH);
    }

    private static long millisSince(long startNanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
    }

    /** At the rate a scan takes 0.16 s and more, less the 50 ms that may be made up for. */
    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void timeInWhichNothingIsReadEarnsNoCredit(ReadBy way) throws Exception {
        var file = image("image", BlockKernelContract.random(6, LENGTH));
        var control = new ScanControl(16 << 20);
        scan(file, LENGTH, way, control);
        Thread.sleep(400);
        long startNanos = System.nanoTime();

        scan(file, LENGTH, way, control);

        assertThat(millisSince(startNanos)).isGreaterThan(80);
    }

    /** One file's bytes take 0.19 s at the rate. */
    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void rateHoldsForBothFilesOfAComparisonTogether(ReadBy way) throws IOException {
        var data = BlockKernelContract.random(6, LENGTH);
        var bits = ByteBuffer.allocateDirect(LENGTH / 512 / 8 + 1);
        var comparison = new FileComparison(image("left", data), image("right", data), whole(LENGTH, 512, way), bits);
        long startNanos = System.nanoTime();

        kernel().compareFiles(comparison, new ScanControl(16 << 20));

        assertThat(millisSince(startNanos)).isGreaterThan(240);
    }

    @ParameterizedTest
    @EnumSource(ReadBy.class)
    void whatIsNoFileIsRefusedByName(ReadBy way) {
        for (var path : List.of(folder, folder.resolve("absent"), Path.of("/dev/null"))) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> scan(path, 4096, way, new ScanControl()))
                    .withMessageContaining(path.toString());
        }
    }

    @Test
    void nothingToReadIsNoBlocks() throws IOException {
        var file = image("image", new byte[0]);
        var reading = new FileReading(0, List.of(), 512, 1, ReadBy.MAPPED);
        var nothing = ByteBuffer.allocateDirect(0);

        var counts =
                kernel().scanFile(FileScan.digests(file, reading, HashAlgorithm.SHA_256, nothing), new ScanControl());

        assertThat(counts).isEqualTo(new FileScan.Counts(0, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({"-512,512,1", "1,512,1", "0,0,1", "512,9223372036854775807,1", "0,512,0", "0,512,257"})
    void badReadingsAreRefused(long offsetBytes, long lengthBytes, int threads) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new FileReading(
                        0, List.of(new FileRange(offsetBytes, lengthBytes)), 512, threads, ReadBy.MAPPED));
    }

    @Test
    void rangesOutOfOrderOrWithUnevenEndsAreRefused() {
        for (var ranges : List.of(
                List.of(new FileRange(512, 512), new FileRange(0, 512)),
                List.of(new FileRange(0, 1024), new FileRange(512, 512)),
                List.of(new FileRange(0, 100), new FileRange(512, 512)))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new FileReading(0, ranges, 512, 1, ReadBy.MAPPED))
                    .withMessageContaining("512");
        }
    }

    @Test
    void outputsThatAreTooSmallReadOnlyOrOnTheHeapAreRefused() {
        var reading = whole(9 * 512, 512, ReadBy.MAPPED);
        var file = Path.of("image");
        for (var bad : List.of(
                ByteBuffer.allocateDirect(1),
                ByteBuffer.allocateDirect(4096).asReadOnlyBuffer(),
                ByteBuffer.allocate(4096))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> FileScan.digests(file, reading, HashAlgorithm.XXH3_128, bad));
            assertThatIllegalArgumentException().isThrownBy(() -> new FileComparison(file, file, reading, bad));
        }
    }
}
