package io.tidemark.block;

import java.nio.ByteBuffer;

/**
 * Finds the blocks whose digests differ, looking under a node only where the two nodes differ: the cost follows the
 * difference, not the image. Depth first and in runs, so leaves come in ascending order, memory stays at two fetches a
 * level, and a peer is asked once for up to {@link ChecksumTree#MAXIMUM_DIGESTS_PER_CALL} neighbouring digests.
 *
 * @param <A> what fetching from the left tree throws
 * @param <B> what fetching from the right tree throws
 */
public final class TreeComparison<A extends Exception, B extends Exception> {
    /** Nodes whose children are fetched together. */
    private static final int RUN_NODES = ChecksumTree.MAXIMUM_DIGESTS_PER_CALL / ChecksumTree.FAN_OUT;

    /** Hears of runs of differing blocks, in ascending order, disjoint; neighbouring runs are not always merged. */
    @FunctionalInterface
    public interface Differences<C extends Exception> {
        void differ(long firstBlock, int blockCount) throws C;
    }

    private final DigestLevels<A> left;
    private final DigestLevels<B> right;

    /** @throws IllegalArgumentException unless both have the same algorithm and shape */
    public TreeComparison(DigestLevels<A> left, DigestLevels<B> right) {
        if (left.algorithm() != right.algorithm()) {
            throw new IllegalArgumentException(
                    "trees use different algorithms: %s and %s".formatted(left.algorithm(), right.algorithm()));
        }
        if (left.levels() != right.levels() || left.count(0) != right.count(0)) {
            throw new IllegalArgumentException(
                    "trees stand for different numbers of blocks: %d and %d".formatted(left.count(0), right.count(0)));
        }
        this.left = left;
        this.right = right;
    }

    /** Tells every differing block. */
    public <C extends Exception> void run(Differences<C> differences) throws A, B, C {
        int top = left.levels() - 1;
        for (long from = 0; from < left.count(top); from += RUN_NODES) {
            compare(top, from, (int) Math.min(RUN_NODES, left.count(top) - from), differences);
        }
    }

    private <C extends Exception> void compare(int level, long from, int count, Differences<C> differences)
            throws A, B, C {
        int digestBytes = left.algorithm().digestBytes();
        var leftDigests = left.digests(level, from, count);
        var rightDigests = right.digests(level, from, count);
        int index = 0;
        while (index < count) {
            int at = leftDigests.mismatch(rightDigests.duplicate());
            if (at < 0) {
                return;
            }
            int first = index + at / digestBytes;
            int end = first;
            // A digest that differs anywhere counts as one; the run ends at the first equal digest.
            while (end < count && differsAt(leftDigests, rightDigests, (end - index) * digestBytes, digestBytes)) {
                end++;
            }
            under(level, from + first, end - first, differences);
            leftDigests.position(leftDigests.position() + (end - index) * digestBytes);
            rightDigests.position(rightDigests.position() + (end - index) * digestBytes);
            index = end;
        }
    }

    private static boolean differsAt(ByteBuffer left, ByteBuffer right, int offsetBytes, int lengthBytes) {
        return left.slice(left.position() + offsetBytes, lengthBytes)
                        .mismatch(right.slice(right.position() + offsetBytes, lengthBytes))
                >= 0;
    }

    private <C extends Exception> void under(int level, long first, int count, Differences<C> differences)
            throws A, B, C {
        if (level == 0) {
            differences.differ(first, count);
            return;
        }
        for (long node = first; node < first + count; node += RUN_NODES) {
            long nodes = Math.min(RUN_NODES, first + count - node);
            long childFrom = node * ChecksumTree.FAN_OUT;
            long childEnd = Math.min((node + nodes) * ChecksumTree.FAN_OUT, left.count(level - 1));
            compare(level - 1, childFrom, (int) (childEnd - childFrom), differences);
        }
    }
}
