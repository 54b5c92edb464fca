package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.ImageGeometry;
import io.tidemark.block.LeafDigests;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileReading;
import io.tidemark.nativeblock.FileScan;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Hashes an image many spans at a time, each batch by one call of the kernel with all threads, one batch ahead of its
 * one reader: digests come in order, and memory stays the same for an image of any size.
 */
final class HashedImage implements LeafDigests {
    /** Half a GiB an image in blocks of any size: starting threads for it costs nothing, its digests are 2 MiB. */
    private static final int SPANS_PER_BATCH = 16;

    private final ImageFile image;
    private final ImageGeometry geometry;
    private final Hashing hashing;
    private final HashAlgorithm algorithm;
    private final ProgressLine progress;
    private final DataRanges data;
    private final ByteBuffer zeroDigest;
    private final ByteBuffer lastZeroDigest;
    private @Nullable Batch ahead;
    private @Nullable Batch current;
    private @Nullable ByteBuffer free;
    private long nextToHash;
    private long nextToReturn;
    private long holeBytes;

    /** Spans from one on, being hashed or done. */
    private record Batch(long firstSpan, ByteBuffer digests, Future<?> done) {}

    /** @param geometry of the image, or of its first part */
    HashedImage(
            ImageFile image, ImageGeometry geometry, HashAlgorithm algorithm, Hashing hashing, ProgressLine progress) {
        this.image = image;
        this.geometry = geometry;
        this.hashing = hashing;
        this.algorithm = algorithm;
        this.progress = progress;
        this.data = DataRanges.of(image, geometry);
        this.zeroDigest = zeroDigest(geometry.blockBytes());
        this.lastZeroDigest =
                zeroDigest(geometry.blockCount() == 0 ? 1 : geometry.lengthBytes(geometry.blockCount() - 1));
    }

    @Override
    public String name() {
        return image.name();
    }

    @Override
    public HashAlgorithm algorithm() {
        return algorithm;
    }

    @Override
    public ImageGeometry geometry() {
        return geometry;
    }

    /** Bytes of holes found so far: they were not read. */
    long holeBytes() {
        return holeBytes;
    }

    @Override
    public ByteBuffer nextSpan() throws IOException, BlockException {
        if (nextToReturn == geometry.spanCount()) {
            return ByteBuffer.allocate(0);
        }
        if (current == null || nextToReturn == current.firstSpan + SPANS_PER_BATCH) {
            advance();
        }
        if (current == null) {
            throw new AssertionError("no batch for span " + nextToReturn);
        }
        int spanBytes = geometry.spanBlocks() * algorithm.digestBytes();
        int at = Math.toIntExact(nextToReturn - current.firstSpan) * spanBytes;
        return current.digests.slice(at, geometry.spanBlocks(nextToReturn++) * algorithm.digestBytes());
    }

    /** Makes the batch ahead the current one, and starts the one after it. */
    private void advance() throws IOException, BlockException {
        if (current != null) {
            free = current.digests;
        }
        current = ahead == null ? submit() : ahead;
        ahead = null;
        hashing.await(current.done, progress);
        image.checkStillNamed(current.firstSpan * geometry.spanBlocks() * geometry.blockBytes());
        // While the reader takes this batch, the next one is hashed.
        if (nextToHash < geometry.spanCount()) {
            ahead = submit();
        }
    }

    @Override
    public void close() {
        hashing.cancel();
    }

    private Batch submit() throws IOException {
        long firstSpan = nextToHash;
        nextToHash = Math.min(geometry.spanCount(), firstSpan + SPANS_PER_BATCH);
        long firstBlock = firstSpan * geometry.spanBlocks();
        int blocks = Math.toIntExact(Math.min(geometry.blockCount(), nextToHash * geometry.spanBlocks()) - firstBlock);
        long from = firstBlock * geometry.blockBytes();
        long to = from + geometry.lengthBytes(firstBlock, blocks);
        var ranges = data.within(from, to);
        long skipped =
                to - from - ranges.stream().mapToLong(BlockRange::lengthBytes).sum();
        holeBytes += skipped;
        hashing.skipped(skipped);
        int room = geometry.spanBlocks() * SPANS_PER_BATCH * algorithm.digestBytes();
        var digests = free == null ? ByteBuffer.allocateDirect(Math.min(room, blocks * algorithm.digestBytes())) : free;
        free = null;
        digests.clear().limit(blocks * algorithm.digestBytes());
        putZeroDigests(firstBlock, blocks, ranges, digests);
        var scan = FileScan.digests(image.path(), reading(from, ranges), algorithm, digests);
        return new Batch(
                firstSpan,
                digests,
                hashing.submit(image.name(), control -> hashing.kernel().scanFile(scan, control)));
    }

    private FileReading reading(long fromBytes, List<BlockRange> ranges) {
        var read = ranges.stream()
                .map(range -> new FileRange(range.offsetBytes(), range.lengthBytes()))
                .toList();
        return hashing.reading(fromBytes, read, geometry.blockBytes());
    }

    /** For every block that no range covers. */
    private void putZeroDigests(long firstBlock, int blocks, List<BlockRange> ranges, ByteBuffer digests) {
        long block = firstBlock;
        for (var range : ranges) {
            long first = range.offsetBytes() / geometry.blockBytes();
            putZeroDigests(block, first, firstBlock, digests);
            block = first + Math.ceilDiv(range.lengthBytes(), geometry.blockBytes());
        }
        putZeroDigests(block, firstBlock + blocks, firstBlock, digests);
    }

    private void putZeroDigests(long from, long to, long firstBlock, ByteBuffer digests) {
        for (long block = from; block < to; block++) {
            boolean last = block == geometry.blockCount() - 1;
            int at = Math.toIntExact(block - firstBlock) * algorithm.digestBytes();
            digests.put(at, last ? lastZeroDigest : zeroDigest, 0, algorithm.digestBytes());
        }
    }

    private ByteBuffer zeroDigest(int lengthBytes) {
        var digest = ByteBuffer.allocateDirect(algorithm.digestBytes());
        hashing.kernel().hashBlocks(ByteBuffer.allocateDirect(lengthBytes), geometry.blockBytes(), algorithm, digest);
        return digest;
    }
}
