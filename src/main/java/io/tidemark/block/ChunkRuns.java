package io.tidemark.block;

import static io.tidemark.block.ChangedRuns.BLOCK_BYTES;
import static io.tidemark.block.ChangedRuns.RUN_BYTES_MAXIMUM;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Cuts chunks of an image, with one bit for each block that differs, into runs; joins zero runs over chunk borders.
 * The chunk's buffer may be refilled only when a run is asked for and none is left, which is when it asks for more.
 */
final class ChunkRuns {
    /** Bytes read at once: large enough that a system call does not count, small enough to stay in a core's cache. */
    static final int CHUNK_BYTES = 1 << 20;

    /** Fills the buffers of the next chunk. */
    interface Chunks {
        /** @return false when the image has no more */
        boolean fill(ChunkRuns into) throws ProviderException;
    }

    private final BlockKernel kernel;
    private final ByteBuffer data = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final ByteBuffer differing = ByteBuffer.allocateDirect(CHUNK_BYTES / BLOCK_BYTES / Byte.SIZE);
    private final ByteBuffer zero = ByteBuffer.allocateDirect(CHUNK_BYTES / BLOCK_BYTES / Byte.SIZE);
    private long chunkOffsetBytes;
    private int block;
    private int blockCount;
    private long changedBytes;
    private @Nullable ChangedRun pendingZeros;
    private @Nullable ChangedRun ready;

    ChunkRuns(BlockKernel kernel) {
        this.kernel = kernel;
    }

    /** The newer image's bytes of a new chunk go here, from position 0 to the limit set. */
    ByteBuffer begin(long offsetBytes, int lengthBytes) {
        chunkOffsetBytes = offsetBytes;
        block = 0;
        blockCount = (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
        data.clear().limit(lengthBytes);
        for (int index = 0; index < differing.capacity(); index++) {
            differing.put(index, (byte) 0);
            zero.put(index, (byte) 0);
        }
        differing.clear();
        zero.clear();
        return data;
    }

    /** Bit for each block of the chunk; whoever fills the chunk sets those that differ. */
    ByteBuffer differingBits() {
        return differing;
    }

    void markDiffering(int fromBlock) {
        for (int index = fromBlock; index < blockCount; index++) {
            int at = index / Byte.SIZE;
            differing.put(at, (byte) (differing.get(at) | 1 << index % Byte.SIZE));
        }
    }

    /** Called when data and bits are complete. */
    void filled(long differingBlocks) {
        if (differingBlocks == 0) {
            block = blockCount;
        } else {
            kernel.zeroBlocks(data.rewind(), BLOCK_BYTES, zero.clear());
        }
    }

    long changedBytes() {
        return changedBytes;
    }

    Optional<ChangedRun> next(Chunks chunks) throws ProviderException {
        if (ready != null) {
            return emit(take());
        }
        while (true) {
            var run = nextInChunk();
            if (run == null) {
                if (chunks.fill(this)) {
                    continue;
                }
                var last = pendingZeros;
                pendingZeros = null;
                return last == null ? Optional.empty() : emit(last);
            }
            var zeros = pendingZeros;
            if (zeros != null && run.zero() && zeros.endBytes() == run.offsetBytes()) {
                pendingZeros = ChangedRun.ofZeros(zeros.offsetBytes(), zeros.lengthBytes() + run.lengthBytes());
                continue;
            }
            if (zeros != null) {
                pendingZeros = run.zero() ? run : null;
                ready = run.zero() ? null : run;
                return emit(zeros);
            }
            if (!run.zero()) {
                return emit(run);
            }
            pendingZeros = run;
        }
    }

    private ChangedRun take() {
        var run = ready;
        ready = null;
        if (run == null) {
            throw new AssertionError("no run is ready");
        }
        return run;
    }

    private Optional<ChangedRun> emit(ChangedRun run) {
        changedBytes += run.lengthBytes();
        return Optional.of(run);
    }

    private @Nullable ChangedRun nextInChunk() {
        while (block < blockCount && !bit(differing, block)) {
            block++;
        }
        if (block == blockCount) {
            return null;
        }
        int first = block;
        boolean zeros = bit(zero, first);
        int most = zeros ? blockCount : Math.min(blockCount, first + RUN_BYTES_MAXIMUM / BLOCK_BYTES);
        while (block < most && bit(differing, block) && bit(zero, block) == zeros) {
            block++;
        }
        int from = first * BLOCK_BYTES;
        int to = Math.min(block * BLOCK_BYTES, data.limit());
        long offset = chunkOffsetBytes + from;
        return zeros
                ? ChangedRun.ofZeros(offset, to - from)
                : new ChangedRun(offset, to - from, false, data.slice(from, to - from));
    }

    static boolean bit(ByteBuffer bits, int index) {
        return (bits.get(index / Byte.SIZE) >> index % Byte.SIZE & 1) != 0;
    }
}
