package io.tidemark.agent;

import io.tidemark.block.ChecksumTree;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;

/** The checksum tree of a snapshot: XXH3-128, 4 KiB; reads all of it, holds 1/256 of its size. */
final class ImageTree {
    static final int BLOCK_BYTES = 4 << 10;
    private static final int CHUNK_BYTES = 1 << 20;

    /** Told after each chunk; may throw to stop. */
    interface Watch<E extends Exception> {
        void read(long doneBytes) throws E;
    }

    private ImageTree() {}

    static <E extends Exception> ChecksumTree of(SnapshotReader reader, BlockKernel kernel, Watch<E> watch)
            throws ProviderException, E {
        var builder = ChecksumTree.builder(kernel, HashAlgorithm.XXH3_128);
        var data = ByteBuffer.allocateDirect(CHUNK_BYTES);
        var digests = ByteBuffer.allocateDirect(CHUNK_BYTES / BLOCK_BYTES * HashAlgorithm.XXH3_128.digestBytes());
        for (long at = 0; at < reader.sizeBytes(); at += CHUNK_BYTES) {
            data.clear().limit((int) Math.min(CHUNK_BYTES, reader.sizeBytes() - at));
            reader.read(at, data);
            data.flip();
            digests.clear();
            int blocks = (int) kernel.hashBlocks(data, BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
            builder.append(digests.slice(0, blocks * HashAlgorithm.XXH3_128.digestBytes()));
            watch.read(at + data.limit());
        }
        return builder.build();
    }
}
