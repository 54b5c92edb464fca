package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.block.ChangedRuns;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two files compared where they are, and by reading both: both must say the same. */
@Timeout(60)
class SegmentComparisonTest {
    private static final int BLOCK = ChangedRuns.BLOCK_BYTES;
    private static final BlockKernel KERNEL = BlockKernels.best();

    @TempDir
    Path folder;

    @BeforeAll
    static void theLibraryIsHere() {
        assertThat(KERNEL.looksInPlace()).as("built with the native library").isTrue();
    }

    /** A file that counts what is read of it. */
    private record Image(Path file, ByteBuffer bytes, boolean told, AtomicLong readBytes) implements SnapshotReader {
        @Override
        public long sizeBytes() {
            return bytes.capacity();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            readBytes.addAndGet(target.remaining());
            target.put(bytes.slice((int) offsetBytes, target.remaining()));
        }

        @Override
        public Optional<Path> path() {
            return told ? Optional.of(file) : Optional.empty();
        }

        @Override
        public void close() {}
    }

    private Image image(String name, byte[] bytes, boolean told) throws Exception {
        return new Image(Files.write(folder.resolve(name), bytes), ByteBuffer.wrap(bytes), told, new AtomicLong());
    }

    /** What a target has that had the older image and is given all runs. */
    private static byte[] applied(byte[] older, SegmentComparison runs, int newerBytes) throws ProviderException {
        var target = new byte[newerBytes];
        System.arraycopy(older, 0, target, 0, Math.min(older.length, newerBytes));
        for (var run = runs.next(); run.isPresent(); run = runs.next()) {
            var found = run.get();
            var bytes = new byte[(int) found.lengthBytes()];
            if (!found.zero()) {
                found.data().duplicate().get(bytes);
            }
            System.arraycopy(bytes, 0, target, (int) found.offsetBytes(), bytes.length);
        }
        return target;
    }

    private static SegmentComparison comparison(Image older, Image newer, long resumeBytes) {
        return new SegmentComparison(
                RangeAlgebra.whole(newer.sizeBytes()), older, newer, KERNEL, resumeBytes, () -> false);
    }

    private static byte[] bytes(Random random, int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Single bytes, runs, runs of zeros; and longer or shorter than before by anything. */
    private static byte[] changed(byte[] image, Random random) {
        var newer = Arrays.copyOf(image, image.length + random.nextInt(-3 * BLOCK, 3 * BLOCK));
        for (int i = 0; i < 40; i++) {
            int at = random.nextInt(newer.length);
            int length = Math.min(newer.length - at, 1 + random.nextInt(1 << random.nextInt(18)));
            System.arraycopy(random.nextBoolean() ? bytes(random, length) : new byte[length], 0, newer, at, length);
        }
        return newer;
    }

    @Test
    void inPlaceTheSameIsFoundAsByReadingBothAndOnlyWhatDiffersIsRead() throws Exception {
        for (long seed = 0; seed < 12; seed++) {
            var random = new Random(seed);
            var before = bytes(random, 5 * BLOCK + random.nextInt(9 << 20));
            var after = changed(before, random);
            long resume = seed % 2 == 0 ? 0 : random.nextInt(after.length / BLOCK) * (long) BLOCK;
            var older = image("older", before, true);
            var newer = image("newer", after, true);
            ChangedRuns.Counts inPlace;
            try (var runs = comparison(older, newer, resume)) {
                var target = applied(before, runs, after.length);
                assertThat(Arrays.mismatch(target, (int) resume, after.length, after, (int) resume, after.length))
                        .as("seed %d", seed)
                        .isNegative();
                inPlace = runs.counts();
            }
            try (var runs = comparison(image("older", before, false), image("newer", after, false), resume)) {
                applied(before, runs, after.length);
                assertThat(inPlace).as("seed %d", seed).isEqualTo(runs.counts());
            }
            assertThat(older.readBytes()).hasValue(0);
            assertThat(newer.readBytes()).as("seed %d", seed).hasValueLessThanOrEqualTo(inPlace.changedBytes());
        }
    }

    @Test
    void aFileThatLostItsEndIsAnErrorAndNoDifference() throws Exception {
        var random = new Random(3);
        var before = bytes(random, 4 << 20);
        var older = image("older", before, true);
        var newer = image("newer", before.clone(), true);
        try (var cut = new RandomAccessFile(newer.file().toFile(), "rw")) {
            cut.setLength(3 << 20);
        }

        try (var runs = comparison(older, newer, 0)) {
            assertThatThrownBy(() -> applied(before, runs, before.length))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("newer");
        }
    }

    @Test
    void aCancellationEndsWhatReadsNothing() throws Exception {
        var before = bytes(new Random(4), 4 << 20);
        var older = image("older", before, true);
        var newer = image("newer", before.clone(), true);

        try (var runs = new SegmentComparison(RangeAlgebra.whole(before.length), older, newer, KERNEL, 0, () -> true)) {
            assertThatThrownBy(runs::next).isInstanceOf(ProviderException.class).hasMessageContaining("cancelled");
        }
    }
}
