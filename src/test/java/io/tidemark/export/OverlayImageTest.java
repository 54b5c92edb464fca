package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OverlayImageTest {
    /** No whole number of blocks. */
    private static final int SIZE = 300_123;

    private static final ExportId ID = new ExportId("ex-1");

    @TempDir
    Path folder;

    private final byte[] original = new byte[SIZE];
    private Path base = Path.of("");

    @BeforeEach
    void makeBase() throws Exception {
        new Random(1).nextBytes(original);
        Arrays.fill(original, 100_000, 160_000, (byte) 0);
        base = Files.write(folder.resolve("base"), original);
    }

    private ExportImage overlay(long bytesMaximum, Optional<HostCalls> host) throws Exception {
        return Overlays.in(folder, bytesMaximum, host).over(FileImage.open(base, false, host), ID);
    }

    private static byte[] read(ExportImage image, int offset, int length) throws Exception {
        var bytes = ByteBuffer.allocate(length);
        image.read(offset, bytes);
        return bytes.array();
    }

    @Test
    void whatIsWrittenIsReadAndTheBaseStays() throws Exception {
        randomlyWritten(Optional.empty());
        randomlyWritten(BlockKernels.hostCalls());

        assertThat(base).hasBinaryContent(original);
    }

    private void randomlyWritten(Optional<HostCalls> host) throws Exception {
        var random = new Random(2);
        byte[] expected = original.clone();
        try (var image = overlay(1 << 20, host)) {
            for (int round = 0; round < 600; round++) {
                int offset = random.nextInt(SIZE);
                int length = 1 + random.nextInt(Math.min(20_000, SIZE - offset));
                if (random.nextInt(3) == 0) {
                    image.writeZeroes(offset, length, random.nextBoolean());
                    Arrays.fill(expected, offset, offset + length, (byte) 0);
                } else {
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    image.write(offset, ByteBuffer.wrap(bytes));
                    System.arraycopy(bytes, 0, expected, offset, length);
                }
                int from = random.nextInt(SIZE);
                int count = random.nextInt(SIZE - from);
                assertThat(read(image, from, count)).isEqualTo(Arrays.copyOfRange(expected, from, from + count));
            }
            assertThat(read(image, 0, SIZE)).isEqualTo(expected);
            extentsTellTheTruth(image, expected);
        }
    }

    private static void extentsTellTheTruth(ExportImage image, byte[] expected) throws Exception {
        int at = 0;
        while (at < SIZE) {
            var extents = image.extents(at, SIZE - at, 3);
            assertThat(extents).hasSizeBetween(1, 3);
            for (var extent : extents) {
                int end = at + Math.toIntExact(extent.lengthBytes());
                assertThat(end).isBetween(at + 1, SIZE);
                if (extent.zero()) {
                    assertThat(Arrays.copyOfRange(expected, at, end)).containsOnly(0);
                }
                at = end;
            }
        }
    }

    @Test
    void aWritePastItsLimitIsRefusedAndChangesNothing() throws Exception {
        try (var image = overlay(8_192, Optional.empty())) {
            image.write(0, ByteBuffer.allocate(8_192));

            assertThatThrownBy(() -> image.write(8_191, ByteBuffer.allocate(2)))
                    .isInstanceOf(OutOfSpaceException.class)
                    .hasMessageContaining("exports.overlayBytesMaximum");
            assertThat(read(image, 8_192, 4_096)).isEqualTo(Arrays.copyOfRange(original, 8_192, 12_288));
            image.write(4_000, ByteBuffer.allocate(200));
            assertThat(image.ownBytes()).isEqualTo(8_192);
        }
    }

    @Test
    void whatIsTrimmedMakesRoom() throws Exception {
        var host = BlockKernels.hostCalls();
        org.junit.jupiter.api.Assumptions.assumeTrue(host.isPresent(), "without the native library nothing is punched");
        try (var image = overlay(8_192, host)) {
            image.write(0, ByteBuffer.wrap(new byte[8_192]));
            image.writeZeroes(0, 8_192, false);

            assertThat(image.ownBytes()).isZero();
            image.write(20_480, ByteBuffer.allocate(8_192));
        }
    }

    @Test
    void nothingOfItIsLeft() throws Exception {
        var left = Files.writeString(folder.resolve("ex-0.overlay"), "of a process that was killed");
        var image = overlay(1 << 20, Optional.empty());

        assertThat(left).doesNotExist();
        assertThat(folder.resolve("ex-1.overlay")).exists();
        image.close();
        assertThat(folder).isDirectoryNotContaining("glob:**.overlay");
    }

    @Test
    void anImageOfFourTebibytesIsReadyAtOnce() throws Exception {
        try (var file = new java.io.RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(4L << 40);
        }
        long start = System.nanoTime();
        try (var image = overlay(1 << 20, BlockKernels.hostCalls())) {
            assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
            image.writeZeroes(0, 4L << 40, false);
            image.write((4L << 40) - 3, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            assertThat(image.extents(0, 4L << 40, 10)).hasSize(2);
            assertThat(image.ownBytes()).isEqualTo(4_096);
        }
    }

    @Test
    void trimsAllOverTakeNoMoreMemoryThanThereIsForAllOverlays() throws Exception {
        try (var file = new java.io.RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(8L << 30);
        }
        var memory = new SetMemory(3L * BlockSet.CHUNK_BYTES);
        var means = new OverlayMeans(1 << 20, () -> Long.MAX_VALUE, memory, BlockSet::new, Optional.empty());
        var other = OverlayImage.over(FileImage.open(base, false, Optional.empty()), folder.resolve("other"), means);
        try (var image =
                OverlayImage.over(FileImage.open(base, false, Optional.empty()), folder.resolve("overlay"), means)) {
            other.writeZeroes(4_096, 4_096, false);
            image.writeZeroes(4_096, 4_096, false);

            assertThatThrownBy(() -> image.write(0, ByteBuffer.allocate(8_192)))
                    .isInstanceOf(OutOfSpaceException.class)
                    .hasMessageContaining("98304 bytes of heap");
            assertThat(read(image, 0, 4_096)).isEqualTo(Arrays.copyOf(original, 4_096));
            other.close();
            image.write(0, ByteBuffer.allocate(8_192));
        }
        assertThat(memory.takenBytes()).isZero();
    }

    @Test
    void aWriteThatWouldFillTheFileSystemIsRefused() throws Exception {
        var usable = new AtomicLong(OverlayMeans.FREE_BYTES_MINIMUM + 8_192);
        var memory = new SetMemory(SetMemory.BYTES_MAXIMUM);
        var means = new OverlayMeans(1 << 20, usable::get, memory, BlockSet::new, Optional.empty());
        try (var image =
                OverlayImage.over(FileImage.open(base, false, Optional.empty()), folder.resolve("overlay"), means)) {
            image.write(0, ByteBuffer.allocate(8_192));
            usable.addAndGet(-8_192);

            assertThatThrownBy(() -> image.write(8_192, ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfSpaceException.class)
                    .hasMessageContaining("536870912 bytes are free");
            assertThat(read(image, 8_192, 4_096)).isEqualTo(Arrays.copyOfRange(original, 8_192, 12_288));
            image.write(1, ByteBuffer.allocate(8_000));
        }
    }

    @Test
    void aSecondOverlayOfTheNameIsRefusedAndLeavesTheFirstAlone() throws Exception {
        var overlays = Overlays.in(folder, 1 << 20, Optional.empty());
        try (var image = overlays.over(FileImage.open(base, false, Optional.empty()), ID)) {
            assertThatThrownBy(() -> overlays.over(FileImage.open(base, false, Optional.empty()), ID))
                    .isInstanceOf(FileAlreadyExistsException.class);

            assertThat(folder.resolve("ex-1.overlay")).exists();
            image.write(0, ByteBuffer.allocate(1));
        }
    }

    @Test
    void anExportThatIsOpenIsNotOpenedAgain() throws Exception {
        try (var server = new TestServer(folder, base, true, 1 << 20).with(Export.Access.OVERLAY)) {
            var first = server.exports.served(TestServer.OVERLAY.value());

            assertThat(server.with(Export.Access.OVERLAY).exports.served(TestServer.OVERLAY.value()))
                    .isEqualTo(first);
        }
    }

    @Test
    void anEndGoesOnWhereWhoWaitsForItIsInterrupted() throws Exception {
        var export = new Export(ID, "file:disk@rp-1", Export.Access.OVERLAY, Instant.EPOCH);
        var served = new ServedExport(export, overlay(1 << 20, Optional.empty()));

        served.end(() -> {});
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> served.awaitEnd(Long.MAX_VALUE)).isInstanceOf(InterruptedException.class);

        assertThat(served.awaitEnd(10_000_000_000L)).isTrue();
        assertThat(folder).isDirectoryNotContaining("glob:**.overlay");
    }
}
