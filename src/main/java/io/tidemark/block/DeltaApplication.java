package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Applies a delta to an image in two passes. The first reads the whole delta and hashes the whole image and changes
 * nothing: it proves that the delta is sound, that every block the delta leaves alone is the base's, that every block
 * it writes holds the base's bytes or already the result's, and that writing them gives the result. The second writes.
 *
 * <p>So a delta may be applied again to an image that has it, and an application that was killed is finished by
 * running it again: blocks are written whole, and it does not matter which of them were.
 */
public final class DeltaApplication {

    /** What the first pass found. */
    public enum State {
        /** The image is the base. */
        BASE,
        /** Some blocks are the result's already: an application before this one did not end. */
        PARTLY_APPLIED,
        /** The image is the result: nothing to write. */
        APPLIED,
        /** The image is something else; only when forced. */
        OTHER
    }

    /**
     * @param resultMatches whether writing gives the result that the delta names; always, unless forced
     */
    public record Check(State state, boolean resultMatches, long dataBlocks, long zeroBlocks) {}

    private final BlockKernel kernel;
    private final DeltaReader delta;
    private final DeltaHeader header;
    private final LeafDigests image;
    private final int digestBytes;
    private final TreeHasher imageRoot;
    private final TreeHasher baseRoot;
    private final TreeHasher resultRoot;
    private long resultBlocks;
    private long strangeBlocks;
    private long firstStrangeBlock;

    private DeltaApplication(BlockKernel kernel, DeltaReader delta, LeafDigests image) {
        this.kernel = kernel;
        this.delta = delta;
        this.header = delta.header();
        this.image = image;
        this.digestBytes = header.algorithm().digestBytes();
        this.imageRoot = new TreeHasher(kernel, header.algorithm());
        this.baseRoot = new TreeHasher(kernel, header.algorithm());
        this.resultRoot = new TreeHasher(kernel, header.algorithm());
    }

    /**
     * How many bytes of an image {@link #check} wants hashed.
     *
     * @param fixedSize a device: it may be larger than what is on it
     * @throws BlockException WrongSize, unless forced
     */
    public static long bytesToHash(DeltaHeader header, String image, long sizeBytes, boolean fixedSize, boolean forced)
            throws BlockException {
        long baseBytes = header.base().sizeBytes();
        long resultBytes = header.result().sizeBytes();
        if (fixedSize) {
            // Force does not help: what does not fit cannot be written.
            if (sizeBytes < Math.max(baseBytes, resultBytes)) {
                throw new BlockException(new BlockError.WrongSize(image, sizeBytes, baseBytes, resultBytes));
            }
            return baseBytes;
        }
        if (sizeBytes != baseBytes && sizeBytes != resultBytes && !forced) {
            throw new BlockException(new BlockError.WrongSize(image, sizeBytes, baseBytes, resultBytes));
        }
        return sizeBytes;
    }

    /**
     * The first pass. Reads the delta and the image's digests to their ends.
     *
     * @param delta freshly opened
     * @param image digests of as many bytes as {@link #bytesToHash} said
     * @param forced go on whatever the image holds
     * @throws BlockException Damaged; NotTheBase or StrangeBlocks, unless forced
     */
    public static Check check(BlockKernel kernel, DeltaReader delta, LeafDigests image, boolean forced)
            throws IOException, BlockException {
        return new DeltaApplication(kernel, delta, image).check(forced);
    }

    /**
     * The second pass: when it returns, the image is durable.
     *
     * @param delta freshly opened, of the file that {@link #check} accepted
     */
    public static void write(DeltaReader delta, ImageWriter image) throws IOException, BlockException {
        var result = delta.header().result();
        if (!image.fixedSize() && image.sizeBytes() < result.sizeBytes()) {
            image.resize(result.sizeBytes());
        }
        for (var record = delta.next(); record.isPresent(); record = delta.next()) {
            var data = record.get().data();
            for (var extent : record.get().extents()) {
                long offset = extent.firstBlock() * result.blockBytes();
                long length = result.lengthBytes(extent.firstBlock(), extent.blockCount());
                if (extent.zero()) {
                    image.writeZeroes(offset, length);
                } else {
                    image.write(offset, data.slice(data.position(), (int) length));
                    data.position(data.position() + (int) length);
                }
            }
        }
        // Cut last: until then the image has all of the base's blocks, and can be checked against it again.
        if (!image.fixedSize() && image.sizeBytes() > result.sizeBytes()) {
            image.flush();
            image.resize(result.sizeBytes());
        }
        image.flush();
    }

    private Check check(boolean forced) throws IOException, BlockException {
        var blocks = new DeltaBlocks(kernel, delta);
        long spans = Math.max(
                image.geometry().spanCount(),
                Math.max(header.base().spanCount(), header.result().spanCount()));
        for (long span = 0; span < spans; span++) {
            span(span, blocks);
        }
        if (blocks.present()) {
            throw new AssertionError("delta names block %d past its image".formatted(blocks.block()));
        }
        var imageDigest = imageRoot.finish(TreeHasher.Sink.none());
        boolean base = baseRoot.finish(TreeHasher.Sink.none()).equals(header.baseRoot());
        boolean result = resultRoot.finish(TreeHasher.Sink.none()).equals(header.resultRoot());
        return new Check(state(imageDigest, base, result, forced), result, delta.dataBlocks(), delta.zeroBlocks());
    }

    private State state(Digest imageDigest, boolean base, boolean result, boolean forced) throws BlockException {
        if (result && imageDigest.equals(header.resultRoot())) {
            return State.APPLIED;
        }
        if (base && strangeBlocks == 0 && result) {
            return resultBlocks > 0 ? State.PARTLY_APPLIED : State.BASE;
        }
        if (forced) {
            return State.OTHER;
        }
        if (!base) {
            throw new BlockException(new BlockError.NotTheBase(image.name(), header.baseRoot(), imageDigest));
        }
        if (strangeBlocks > 0) {
            long offset = firstStrangeBlock * header.base().blockBytes();
            throw new BlockException(new BlockError.StrangeBlocks(image.name(), offset, strangeBlocks));
        }
        throw new BlockException(new BlockError.Damaged(
                delta.name(), DeltaFormat.RESULT_ROOT_OFFSET, "its blocks on its base do not give its result"));
    }

    private void span(long span, DeltaBlocks blocks) throws IOException, BlockException {
        var leaves = image.nextSpan();
        var base = copy(leaves, header.base().spanBlocks(span));
        var result = copy(leaves, header.result().spanBlocks(span));
        long first = span * header.result().spanBlocks();
        long end = first + header.result().spanBlocks();
        while (blocks.present() && blocks.block() < end) {
            int at = (int) (blocks.block() - first) * digestBytes;
            classify(blocks, leaves, at);
            if (blocks.baseDigest().hasRemaining()) {
                base.put(at, blocks.baseDigest(), 0, digestBytes);
            }
            result.put(at, blocks.resultDigest(), 0, digestBytes);
            blocks.advance();
        }
        imageRoot.append(leaves, TreeHasher.Sink.none());
        baseRoot.append(base, TreeHasher.Sink.none());
        resultRoot.append(result, TreeHasher.Sink.none());
    }

    /** Counts what a block that will be written holds now. */
    private void classify(DeltaBlocks blocks, ByteBuffer leaves, int at) {
        long block = blocks.block();
        if (at >= leaves.remaining() || maybeMixed(block)) {
            return;
        }
        var leaf = leaves.slice(leaves.position() + at, digestBytes);
        if (leaf.equals(blocks.resultDigest())) {
            resultBlocks++;
        } else if (!leaf.equals(blocks.baseDigest())) {
            firstStrangeBlock = strangeBlocks == 0 ? block : firstStrangeBlock;
            strangeBlocks++;
        }
    }

    /**
     * Whether a block at the end of base or result may hold bytes that have no digest to compare with: after the image
     * was grown, or before it is cut. It is written anyway.
     */
    private boolean maybeMixed(long block) {
        int length = image.geometry().lengthBytes(block);
        return block >= header.base().blockCount()
                || header.base().lengthBytes(block) != length
                || header.result().lengthBytes(block) < length;
    }

    /** As many digests as asked for; zeros for those that the image does not have. */
    private ByteBuffer copy(ByteBuffer leaves, int blocks) {
        var copy = ByteBuffer.allocate(blocks * digestBytes);
        copy.put(leaves.slice(leaves.position(), Math.min(leaves.remaining(), copy.remaining())));
        return copy.clear();
    }
}
