package io.tidemark.live;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.live.BlockDigests;
import io.tidemark.replication.live.DirtyBitmap;
import java.nio.ByteBuffer;

/** Digests of blocks, by whatever kernel this host has. */
final class Hashing {
    private Hashing() {}

    /** @param data direct; its last block may be a part */
    static BlockDigests of(ByteBuffer data, BlockKernel kernel) {
        int blocks = Math.ceilDiv(data.remaining(), DirtyBitmap.BLOCK_BYTES);
        var digests = ByteBuffer.allocateDirect(blocks * BlockDigests.DIGEST_BYTES);
        kernel.hashBlocks(data, DirtyBitmap.BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
        return new BlockDigests(digests.rewind());
    }
}
