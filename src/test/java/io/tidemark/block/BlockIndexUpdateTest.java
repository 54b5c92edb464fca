package io.tidemark.block;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BlockIndexUpdateTest {
    private static final BlockKernel KERNEL = new JavaBlockKernel();
    private static final int BLOCK_BYTES = 512;

    private static MemoryImage index(byte[] image, HashAlgorithm algorithm) throws IOException, BlockException {
        var file = new MemoryImage();
        var leaves = new MemoryImage(image).leaves(KERNEL, algorithm, BLOCK_BYTES);
        var writer = new BlockIndexWriter(file, KERNEL, algorithm, leaves.geometry());
        for (var span = leaves.nextSpan(); span.hasRemaining(); span = leaves.nextSpan()) {
            writer.append(span);
        }
        writer.finish();
        return file;
    }

    /** Brings the index to what the image is now, by the blocks that the ranges touch. */
    private static Digest update(
            MemoryImage file, MemoryImage journal, List<BlockRange> changed, byte[] image, HashAlgorithm algorithm)
            throws IOException, BlockException {
        var update = BlockIndexUpdate.begin(KERNEL, file, journal);
        long blockCount = Math.ceilDiv(image.length, (long) BLOCK_BYTES);
        long end = 0;
        for (var range : changed) {
            // Two ranges that are disjoint may share a block.
            long from = Math.max(end, range.offsetBytes() / BLOCK_BYTES);
            end = Math.max(end, Math.min(blockCount, Math.ceilDiv(range.endBytes(), BLOCK_BYTES)));
            update.put(from, digests(image, from, (int) (end - from), algorithm));
        }
        return update.finish(root -> {});
    }

    private static ByteBuffer digests(byte[] image, long firstBlock, int count, HashAlgorithm algorithm) {
        int from = (int) firstBlock * BLOCK_BYTES;
        int length = Math.min(count * BLOCK_BYTES, image.length - from);
        var data = ByteBuffer.allocateDirect(length).put(image, from, length).flip();
        var digests = ByteBuffer.allocateDirect(count * algorithm.digestBytes());
        KERNEL.hashBlocks(data, BLOCK_BYTES, algorithm, digests);
        return digests;
    }

    /** Writes here and there, and tells where: ascending and disjoint. */
    private static List<BlockRange> change(byte[] image, Random random) {
        var changed = new ArrayList<BlockRange>();
        for (int at = random.nextInt(5_000); at < image.length; at += 1 + random.nextInt(image.length / 3)) {
            int length = Math.min(image.length - at, 1 + random.nextInt(3_000));
            for (int i = at; i < at + length; i++) {
                image[i] = (byte) random.nextInt();
            }
            changed.add(new BlockRange(at, length));
            at += length;
        }
        return changed;
    }

    private static byte[] randomImage(Random random, int length) {
        var image = new byte[length];
        random.nextBytes(image);
        return image;
    }

    @Test
    void updatedIndexIsTheOneThatWouldBeMadeAnew() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            var algorithm = HashAlgorithm.ofCode(1 + random.nextInt(2));
            var image = randomImage(random, 10 + random.nextInt(600_000));
            var file = index(image, algorithm);
            var changed = change(image, random);
            var journal = new MemoryImage();

            var root = update(file, journal, changed, image, algorithm);

            var anew = index(image, algorithm);
            assertThat(file.bytes()).as("seed %d", seed).isEqualTo(anew.bytes());
            assertThat(root).isEqualTo(BlockIndex.open(anew).root());
            assertThat(journal.sizeBytes()).isZero();
        }
    }

    @Test
    void indexOfSeveralChunksIsUpdatedInEach() throws Exception {
        var image = randomImage(new Random(1), BLOCK_BYTES * 140_000);
        var file = index(image, HashAlgorithm.XXH3_128);
        var changed = new ArrayList<BlockRange>();
        for (int block : new int[] {0, 65_535, 65_536, 139_999}) {
            image[block * BLOCK_BYTES + 7] ^= 1;
            changed.add(new BlockRange(block * (long) BLOCK_BYTES + 7, 1));
        }

        update(file, new MemoryImage(), changed, image, HashAlgorithm.XXH3_128);

        assertThat(file.bytes()).isEqualTo(index(image, HashAlgorithm.XXH3_128).bytes());
    }

    @Test
    void rangesThatNameWhatDidNotChangeLeaveTheIndexAsItIs() throws Exception {
        var image = randomImage(new Random(2), 100_000);
        var file = index(image, HashAlgorithm.XXH3_128);
        var before = file.bytes();

        for (var changed : List.of(List.<BlockRange>of(), List.of(new BlockRange(0, 1 << 30)))) {
            update(file, new MemoryImage(), changed, image, HashAlgorithm.XXH3_128);
            assertThat(file.bytes()).isEqualTo(before);
        }
    }

    /** Dies at every write of index and journal in turn. */
    @Test
    void updateKilledAtAnyWriteLeavesTheOldIndexOrOneThatRecoveryFinishes() throws Exception {
        var before = randomImage(new Random(3), 300_000);
        var image = before.clone();
        var changed = change(image, new Random(4));
        var old = index(before, HashAlgorithm.XXH3_128).bytes();
        var anew = index(image, HashAlgorithm.XXH3_128).bytes();
        boolean died = true;
        for (int writes = 0; died; writes++) {
            var file = new MemoryImage(old).killedAfter(writes);
            var journal = new MemoryImage();
            died = failureOf(file, journal, changed, image) instanceof MemoryImage.Killed;
            assertRecovers(file.bytes(), journal.bytes(), old, anew);
        }
        died = true;
        for (int writes = 0; died; writes++) {
            var file = new MemoryImage(old);
            var journal = new MemoryImage().killedAfter(writes);
            died = failureOf(file, journal, changed, image) instanceof MemoryImage.Killed;
            assertRecovers(file.bytes(), journal.bytes(), old, anew);
        }
    }

    private static Throwable failureOf(MemoryImage file, MemoryImage journal, List<BlockRange> changed, byte[] image) {
        return catchThrowable(() -> update(file, journal, changed, image, HashAlgorithm.XXH3_128));
    }

    private static void assertRecovers(byte[] left, byte[] leftJournal, byte[] old, byte[] anew) throws Exception {
        var file = new MemoryImage(left);
        boolean readable = catchThrowable(() -> BlockIndex.open(file)) == null;
        if (readable) {
            assertThat(left).isIn(old, anew);
        }

        boolean finished = BlockIndexUpdate.recover(file, new MemoryImage(leftJournal));

        assertThat(file.bytes()).isEqualTo(finished || !readable ? anew : left);
    }

    @Test
    void updateWhoseRootIsRefusedLeavesTheIndexAsItIs() throws Exception {
        var image = randomImage(new Random(7), 100_000);
        var file = index(image, HashAlgorithm.XXH3_128);
        var before = file.bytes();
        var journal = new MemoryImage();
        var update = BlockIndexUpdate.begin(KERNEL, file, journal);
        image[0] ^= 1;
        update.put(0, digests(image, 0, 1, HashAlgorithm.XXH3_128));

        var refused = catchThrowable(() -> update.finish(root -> {
            throw new IOException("not " + root.hex());
        }));

        assertThat(refused)
                .hasMessage("not "
                        + BlockIndex.open(index(image, HashAlgorithm.XXH3_128))
                                .root()
                                .hex());
        assertThat(file.bytes()).isEqualTo(before);
        assertThat(BlockIndexUpdate.recover(file, journal)).isFalse();
    }

    @Test
    void digestsOutOfOrderOrOutsideTheImageAreRefused() throws Exception {
        var image = randomImage(new Random(8), 100_000);
        var file = index(image, HashAlgorithm.XXH3_128);
        var update = BlockIndexUpdate.begin(KERNEL, file, new MemoryImage());
        update.put(5, digests(image, 5, 2, HashAlgorithm.XXH3_128));

        for (long first : new long[] {-1, 6, 195, 1L << 40}) {
            assertThatThrownBy(() -> update.put(first, ByteBuffer.allocate(2 * 16)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("from block " + first);
        }
        assertThatThrownBy(() -> update.put(7, ByteBuffer.allocate(17)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("17 bytes of digests");
    }

    /** What an update leaves that dies between sealing its journal and touching its index. */
    private static MemoryImage sealedJournal(byte[] image) throws IOException, BlockException {
        var file = new MemoryImage(index(image, HashAlgorithm.XXH3_128).bytes()).killedAfter(0);
        var journal = new MemoryImage();
        var changed = image.clone();
        changed[0] ^= 1;
        assertThat(failureOf(file, journal, List.of(new BlockRange(0, 1)), changed))
                .isInstanceOf(MemoryImage.Killed.class);
        return journal;
    }

    @ParameterizedTest
    @CsvSource({"400000,belongs to an index of", "300000,belongs to an index with another header"})
    void journalOfAnotherIndexIsRefused(int otherLength, String message) throws Exception {
        var journal = sealedJournal(randomImage(new Random(5), 300_000));
        var left = journal.bytes();
        var other = index(randomImage(new Random(6), otherLength), HashAlgorithm.XXH3_128);
        var before = other.bytes();

        var refused = catchThrowable(() -> BlockIndexUpdate.recover(other, journal));

        assertThat(refused).isInstanceOf(BlockException.class).hasMessageContaining(message);
        assertThat(other.bytes()).isEqualTo(before);
        assertThat(journal.bytes()).isEqualTo(left);
    }

    private static void assertRefused(byte[] journalBytes, Class<? extends BlockError> error) throws Exception {
        var file = index(randomImage(new Random(5), 300_000), HashAlgorithm.XXH3_128);
        var before = file.bytes();
        var journal = new MemoryImage(journalBytes);

        var refused = catchThrowableOfType(BlockException.class, () -> BlockIndexUpdate.recover(file, journal));

        assertThat(refused.error()).isInstanceOf(error);
        assertThat(file.bytes()).isEqualTo(before);
        assertThat(journal.bytes()).isEqualTo(journalBytes);
    }

    @Test
    void journalThatIsNotUnderstoodIsRefusedAndKept() throws Exception {
        var sealed = sealedJournal(randomImage(new Random(5), 300_000)).bytes();
        var newer = sealed.clone();
        newer[11]++;
        var brokenRecord = sealed.clone();
        brokenRecord[brokenRecord.length - 1] ^= 1;

        assertRefused(newer, BlockError.UnknownVersion.class);
        assertRefused(Arrays.copyOf(newer, 100), BlockError.UnknownVersion.class);
        assertRefused("precious".repeat(100).getBytes(UTF_8), BlockError.NotOfKind.class);
        assertRefused("mine".getBytes(UTF_8), BlockError.NotOfKind.class);
        assertRefused(brokenRecord, BlockError.Damaged.class);
        assertRefused(Arrays.copyOf(sealed, sealed.length - 1), BlockError.Damaged.class);
    }

    @Test
    void journalThatWasNotSealedIsDropped() throws Exception {
        var sealed = sealedJournal(randomImage(new Random(5), 300_000)).bytes();
        var unsealed = sealed.clone();
        Arrays.fill(unsealed, 0, 320, (byte) 0);
        var torn = sealed.clone();
        Arrays.fill(torn, 100, 320, (byte) 0);
        for (var left : List.of(unsealed, torn, Arrays.copyOf(sealed, 100), new byte[3])) {
            var file = index(randomImage(new Random(5), 300_000), HashAlgorithm.XXH3_128);
            var before = file.bytes();
            var journal = new MemoryImage(left);

            assertThat(BlockIndexUpdate.recover(file, journal)).isFalse();

            assertThat(file.bytes()).isEqualTo(before);
            assertThat(journal.sizeBytes()).isZero();
        }
    }
}
