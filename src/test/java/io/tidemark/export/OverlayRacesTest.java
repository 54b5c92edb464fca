package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.export.protocol.Extent;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one connection sees of an overlay while another changes it, between any two of its looks, or fails to. */
class OverlayRacesTest {
    private static final int BLOCK = 4_096;
    private static final int BLOCKS = 16;

    @TempDir
    Path folder;

    private ExportImage image;
    private Meanwhile afterLook = Meanwhile.NOTHING;
    private Meanwhile afterChange = Meanwhile.NOTHING;

    /** A change that fails, as it does without memory, by its number from now on; 0: none. */
    private int changesUntilFailure;

    /** What another connection does, once. */
    private interface Meanwhile {
        Meanwhile NOTHING = () -> {};

        void happens() throws Exception;
    }

    @BeforeEach
    void makeImage() throws Exception {
        byte[] bytes = new byte[BLOCKS * BLOCK];
        Arrays.fill(bytes, (byte) 'b');
        var base = FileImage.open(Files.write(folder.resolve("base"), bytes), false, Optional.empty());
        var memory = new SetMemory(SetMemory.BYTES_MAXIMUM);
        image = OverlayImage.over(
                base,
                folder.resolve("overlay"),
                new OverlayMeans(1 << 20, () -> Long.MAX_VALUE, memory, WatchedSet::new, Optional.empty()));
    }

    /** Lets the other connection act after a look, or a change. */
    private final class WatchedSet extends BlockSet {
        WatchedSet(long blockCount, SetMemory.Share memory) throws OutOfSpaceException {
            super(blockCount, memory);
        }

        @Override
        boolean contains(long block) {
            boolean is = super.contains(block);
            var now = afterLook;
            afterLook = Meanwhile.NOTHING;
            done(now);
            return is;
        }

        @Override
        void add(long from, long end) throws OutOfSpaceException {
            if (--changesUntilFailure == 0) {
                throw new OutOfSpaceException("for a test");
            }
            super.add(from, end);
            var now = afterChange;
            afterChange = Meanwhile.NOTHING;
            done(now);
        }
    }

    private static void done(Meanwhile now) {
        if (now == Meanwhile.NOTHING) {
            return;
        }
        var done = new FutureTask<Void>(() -> {
            now.happens();
            return null;
        });
        Thread.ofPlatform().daemon().start(done);
        try {
            done.get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the other connection waits", e);
        }
    }

    private byte[] read(int firstBlock, int blockCount) throws Exception {
        var bytes = ByteBuffer.allocate(blockCount * BLOCK);
        image.read((long) firstBlock * BLOCK, bytes);
        return bytes.array();
    }

    private static ByteBuffer filled(char with, int blockCount) {
        byte[] bytes = new byte[blockCount * BLOCK];
        Arrays.fill(bytes, (byte) with);
        return ByteBuffer.wrap(bytes);
    }

    @Test
    void aBlockThatIsWrittenWhileItsRunIsReadHidesNothingThatWasWrittenBefore() throws Exception {
        image.write(6 * BLOCK, filled('n', 3));
        afterLook = () -> image.write(5 * BLOCK, filled('n', 1));

        assertThat(read(5, 4)).containsOnly('n');
    }

    private long zeroBytes() throws Exception {
        return image.extents(0, BLOCKS * BLOCK, BLOCKS).stream()
                .filter(Extent::zero)
                .mapToLong(Extent::lengthBytes)
                .sum();
    }

    @Test
    void aBlockThatIsTrimmedWhileItsRunIsToldOfMakesNoZerosOfItsNeighbours() throws Exception {
        afterLook = () -> image.writeZeroes(0, BLOCK, false);

        assertThat(zeroBytes()).isEqualTo(BLOCK);
    }

    @Test
    void aBlockThatIsBeingWrittenIsNeverToldOfAsZeros() throws Exception {
        var told = new ArrayList<Long>();
        afterChange = () -> told.add(zeroBytes());

        image.write(0, filled('n', 1));

        assertThat(told).containsExactly(0L);
    }

    /** Part of a block: its edges are completed first, so that the write makes four changes. */
    @Test
    void whatAFailedWriteLeftIsNoPartOfZeros() throws Exception {
        for (int change = 1; change <= 4; change++) {
            int at = change * BLOCK;
            changesUntilFailure = change;

            assertThatThrownBy(() -> image.write(at + 1, filled('n', 1).limit(BLOCK - 1)))
                    .isInstanceOf(OutOfSpaceException.class);
            assertThat(read(change, 1)).doesNotContain(0);
            image.writeZeroes(at, BLOCK, false);

            assertThat(read(change, 1)).containsOnly(0);
        }
    }
}
