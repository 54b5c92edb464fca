package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a block-hash index as the digests come: one chunk a level in memory, whatever the image's size. The header is
 * written last, so that a file cut short has none.
 */
public final class BlockIndexWriter {
    private final ByteWriter file;
    private final HashAlgorithm algorithm;
    private final ImageGeometry geometry;
    private final BlockIndexFormat format;
    private final TreeHasher hasher;
    private final List<Chunk> chunks = new ArrayList<>();

    public BlockIndexWriter(ByteWriter file, BlockKernel kernel, HashAlgorithm algorithm, ImageGeometry geometry) {
        this.file = file;
        this.algorithm = algorithm;
        this.geometry = geometry;
        this.format = new BlockIndexFormat(algorithm, geometry.blockCount());
        this.hasher = new TreeHasher(kernel, algorithm);
        for (int level = 0; level < format.levels(); level++) {
            chunks.add(new Chunk(level));
        }
    }

    /** Appends digests of the next blocks; the buffer's position moves to its limit. */
    public void append(ByteBuffer leafDigests) throws IOException {
        hasher.append(leafDigests, this::add);
    }

    /**
     * Writes what is left, and the header. The file is complete, not yet durable.
     *
     * @return the image's root
     * @throws IllegalStateException unless every block's digest was appended
     */
    public Digest finish() throws IOException {
        var root = hasher.finish(this::add);
        long leaves = chunks.getFirst().written();
        if (leaves != geometry.blockCount()) {
            throw new IllegalStateException(
                    "index of %d blocks got %d digests".formatted(geometry.blockCount(), leaves));
        }
        for (var chunk : chunks) {
            chunk.flush();
        }
        var header = BlockIndexFormat.HEADER
                .begin()
                .putInt(algorithm.code())
                .putInt(geometry.blockBytes())
                .putInt(format.levels())
                .putLong(geometry.sizeBytes());
        root.putInto(header);
        header.position(64).putLong(format.fileBytes());
        file.write(0, BlockIndexFormat.HEADER.seal(header));
        return root;
    }

    /** Of the index of such an image. */
    public static long fileBytes(HashAlgorithm algorithm, ImageGeometry geometry) {
        return new BlockIndexFormat(algorithm, geometry.blockCount()).fileBytes();
    }

    public long fileBytes() {
        return format.fileBytes();
    }

    private void add(int level, ByteBuffer digests) throws IOException {
        chunks.get(level).add(digests);
    }

    private final class Chunk {
        private final int level;
        private final ByteBuffer bytes;
        private long number;

        Chunk(int level) {
            this.level = level;
            int digests = (int) Math.min(BlockIndexFormat.CHUNK_DIGESTS, format.count(level));
            this.bytes = ByteBuffer.allocateDirect(digests * algorithm.digestBytes());
        }

        long written() {
            return number * BlockIndexFormat.CHUNK_DIGESTS + bytes.position() / algorithm.digestBytes();
        }

        void add(ByteBuffer digests) throws IOException {
            while (digests.hasRemaining()) {
                if (number * BlockIndexFormat.CHUNK_DIGESTS >= format.count(level)) {
                    throw new IllegalStateException("more digests than level %d has".formatted(level));
                }
                int taken = Math.min(digests.remaining(), bytes.remaining());
                bytes.put(digests.slice(digests.position(), taken));
                digests.position(digests.position() + taken);
                if (bytes.position() == BlockIndexFormat.CHUNK_DIGESTS * algorithm.digestBytes()) {
                    flush();
                }
            }
        }

        void flush() throws IOException {
            if (bytes.position() == 0) {
                return;
            }
            bytes.flip();
            int crc = BlockIndexFormat.chunkCrc(level, number, bytes.duplicate());
            long offset = format.chunkOffset(level, number);
            long end = offset + bytes.remaining();
            file.write(offset, bytes);
            file.write(end, ByteBuffer.allocate(Integer.BYTES).putInt(crc).flip());
            bytes.clear();
            number++;
        }
    }
}
