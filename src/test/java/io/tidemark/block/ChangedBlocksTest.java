package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.spi.BlockRange;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChangedBlocksTest {
    private static final int BLOCK = ChangedRuns.BLOCK_BYTES;
    private static final JavaBlockKernel KERNEL = new JavaBlockKernel();

    private static byte[] image(Random random, int size) {
        byte[] bytes = new byte[size];
        for (int at = 0; at < size; at += BLOCK) {
            if (random.nextBoolean()) {
                Arrays.fill(bytes, at, Math.min(size, at + BLOCK), (byte) random.nextInt(3));
            }
        }
        return bytes;
    }

    /** Applies the runs and checks their order; answers how many bytes they name. */
    private static long apply(ChangedRuns runs, byte[] onto) throws Exception {
        long end = -1;
        long changed = 0;
        for (var run = runs.next(); run.isPresent(); run = runs.next()) {
            assertThat(run.get().offsetBytes()).isGreaterThanOrEqualTo(end);
            end = run.get().endBytes();
            changed += run.get().lengthBytes();
            int offset = (int) run.get().offsetBytes();
            if (run.get().zero()) {
                Arrays.fill(onto, offset, (int) end, (byte) 0);
            } else {
                assertThat(run.get().lengthBytes()).isLessThanOrEqualTo(ChangedRuns.RUN_BYTES_MAXIMUM);
                run.get().data().get(onto, offset, (int) run.get().lengthBytes());
            }
        }
        return changed;
    }

    private static long trulyChanged(byte[] older, byte[] newer) {
        long changed = 0;
        for (int at = 0; at < newer.length; at += BLOCK) {
            int end = Math.min(newer.length, at + BLOCK);
            changed += Arrays.equals(older, at, end, newer, at, end) ? 0 : end - at;
        }
        return changed;
    }

    @Test
    void exactlyTheBlocksThatChangedAreTold() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            int size = (1 + random.nextInt(700)) * 512 * (1 + random.nextInt(6));
            byte[] older = image(random, size);
            byte[] newer = older.clone();
            for (int write = random.nextInt(40); write > 0; write--) {
                int at = random.nextInt(size);
                Arrays.fill(newer, at, Math.min(size, at + random.nextInt(3 * BLOCK)), (byte) random.nextInt(2));
            }
            var whole = GivenRanges.of(List.of(new BlockRange(0, size)));

            try (var runs = new ChangedBlocks(whole, new MemorySnapshot(older), new MemorySnapshot(newer), KERNEL, 0)) {
                long truly = trulyChanged(older, newer);
                assertThat(apply(runs, older)).as("seed %d", seed).isEqualTo(truly);
                assertThat(runs.counts().changedBytes()).isEqualTo(truly);
                assertThat(older).as("seed %d", seed).isEqualTo(newer);
            }
        }
    }

    @Test
    void rangesThatShareABlockTellItOnce() throws Exception {
        byte[] older = new byte[4 * BLOCK];
        byte[] newer = new byte[4 * BLOCK];
        Arrays.fill(newer, 100, 9_000, (byte) 1);
        var fine =
                GivenRanges.of(List.of(new BlockRange(0, 512), new BlockRange(1024, 512), new BlockRange(4000, 5_100)));

        try (var runs = new ChangedBlocks(fine, new MemorySnapshot(older), new MemorySnapshot(newer), KERNEL, 0)) {
            assertThat(apply(runs, older)).isEqualTo(3 * BLOCK);
            assertThat(runs.counts().namedBytes()).isEqualTo(3 * BLOCK);
        }
        assertThat(older).isEqualTo(newer);
    }

    @Test
    void whatLiesPastTheOlderEndIsChangedZerosToo() throws Exception {
        byte[] older = new byte[3 * BLOCK + 512];
        byte[] newer = new byte[6 * BLOCK];
        var whole = GivenRanges.of(List.of(new BlockRange(0, newer.length)));

        try (var runs = new ChangedBlocks(whole, new MemorySnapshot(older), new MemorySnapshot(newer), KERNEL, 0)) {
            var run = runs.next().orElseThrow();
            assertThat(run.zero()).isTrue();
            assertThat(run.offsetBytes()).isEqualTo(3 * BLOCK);
            assertThat(run.lengthBytes()).isEqualTo(3 * BLOCK);
            assertThat(runs.next()).isEmpty();
        }
    }

    @Test
    void aResumedReadGoesOnWhereItStopped() throws Exception {
        var random = new Random(9);
        byte[] older = image(random, 300 * BLOCK);
        byte[] newer = image(random, 300 * BLOCK);
        byte[] half = older.clone();
        System.arraycopy(newer, 0, half, 0, 120 * BLOCK);
        var whole = GivenRanges.of(List.of(new BlockRange(0, newer.length)));

        try (var runs =
                new ChangedBlocks(whole, new MemorySnapshot(older), new MemorySnapshot(newer), KERNEL, 120 * BLOCK)) {
            apply(runs, half);
        }

        assertThat(half).isEqualTo(newer);
    }

    @Test
    void digestsTellTheSameBlocksAsTheBytesDo() throws Exception {
        for (long seed = 0; seed < 30; seed++) {
            var random = new Random(seed);
            int size = 512 * (1 + random.nextInt(9_000));
            byte[] other = random.nextInt(5) == 0 ? new byte[size] : image(random, size);
            byte[] newer = image(random, size);
            int blocks = (size + BLOCK - 1) / BLOCK;
            var data = ByteBuffer.allocateDirect(size).put(other).flip();
            var digests = ByteBuffer.allocateDirect(blocks * 16);
            KERNEL.hashBlocks(data, BLOCK, HashAlgorithm.XXH3_128, digests);
            boolean zeros = Arrays.equals(other, new byte[size]);
            var span = new ChangedBlocksByDigest.SpanDigests(0, size, zeros ? null : digests.clear());

            try (var runs = new ChangedBlocksByDigest(new MemorySnapshot(newer), holesOf(newer), KERNEL)) {
                runs.begin(span);
                long truly = trulyChanged(other, newer);
                assertThat(apply(runs, other)).as("seed %d", seed).isEqualTo(truly);
            }
            assertThat(other).as("seed %d", seed).isEqualTo(newer);
        }
    }

    /** Half of the images: those that begin with a hole say so. */
    private static DataPlaces holesOf(byte[] image) {
        return image[0] != 0
                ? DataPlaces.EVERYWHERE
                : from -> {
                    for (int at = Math.toIntExact(from); at < image.length; at++) {
                        if (image[at] != 0) {
                            return at;
                        }
                    }
                    return Long.MAX_VALUE;
                };
    }
}
