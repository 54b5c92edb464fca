package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the other side lacks of an image, told span by span by the digests of what it has there; for a first copy, or
 * where no common base is left. An XXH3-128 digest finds accidents, not forgeries: both sides trust each other. Holes
 * are not read. Holds a little over 1 MiB, whatever the image's size.
 */
public final class ChangedBlocksByDigest implements ChangedRuns {
    private static final int DIGEST_BYTES = HashAlgorithm.XXH3_128.digestBytes();

    private final SnapshotReader newer;
    private final BlockKernel kernel;
    private final DataPlaces data;
    private final ChunkRuns runs;
    private final ByteBuffer digests = ByteBuffer.allocateDirect(ChunkRuns.CHUNK_BYTES / BLOCK_BYTES * DIGEST_BYTES);
    private SpanDigests other = new SpanDigests(0, 0, null);
    private long offsetBytes;
    private long readBytes;
    private long comparedBytes;

    /**
     * @param newer the caller's to close
     * @param data of {@code newer}
     */
    public ChangedBlocksByDigest(SnapshotReader newer, DataPlaces data, BlockKernel kernel) {
        this.newer = newer;
        this.data = data;
        this.kernel = kernel;
        this.runs = new ChunkRuns(kernel);
    }

    /** Begins the next span, behind the one before, of which nothing is left. */
    public void begin(SpanDigests span) {
        other = span;
        offsetBytes = span.offsetBytes();
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
    public long readBytes() {
        return readBytes;
    }

    @Override
    public void close() {}

    private boolean fill(ChunkRuns into) throws ProviderException {
        long end = Math.min(other.endBytes(), newer.sizeBytes());
        long dataFrom = data.dataFrom(offsetBytes);
        if (other.zero()) {
            // Zeros on both sides.
            offsetBytes = Math.max(offsetBytes, Math.min(end, dataFrom / BLOCK_BYTES * BLOCK_BYTES));
        }
        if (offsetBytes >= end) {
            return false;
        }
        int length = (int) Math.min(ChunkRuns.CHUNK_BYTES, end - offsetBytes);
        var bytes = into.begin(offsetBytes, length);
        if (dataFrom >= offsetBytes + length) {
            putZeros(bytes);
        } else {
            newer.read(offsetBytes, bytes);
            readBytes += length;
        }
        bytes.flip();
        into.filled(other.zero() ? markNonZero(bytes, into) : markUnlike(bytes, into));
        comparedBytes += length;
        offsetBytes += length;
        return true;
    }

    private static void putZeros(ByteBuffer bytes) {
        while (bytes.remaining() >= Long.BYTES) {
            bytes.putLong(0);
        }
        while (bytes.hasRemaining()) {
            bytes.put((byte) 0);
        }
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
            if (!other.same(firstBlock + block, digests, block * DIGEST_BYTES)) {
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
            // As two numbers: a view for each block would be garbage of 1/64 of what is compared.
            int from = block * DIGEST_BYTES;
            return digests != null
                    && digests.getLong(from) == mine.getLong(at)
                    && digests.getLong(from + Long.BYTES) == mine.getLong(at + Long.BYTES);
        }
    }
}
