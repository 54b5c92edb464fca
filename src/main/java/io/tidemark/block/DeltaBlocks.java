package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** The blocks that a delta writes, one after the other, each with its digest before and after. */
final class DeltaBlocks {
    private final BlockKernel kernel;
    private final DeltaReader delta;
    private final int digestBytes;
    private final ByteBuffer zeroDigest;
    private ByteBuffer dataDigests = ByteBuffer.allocateDirect(0);
    private DeltaRecord record = new DeltaRecord(List.of(), ByteBuffer.allocate(0), ByteBuffer.allocate(0));
    private int extent = -1;
    private int inExtent;
    private int baseDigestsSeen;
    private int dataDigestsSeen;
    private boolean ended;

    DeltaBlocks(BlockKernel kernel, DeltaReader delta) throws IOException, BlockException {
        this.kernel = kernel;
        this.delta = delta;
        this.digestBytes = delta.header().algorithm().digestBytes();
        this.zeroDigest = zeroDigest(delta.header().result().blockBytes());
        advance();
    }

    /** Whether there is a current block. When there is none, the whole delta was read and found right. */
    boolean present() {
        return !ended;
    }

    long block() {
        return record.extents().get(extent).firstBlock() + inExtent;
    }

    /** Digest in the base; nothing remaining where the base has no such block. */
    ByteBuffer baseDigest() {
        boolean has = block() < delta.header().base().blockCount();
        return record.baseDigests().slice(baseDigestsSeen * digestBytes, has ? digestBytes : 0);
    }

    /** Digest in the result. */
    ByteBuffer resultDigest() {
        if (!record.extents().get(extent).zero()) {
            return dataDigests.slice(dataDigestsSeen * digestBytes, digestBytes);
        }
        int length = delta.header().result().lengthBytes(block());
        return length == delta.header().result().blockBytes() ? zeroDigest.duplicate() : zeroDigest(length);
    }

    void advance() throws IOException, BlockException {
        if (extent >= 0) {
            if (block() < delta.header().base().blockCount()) {
                baseDigestsSeen++;
            }
            var current = record.extents().get(extent);
            dataDigestsSeen += current.zero() ? 0 : 1;
            inExtent++;
            if (inExtent < current.blockCount()) {
                return;
            }
        }
        inExtent = 0;
        extent++;
        if (extent == record.extents().size()) {
            load();
        }
    }

    private void load() throws IOException, BlockException {
        var next = delta.next();
        if (next.isEmpty()) {
            ended = true;
            return;
        }
        record = next.get();
        extent = 0;
        baseDigestsSeen = 0;
        dataDigestsSeen = 0;
        int blockBytes = delta.header().result().blockBytes();
        int needed = Math.ceilDiv(record.data().remaining(), blockBytes) * digestBytes;
        if (dataDigests.capacity() < needed) {
            dataDigests = ByteBuffer.allocateDirect(needed);
        }
        kernel.hashBlocks(record.data(), blockBytes, delta.header().algorithm(), dataDigests.clear());
    }

    private ByteBuffer zeroDigest(int lengthBytes) {
        var digest = ByteBuffer.allocateDirect(digestBytes);
        var header = delta.header();
        kernel.hashBlocks(
                ByteBuffer.allocateDirect(lengthBytes), header.result().blockBytes(), header.algorithm(), digest);
        return digest;
    }
}
