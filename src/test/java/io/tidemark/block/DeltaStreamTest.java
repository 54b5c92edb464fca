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

final class DeltaStreamTest {
    private static final BlockKernel KERNEL = new JavaBlockKernel();
    private static final HashAlgorithm XXH3 = HashAlgorithm.XXH3_128;

    private static final byte[] BASE = random(20_000, 1);
    private static final byte[] RESULT = random(21_000, 2);

    private static byte[] random(int length, long seed) {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] file(byte[] base, byte[] result, int blockBytes) throws IOException, BlockException {
        var file = new MemoryImage();
        var older = new MemoryImage(base).leaves(KERNEL, XXH3, blockBytes);
        var image = new MemoryImage(result);
        var newer = image.leaves(KERNEL, XXH3, blockBytes);
        try (var writer = new DeltaWriter(file, KERNEL, XXH3, older.geometry(), newer.geometry())) {
            new DeltaMaker(KERNEL, older, newer, image, writer).make();
        }
        return file.bytes();
    }

    private static byte[] streamed(byte[] file, ImageGeometry base, ImageGeometry result) {
        return ByteBuffer.allocate(file.length + DeltaStart.LENGTH_BYTES)
                .put(DeltaStart.streamed(XXH3, base, result))
                .put(file, DeltaStart.LENGTH_BYTES, file.length - DeltaStart.LENGTH_BYTES)
                .put(file, 0, DeltaStart.LENGTH_BYTES)
                .array();
    }

    private static byte[] streamed(byte[] base, byte[] result, int blockBytes) throws IOException, BlockException {
        return streamed(
                file(base, result, blockBytes),
                new ImageGeometry(base.length, blockBytes),
                new ImageGeometry(result.length, blockBytes));
    }

    private static void check(byte[] delta, byte[] base) throws IOException, BlockException {
        try (var reader = DeltaReader.open(new MemoryImage(delta), KERNEL)) {
            var header = reader.header();
            var leaves = new MemoryImage(base)
                    .leaves(KERNEL, header.algorithm(), header.base().blockBytes());
            DeltaApplication.check(KERNEL, reader, leaves, true);
        }
    }

    @Test
    void streamedDeltaLeadsToTheSameResult() throws Exception {
        var delta = streamed(BASE, RESULT, 512);
        var image = new MemoryImage(BASE);

        check(delta, BASE);
        try (var reader = DeltaReader.open(new MemoryImage(delta), KERNEL)) {
            DeltaApplication.write(reader, image);
        }

        assertThat(image.bytes()).isEqualTo(RESULT);
    }

    @Test
    void streamCutAtAnyByteOrGoingOnIsRefusedInTheCheckingPass() throws Exception {
        var whole = streamed(BASE, RESULT, 4096);
        for (int length = 0; length <= whole.length + 1; length++) {
            if (length != whole.length) {
                var other = Arrays.copyOf(whole, length);
                assertThatThrownBy(() -> check(other, BASE))
                        .as("%d bytes", length)
                        .isInstanceOf(BlockException.class);
            }
        }
    }

    @Test
    void everyFlippedBitOfAStreamIsRefusedInTheCheckingPass() throws Exception {
        var whole = streamed(BASE, RESULT, 4096);
        for (int at = 0; at < whole.length; at++) {
            var flipped = whole.clone();
            flipped[at] ^= (byte) (1 << at % 8);
            assertThatThrownBy(() -> check(flipped, BASE)).as("byte %d", at).isInstanceOf(BlockException.class);
        }
    }

    @Test
    void headersThatContradictEachOtherAreRefused() throws Exception {
        var delta = streamed(
                file(BASE, RESULT, 512),
                new ImageGeometry(BASE.length, 512),
                new ImageGeometry(RESULT.length + 1, 512));

        var thrown = catchThrowableOfType(BlockException.class, () -> check(delta, BASE));

        assertThat(thrown.error().message()).contains("contradict");
    }

    @Test
    void versionOfTheFutureIsNamedWithTheNewestThatIsKnown() throws Exception {
        var delta = streamed(BASE, RESULT, 512);
        ByteBuffer.wrap(delta).putInt(8, 3);
        DeltaFormat.STREAM_HEADER.seal(
                ByteBuffer.wrap(delta, 0, DeltaStart.LENGTH_BYTES).slice());

        var thrown = catchThrowableOfType(BlockException.class, () -> check(delta, BASE));

        assertThat(thrown.error()).isEqualTo(new BlockError.UnknownVersion("memory", "delta", 3, 2));
    }

    @Test
    void lengthOfAFileIsBelievedUpToWhatItsImageCanGive() throws Exception {
        var file = file(BASE, RESULT, 512);
        long most =
                DeltaFormat.maximumStreamBytes(XXH3, new ImageGeometry(RESULT.length, 512)) - DeltaFormat.HEADER_BYTES;

        assertThat(DeltaStart.read(announcing(file, most)).maximumBytes()).isEqualTo(most);
        var thrown = catchThrowableOfType(BlockException.class, () -> DeltaStart.read(announcing(file, most + 1)));

        assertThat(thrown.error().message()).contains("%d bytes".formatted(most + 1));
    }

    private static MemoryImage announcing(byte[] file, long bytes) {
        var forged = file.clone();
        ByteBuffer.wrap(forged).putLong(DeltaFormat.FILE_BYTES_OFFSET, bytes);
        DeltaFormat.HEADER.seal(
                ByteBuffer.wrap(forged, 0, DeltaStart.LENGTH_BYTES).slice());
        return new MemoryImage(forged);
    }

    /** The worst a writer can do: one block a record, or many of them, and nothing to compress. */
    @Test
    void startPromisesAtLeastAsManyBytesAsComeAndNotManyMore() throws Exception {
        for (int blockBytes : new int[] {512, 4096, 1 << 20, 4 << 20}) {
            var base = random(5_000_001, 3);
            var result = random(5_000_001, 4);

            var delta = streamed(base, result, blockBytes);

            long maximumBytes = DeltaStart.read(new MemoryImage(delta)).maximumBytes();
            assertThat(maximumBytes).isBetween((long) delta.length, delta.length * 11L / 10);
        }
    }
}
