package io.tidemark.provider.memory;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one image in 4 KiB blocks; a block of zeros takes no memory. A copy costs one reference a MiB, and what
 * both copies have in common is shared until one of them writes to it. Blocks are replaced, never changed in place.
 */
final class BlockMap {
    static final int BLOCK_BYTES = 4_096;
    private static final int CHUNK_BLOCKS = 256;
    /** Stands for every block of zeros; compared by identity and never written to. */
    private static final byte[] ZEROS = new byte[BLOCK_BYTES];

    /** 256 blocks; owned by the one map that may still write to it. */
    private static final class Chunk {
        private final Object owner;
        private final byte[][] blocks;

        Chunk(Object owner, byte[][] blocks) {
            this.owner = owner;
            this.blocks = blocks;
        }
    }

    private final long sizeBytes;
    private final @Nullable Chunk[] chunks;
    private Object ownership = new Object();

    BlockMap(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        long count = (sizeBytes + BLOCK_BYTES * (long) CHUNK_BLOCKS - 1) / (BLOCK_BYTES * (long) CHUNK_BLOCKS);
        this.chunks = new Chunk[Math.toIntExact(count)];
    }

    private BlockMap(BlockMap source, long sizeBytes) {
        this.sizeBytes = sizeBytes;
        this.chunks = Arrays.copyOf(source.chunks, new BlockMap(sizeBytes).chunks.length);
    }

    /** The same bytes; neither sees what is written to the other from now on. */
    BlockMap copy() {
        return grown(sizeBytes);
    }

    /** As {@link #copy}, with zeros behind. */
    BlockMap grown(long toBytes) {
        var copy = new BlockMap(this, toBytes);
        // What was owned is shared now: both sides must copy a chunk before they write to it.
        ownership = new Object();
        return copy;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    void read(long offsetBytes, ByteBuffer target) {
        Objects.checkFromIndexSize(offsetBytes, target.remaining(), sizeBytes);
        long offset = offsetBytes;
        while (target.hasRemaining()) {
            int within = (int) (offset % BLOCK_BYTES);
            int length = Math.min(target.remaining(), BLOCK_BYTES - within);
            target.put(block(offset / BLOCK_BYTES), within, length);
            offset += length;
        }
    }

    void write(long offsetBytes, ByteBuffer source) {
        Objects.checkFromIndexSize(offsetBytes, source.remaining(), sizeBytes);
        long offset = offsetBytes;
        while (source.hasRemaining()) {
            int within = (int) (offset % BLOCK_BYTES);
            int length = Math.min(source.remaining(), BLOCK_BYTES - within);
            var block = block(offset / BLOCK_BYTES).clone();
            source.get(block, within, length);
            put(offset / BLOCK_BYTES, Arrays.equals(block, ZEROS) ? ZEROS : block);
            offset += length;
        }
    }

    void zero(long offsetBytes, long lengthBytes) {
        Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
        long offset = offsetBytes;
        long end = offsetBytes + lengthBytes;
        while (offset < end) {
            int within = (int) (offset % BLOCK_BYTES);
            int length = (int) Math.min(end - offset, BLOCK_BYTES - within);
            if (length == BLOCK_BYTES) {
                put(offset / BLOCK_BYTES, ZEROS);
            } else if (block(offset / BLOCK_BYTES) != ZEROS) {
                write(offset, ByteBuffer.allocate(length));
            }
            offset += length;
        }
    }

    /** Tells every block index whose bytes differ, ascending; chunks in common are passed over unseen. */
    void forEachDifference(BlockMap other, LongConsumer blockIndex) {
        int count = Math.max(chunks.length, other.chunks.length);
        for (int index = 0; index < count; index++) {
            var left = index < chunks.length ? chunks[index] : null;
            var right = index < other.chunks.length ? other.chunks[index] : null;
            if (left == right) {
                continue;
            }
            for (int within = 0; within < CHUNK_BLOCKS; within++) {
                var leftBlock = left == null ? ZEROS : left.blocks[within];
                var rightBlock = right == null ? ZEROS : right.blocks[within];
                if (leftBlock != rightBlock && !Arrays.equals(leftBlock, rightBlock)) {
                    blockIndex.accept((long) index * CHUNK_BLOCKS + within);
                }
            }
        }
    }

    /** Takes one block over from another map of the same size. */
    void takeBlock(BlockMap source, long blockIndex) {
        put(blockIndex, source.block(blockIndex));
    }

    private byte[] block(long blockIndex) {
        var chunk = chunks[(int) (blockIndex / CHUNK_BLOCKS)];
        return chunk == null ? ZEROS : chunk.blocks[(int) (blockIndex % CHUNK_BLOCKS)];
    }

    private void put(long blockIndex, byte[] block) {
        int index = (int) (blockIndex / CHUNK_BLOCKS);
        var chunk = chunks[index];
        if (chunk == null) {
            if (block == ZEROS) {
                return;
            }
            var blocks = new byte[CHUNK_BLOCKS][];
            Arrays.fill(blocks, ZEROS);
            chunk = new Chunk(ownership, blocks);
            chunks[index] = chunk;
        } else if (chunk.owner != ownership) {
            chunk = new Chunk(ownership, chunk.blocks.clone());
            chunks[index] = chunk;
        }
        chunk.blocks[(int) (blockIndex % CHUNK_BLOCKS)] = block;
    }
}
