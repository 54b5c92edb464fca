package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the other side lacks of one span of an image, told by the digests of what it has there; for a first copy, or
 * where no common base is left. An XXH3-128 digest finds accidents, not forgeries: both sides trust each other.
 */
public final class ChangedBlocksByDigest implements ChangedRuns {
    private final SnapshotReader newer;
    private final BlockKernel kernel;
    private final SpanDigests other;
    private final ChunkRuns runs;
    private final ByteBuffer digests;
    private long offsetBytes;
    private long readBytes;
    private long comparedBytes;

    /** @param newer the caller's to close */
    public ChangedBlocksByDigest(SnapshotReader newer, BlockKernel kernel, SpanDigests other) {
        this.newer = newer;
        this.kernel = kernel;
        this.other = other;
        this.runs = new ChunkRuns(kernel);
        this.digests =
                ByteBuffer.allocateDirect(ChunkRuns.CHUNK_BYTES / BLOCK_BYTES * HashAlgorithm.XXH3_128.digestBytes());
        this.offsetBytes = other.offsetBytes();
    }

    @Override
    public Optional<ChangedRun> next() throws ProviderException {
        return runs.next(this::fill);
    }

    @Override
    public Counts counts() {
        return new Counts(readBytes, readBytes, comparedBytes, runs.changedBytes());
    }

    @Override
    public void close() {}

    private boolean fill(ChunkRuns into) throws ProviderException {
        long end = Math.min(other.endBytes(), newer.sizeBytes());
        if (offsetBytes >= end) {
            return false;
        }
        int length = (int) Math.min(ChunkRuns.CHUNK_BYTES, end - offsetBytes);
        var data = into.begin(offsetBytes, length);
        newer.read(offsetBytes, data);
        data.flip();
        into.filled(other.zero() ? markNonZero(data, into) : markUnlike(data, into));
        readBytes += length;
        comparedBytes += length;
        offsetBytes += length;
        return true;
    }

    /** The other side has zeros only: no digest is needed to see what differs. */
    private long markNonZero(ByteBuffer data, ChunkRuns into) {
        var bits = into.differingBits();
        int blocks = (data.remaining() + BLOCK_BYTES - 1) / BLOCK_BYTES;
        long zeros = kernel.zeroBlocks(data, BLOCK_BYTES, bits);
        for (int index = 0; index < bits.capacity(); index++) {
            bits.put(index, (byte) ~bits.get(index));
        }
        return blocks - zeros;
    }

    private long markUnlike(ByteBuffer data, ChunkRuns into) {
        digests.clear();
        int blocks = (int) kernel.hashBlocks(data, BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
        int firstBlock = Math.toIntExact((offsetBytes - other.offsetBytes()) / BLOCK_BYTES);
        var bits = into.differingBits();
        long unlike = 0;
        for (int block = 0; block < blocks; block++) {
            if (!other.same(firstBlock + block, digests, block * HashAlgorithm.XXH3_128.digestBytes())) {
                int at = block / Byte.SIZE;
                bits.put(at, (byte) (bits.get(at) | 1 << block % Byte.SIZE));
                unlike++;
            }
        }
        return unlike;
    }

    /**
     * Digests of one side's blocks in a span.
     *
     * @param digests 16 bytes a block; empty when the whole span is zeros
     */
    public record SpanDigests(
            long offsetBytes, long lengthBytes, @Nullable ByteBuffer digests) {

        public boolean zero() {
            return digests == null;
        }

        public long endBytes() {
            return offsetBytes + lengthBytes;
        }

        boolean same(int block, ByteBuffer mine, int at) {
            int size = HashAlgorithm.XXH3_128.digestBytes();
            return digests != null && digests.slice(block * size, size).equals(mine.slice(at, size));
        }
    }
}
