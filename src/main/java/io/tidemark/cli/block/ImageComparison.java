package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.DifferingRanges;
import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.FileComparison;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Where two images differ, byte by byte, without digests. What is a hole in both is not read; past the end of the
 * shorter image everything differs.
 */
final class ImageComparison {
    /** One call of the kernel: few enough for whole images, and a bitmap of 512 KiB for blocks of 4 KiB. */
    private static final long BATCH_BYTES = 16L << 30;

    private final ImageFile left;
    private final ImageFile right;
    private final int blockBytes;
    private final Hashing hashing;
    private final DifferingRanges differing;

    ImageComparison(ImageFile left, ImageFile right, int blockBytes, Hashing hashing, int maximumRanges) {
        this.left = left;
        this.right = right;
        this.blockBytes = blockBytes;
        this.hashing = hashing;
        this.differing = new DifferingRanges(blockBytes, Math.max(left.sizeBytes(), right.sizeBytes()), maximumRanges);
    }

    DifferingRanges run(ProgressLine progress) throws IOException, BlockException {
        long shorter = Math.min(left.sizeBytes(), right.sizeBytes());
        long longer = Math.max(left.sizeBytes(), right.sizeBytes());
        // A block that is short in one of them only differs, whatever it holds.
        long common = shorter == longer ? longer : shorter / blockBytes * blockBytes;
        var geometry = new ImageGeometry(common, blockBytes);
        var leftData = DataRanges.of(left, geometry);
        var rightData = DataRanges.of(right, geometry);
        long batchBytes = Math.max(BATCH_BYTES, blockBytes);
        for (long from = 0; from < common; from += batchBytes) {
            long to = Math.min(common, from + batchBytes);
            var ranges = union(leftData.within(from, to), rightData.within(from, to));
            hashing.skipped(to
                    - from
                    - ranges.stream().mapToLong(FileRange::lengthBytes).sum());
            batch(from, Math.ceilDiv(to - from, blockBytes), ranges, progress);
        }
        if (shorter != longer) {
            long first = common / blockBytes;
            differing.add(first, Math.ceilDiv(longer, blockBytes) - first);
        }
        return differing;
    }

    private void batch(long fromBytes, long blocks, List<FileRange> ranges, ProgressLine progress)
            throws IOException, BlockException {
        var bits = ByteBuffer.allocateDirect(Math.toIntExact(Math.ceilDiv(blocks, Byte.SIZE)));
        var comparison =
                new FileComparison(left.path(), right.path(), hashing.reading(fromBytes, ranges, blockBytes), bits);
        hashing.await(
                hashing.submit(
                        "%s or %s".formatted(left.name(), right.name()),
                        control -> hashing.kernel().compareFiles(comparison, control)),
                progress);
        left.checkStillNamed(fromBytes);
        right.checkStillNamed(fromBytes);
        long first = fromBytes / blockBytes;
        for (int at = 0; at < bits.capacity(); at++) {
            // Almost all of them are zero.
            for (int set = Byte.toUnsignedInt(bits.get(at)); set != 0; set &= set - 1) {
                differing.add(first + (long) at * Byte.SIZE + Integer.numberOfTrailingZeros(set), 1);
            }
        }
    }

    /** Both lists are ascending, and each is disjoint. */
    static List<FileRange> union(List<BlockRange> left, List<BlockRange> right) {
        var all = new ArrayList<BlockRange>(left);
        all.addAll(right);
        all.sort((a, b) -> Long.compare(a.offsetBytes(), b.offsetBytes()));
        var merged = new ArrayList<FileRange>();
        for (var range : all) {
            if (!merged.isEmpty() && range.offsetBytes() <= merged.getLast().endBytes()) {
                var last = merged.removeLast();
                long end = Math.max(last.endBytes(), range.endBytes());
                merged.add(new FileRange(last.offsetBytes(), end - last.offsetBytes()));
            } else {
                merged.add(new FileRange(range.offsetBytes(), range.lengthBytes()));
            }
        }
        return merged;
    }
}
