package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Where two images differ, by the digests of their blocks. */
public final class LeafComparison {

    /**
     * @param firstRanges differing ranges in ascending order, merged, up to the number asked for; past the end of the
     *     shorter image everything differs
     */
    public record Outcome(Digest leftRoot, Digest rightRoot, long differingBlocks, List<BlockRange> firstRanges) {
        public Outcome {
            firstRanges = List.copyOf(firstRanges);
        }
    }

    private final LeafDigests left;
    private final LeafDigests right;
    private final int digestBytes;
    private final DifferingRanges differing;

    private LeafComparison(LeafDigests left, LeafDigests right, int maximumRanges) {
        this.left = left;
        this.right = right;
        this.differing = new DifferingRanges(
                left.geometry().blockBytes(),
                Math.max(left.geometry().sizeBytes(), right.geometry().sizeBytes()),
                maximumRanges);
        this.digestBytes = left.algorithm().digestBytes();
    }

    /**
     * Reads both to their ends.
     *
     * @throws BlockException NotComparable when algorithm or block size differ
     */
    public static Outcome run(BlockKernel kernel, LeafDigests left, LeafDigests right, int maximumRanges)
            throws IOException, BlockException {
        DeltaMaker.checkComparable(left, right);
        return new LeafComparison(left, right, maximumRanges).run(kernel);
    }

    private Outcome run(BlockKernel kernel) throws IOException, BlockException {
        var leftRoot = new TreeHasher(kernel, left.algorithm());
        var rightRoot = new TreeHasher(kernel, left.algorithm());
        long spans = Math.max(left.geometry().spanCount(), right.geometry().spanCount());
        for (long span = 0; span < spans; span++) {
            var a = left.nextSpan();
            var b = right.nextSpan();
            compare(span * left.geometry().spanBlocks(), a, b);
            leftRoot.append(a, TreeHasher.Sink.none());
            rightRoot.append(b, TreeHasher.Sink.none());
        }
        return new Outcome(
                leftRoot.finish(TreeHasher.Sink.none()),
                rightRoot.finish(TreeHasher.Sink.none()),
                differing.differingBlocks(),
                differing.ranges());
    }

    private void compare(long firstBlock, ByteBuffer a, ByteBuffer b) {
        int blocks = Math.max(a.remaining(), b.remaining()) / digestBytes;
        int common = Math.min(a.remaining(), b.remaining()) / digestBytes;
        for (int block = 0; block < common; ) {
            int from = block * digestBytes;
            int length = (common - block) * digestBytes;
            int at = a.slice(a.position() + from, length).mismatch(b.slice(b.position() + from, length));
            if (at < 0) {
                break;
            }
            block += at / digestBytes;
            differing.add(firstBlock + block, 1);
            block++;
        }
        if (common < blocks) {
            differing.add(firstBlock + common, blocks - common);
        }
    }
}
