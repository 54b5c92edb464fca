package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What truly changed between two snapshots: of the ranges a provider names, the 4 KiB blocks that differ. Reads only
 * the named ranges, in both snapshots, and holds a little over 2 MiB whatever the volume's size.
 *
 * <p>Where the newer image is longer, everything past the older one's end counts as changed, zeros too: nobody
 * knows what the target has there.
 */
public final class ChangedBlocks implements ChangedRuns {
    private final ChangedRanges ranges;
    private final SnapshotReader older;
    private final SnapshotReader newer;
    private final BlockKernel kernel;
    private final ChunkRuns runs;
    private final ByteBuffer base = ByteBuffer.allocateDirect(ChunkRuns.CHUNK_BYTES);
    private long namedBytes;
    private long readBytes;
    private long comparedBytes;
    private final long resumeBytes;
    /** What is left of the range in work. */
    private long fromBytes;

    private long toBytes;

    /**
     * Closes none of the readers: they are the caller's; closes the ranges.
     *
     * @param resumeBytes blocks below this offset are left out; a multiple of 4 KiB, or the end of the image
     */
    public ChangedBlocks(
            ChangedRanges ranges, SnapshotReader older, SnapshotReader newer, BlockKernel kernel, long resumeBytes) {
        this.ranges = RangeAlgebra.widened(ranges, BLOCK_BYTES, newer.sizeBytes());
        this.older = older;
        this.newer = newer;
        this.kernel = kernel;
        this.runs = new ChunkRuns(kernel);
        this.resumeBytes = resumeBytes;
    }

    @Override
    public Optional<ChangedRun> next() throws ProviderException {
        return runs.next(this::fill);
    }

    @Override
    public Counts counts() {
        return new Counts(namedBytes, readBytes, comparedBytes, runs.changedBytes());
    }

    @Override
    public long readBytes() {
        return readBytes;
    }

    @Override
    public void close() throws ProviderException {
        ranges.close();
    }

    private boolean fill(ChunkRuns into) throws ProviderException {
        while (fromBytes >= toBytes) {
            @Nullable BlockRange range = ranges.next().orElse(null);
            if (range == null) {
                return false;
            }
            namedBytes += range.lengthBytes();
            fromBytes = Math.max(resumeBytes, range.offsetBytes());
            toBytes = range.endBytes();
        }
        int length = (int) Math.min(ChunkRuns.CHUNK_BYTES, toBytes - fromBytes);
        var data = into.begin(fromBytes, length);
        newer.read(fromBytes, data);
        data.flip();
        int comparable = comparable(fromBytes, length);
        long differing = 0;
        if (comparable > 0) {
            base.clear().limit(comparable);
            older.read(fromBytes, base);
            base.flip();
            differing = kernel.diffBlocks(data.slice(0, comparable), base, BLOCK_BYTES, into.differingBits());
        }
        if (comparable < length) {
            into.markDiffering(comparable / BLOCK_BYTES);
            differing += roundUp(length - comparable) / BLOCK_BYTES;
        }
        into.filled(differing);
        readBytes += length + comparable;
        comparedBytes += comparable;
        fromBytes += length;
        return true;
    }

    /** Bytes of the chunk that the older image has too, in whole blocks unless both images end there. */
    private int comparable(long offsetBytes, int lengthBytes) {
        long common = Math.clamp(older.sizeBytes() - offsetBytes, 0, lengthBytes);
        return (int) (common == lengthBytes ? common : common / BLOCK_BYTES * BLOCK_BYTES);
    }

    private static long roundUp(long bytes) {
        return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }
}
