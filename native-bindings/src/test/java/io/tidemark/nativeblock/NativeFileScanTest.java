package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The contract; that both kernels give the same answers; and files that shrink under the virtual machine's feet. */
final class NativeFileScanTest extends FileScanContract {
    private static final int CUT_BYTES = 64 << 20;
    /** A quarter of a second for the whole file. */
    private static final long CUT_RATE_BYTES_PER_SECOND = 256L << 20;

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

    private record Answer(FileScan.Counts counts, ByteBuffer digests, ByteBuffer differing, ByteBuffer zeros) {}

    private static Answer ask(
            BlockKernel kernel, Path file, FileReading reading, HashAlgorithm algorithm, ByteBuffer stored)
            throws IOException {
        int blocks = (int) reading.blockSpan();
        var digests = ByteBuffer.allocateDirect(blocks * algorithm.digestBytes());
        var differing = ByteBuffer.allocateDirect(blocks / 8 + 1);
        var zeros = ByteBuffer.allocateDirect(blocks / 8 + 1);
        var counts = kernel.scanFile(
                new FileScan(
                        file,
                        reading,
                        algorithm,
                        Optional.of(digests),
                        Optional.of(new FileScan.Stored(stored, differing)),
                        Optional.of(zeros)),
                new ScanControl());
        return new Answer(counts, digests, differing, zeros);
    }

    @Test
    void nativeAndJavaKernelsFindTheSameInTheSameFile() throws IOException {
        for (long seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            int blockBytes = 512 << random.nextInt(6);
            var algorithm = HashAlgorithm.ofCode(1 + random.nextInt(2));
            var data = BlockKernelContract.random(seed, 1 + random.nextInt(1_500_000));
            for (int i = 0; i < data.length / 3; i++) {
                data[i] = 0;
            }
            var file = image("image", data);
            int wholeBlocks = data.length / blockBytes;
            int first = wholeBlocks == 0 ? 0 : random.nextInt(wholeBlocks);
            long from = (long) first * blockBytes;
            var reading = new FileReading(
                    from,
                    List.of(new FileRange(from, data.length - from)),
                    blockBytes,
                    1 + random.nextInt(4),
                    ReadBy.ofCode(1 + random.nextInt(4)));
            var stored = ByteBuffer.allocateDirect((int) reading.blockSpan() * algorithm.digestBytes());
            new JavaBlockKernel().scanFile(FileScan.digests(file, reading, algorithm, stored), new ScanControl());
            stored.put(random.nextInt(stored.capacity()), (byte) random.nextInt());

            var expected = ask(new JavaBlockKernel(), file, reading, algorithm, stored);

            assertThat(ask(kernel(), file, reading, algorithm, stored))
                    .as("seed %d", seed)
                    .isEqualTo(expected);
        }
    }

    private static void resize(Path file, long sizeBytes) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            if (sizeBytes < channel.size()) {
                channel.truncate(sizeBytes);
            } else {
                channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
        }
    }

    @Test
    void fileCutWhileItIsMappedFailsTheScanAndNotTheProcess() throws Exception {
        var file = image("image", BlockKernelContract.random(9, CUT_BYTES));
        for (int round = 0; round < 20; round++) {
            // Paced, so that it has not ended when this thread comes to cut the file.
            var control = new ScanControl(CUT_RATE_BYTES_PER_SECOND);
            var digests = ByteBuffer.allocateDirect(CUT_BYTES / 512 * 32);
            var scan = FileScan.digests(file, whole(CUT_BYTES, 512, ReadBy.MAPPED), HashAlgorithm.SHA_256, digests);
            var failure = new Throwable[1];
            var scanning = Thread.ofPlatform()
                    .start(() -> failure[0] = catchThrowable(() -> kernel().scanFile(scan, control)));
            while (control.doneBytes() == 0 && scanning.isAlive()) {
                Thread.onSpinWait();
            }

            resize(file, 4096);
            scanning.join();

            assertThat(failure[0]).isInstanceOf(HostCallException.class);
            assertThat(((HostCallException) failure[0]).errno()).isEqualTo(HostCallException.ENODATA);
            resize(file, CUT_BYTES);
        }
    }

    @Test
    void mappingOfTheVirtualMachineItselfStillFailsAsJavaSays() throws Exception {
        var file = image("image", BlockKernelContract.random(9, 1 << 20));
        var digests = ByteBuffer.allocateDirect((1 << 20) / 512 * 16);
        kernel().scanFile(
                        FileScan.digests(file, whole(1 << 20, 512, ReadBy.MAPPED), HashAlgorithm.XXH3_128, digests),
                        new ScanControl());
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 1 << 20);

            resize(file, 4096);

            assertThatExceptionOfType(InternalError.class).isThrownBy(() -> mapped.get(512 << 10));
        }
    }
}
