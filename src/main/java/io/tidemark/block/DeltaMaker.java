package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes the blocks of an image that its base does not have. Whether a block changed is decided by its digest; bytes
 * are read for changed blocks only, and hashed again, so that an image written meanwhile is found out.
 */
public final class DeltaMaker {
    /** Bytes of changed blocks read at once: long enough to be sequential, small beside a span. */
    private static final int READ_BYTES = 1 << 20;

    private final BlockKernel kernel;
    private final LeafDigests base;
    private final LeafDigests leaves;
    private final ByteReader image;
    private final DeltaWriter delta;
    private final int digestBytes;
    private final ByteBuffer data;
    private final ByteBuffer dataDigests;
    private final ByteBuffer zeroBits;

    /** Counts of a delta. */
    public record Made(Digest baseRoot, Digest resultRoot, long dataBlocks, long zeroBlocks) {}

    /**
     * @param leaves digests of {@code image}
     * @throws BlockException NotComparable when algorithm or block size differ
     */
    public DeltaMaker(BlockKernel kernel, LeafDigests base, LeafDigests leaves, ByteReader image, DeltaWriter delta)
            throws BlockException {
        checkComparable(base, leaves);
        this.kernel = kernel;
        this.base = base;
        this.leaves = leaves;
        this.image = image;
        this.delta = delta;
        this.digestBytes = leaves.algorithm().digestBytes();
        int blockBytes = leaves.geometry().blockBytes();
        int blocks = Math.max(1, READ_BYTES / blockBytes);
        this.data = ByteBuffer.allocateDirect(blocks * blockBytes);
        this.dataDigests = ByteBuffer.allocateDirect(blocks * digestBytes);
        this.zeroBits = ByteBuffer.allocateDirect(Math.ceilDiv(blocks, Byte.SIZE));
    }

    /** Digests of different algorithms or block sizes say nothing about each other. */
    public static void checkComparable(LeafDigests left, LeafDigests right) throws BlockException {
        if (left.algorithm() != right.algorithm()) {
            throw new BlockException(new BlockError.NotComparable(
                    left.name(), right.name(), "hashed with %s and %s".formatted(left.algorithm(), right.algorithm())));
        }
        int leftBytes = left.geometry().blockBytes();
        int rightBytes = right.geometry().blockBytes();
        if (leftBytes != rightBytes) {
            throw new BlockException(new BlockError.NotComparable(
                    left.name(), right.name(), "blocks of %d and of %d bytes".formatted(leftBytes, rightBytes)));
        }
    }

    /** Reads both to their ends and completes the delta. */
    public Made make() throws IOException, BlockException {
        var baseRoot = new TreeHasher(kernel, leaves.algorithm());
        var resultRoot = new TreeHasher(kernel, leaves.algorithm());
        var geometry = leaves.geometry();
        long spans = Math.max(geometry.spanCount(), base.geometry().spanCount());
        for (long span = 0; span < spans; span++) {
            var older = base.nextSpan();
            var newer = leaves.nextSpan();
            span(span * geometry.spanBlocks(), older, newer);
            baseRoot.append(older, TreeHasher.Sink.none());
            resultRoot.append(newer, TreeHasher.Sink.none());
        }
        var made = new Made(
                baseRoot.finish(TreeHasher.Sink.none()),
                resultRoot.finish(TreeHasher.Sink.none()),
                delta.dataBlocks(),
                delta.zeroBlocks());
        delta.finish(made.baseRoot(), made.resultRoot());
        return made;
    }

    private void span(long firstBlock, ByteBuffer older, ByteBuffer newer) throws IOException, BlockException {
        int blocks = newer.remaining() / digestBytes;
        int block = 0;
        while (block < blocks) {
            int first = nextDifference(older, newer, block, blocks);
            int end = first;
            int maximum =
                    Math.min(blocks, first + data.capacity() / leaves.geometry().blockBytes());
            while (end < maximum && nextDifference(older, newer, end, end + 1) == end) {
                end++;
            }
            if (end > first) {
                run(firstBlock + first, first, end - first, older, newer);
            }
            block = Math.max(end, first);
        }
    }

    /** First block from {@code from} on that differs or that the older image lacks; {@code to} if there is none. */
    private int nextDifference(ByteBuffer older, ByteBuffer newer, int from, int to) {
        int common = Math.min(to, older.remaining() / digestBytes);
        if (from >= common) {
            return from;
        }
        int length = (common - from) * digestBytes;
        int at = slice(older, from * digestBytes, length).mismatch(slice(newer, from * digestBytes, length));
        return at < 0 ? common : from + at / digestBytes;
    }

    private void run(long firstBlock, int inSpan, int count, ByteBuffer older, ByteBuffer newer)
            throws IOException, BlockException {
        var geometry = leaves.geometry();
        int blockBytes = geometry.blockBytes();
        long offset = firstBlock * blockBytes;
        image.read(offset, data.clear().limit((int) geometry.lengthBytes(firstBlock, count)));
        data.flip();
        kernel.hashBlocks(data, blockBytes, leaves.algorithm(), dataDigests.clear());
        int changed = slice(dataDigests, 0, count * digestBytes)
                .mismatch(slice(newer, inSpan * digestBytes, count * digestBytes));
        if (changed >= 0) {
            throw new BlockException(
                    new BlockError.ImageChanged(image.name(), offset + (long) (changed / digestBytes) * blockBytes));
        }
        for (int i = 0; i < zeroBits.capacity(); i++) {
            zeroBits.put(i, (byte) 0);
        }
        kernel.zeroBlocks(data, blockBytes, zeroBits.clear());
        for (int i = 0; i < count; i++) {
            int at = (inSpan + i) * digestBytes;
            var baseDigest = at < older.remaining() ? slice(older, at, digestBytes) : ByteBuffer.allocate(0);
            if ((zeroBits.get(i / Byte.SIZE) >> i % Byte.SIZE & 1) != 0) {
                delta.addZero(firstBlock + i, baseDigest);
            } else {
                delta.addData(
                        firstBlock + i, slice(data, i * blockBytes, geometry.lengthBytes(firstBlock + i)), baseDigest);
            }
        }
    }

    private static ByteBuffer slice(ByteBuffer buffer, int offsetBytes, int lengthBytes) {
        return buffer.slice(buffer.position() + offsetBytes, lengthBytes);
    }
}
