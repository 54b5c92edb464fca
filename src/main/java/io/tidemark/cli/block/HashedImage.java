package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.ImageGeometry;
import io.tidemark.block.LeafDigests;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Hashes an image with several threads, span by span, a few spans ahead of its one reader: digests come in order, and
 * memory stays the same for an image of any size.
 */
final class HashedImage implements LeafDigests {
    /** Spans ahead for each thread: one being hashed, one waiting, so that no thread waits for the reader. */
    private static final int SPANS_PER_THREAD = 2;

    private final ImageFile image;
    private final ImageGeometry geometry;
    private final BlockKernel kernel;
    private final HashAlgorithm algorithm;
    private final ExecutorService threads;
    private final ProgressLine progress;
    private final DataRanges data;
    private final int maximumAhead;
    private final ArrayDeque<Future<ByteBuffer>> ahead = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final ByteBuffer zeroDigest;
    private final ByteBuffer lastZeroDigest;
    private ByteBuffer lent;
    private long nextToHash;
    private long nextToReturn;
    private long holeBytes;

    /** @param geometry of the image, or of its first part */
    HashedImage(
            ImageFile image, ImageGeometry geometry, HashAlgorithm algorithm, Hashing hashing, ProgressLine progress) {
        this.image = image;
        this.geometry = geometry;
        this.kernel = hashing.kernel();
        this.algorithm = algorithm;
        this.threads = hashing.threads();
        this.maximumAhead = hashing.threadCount() * SPANS_PER_THREAD;
        this.progress = progress;
        this.data = DataRanges.of(image, geometry);
        this.lent = ByteBuffer.allocateDirect(0);
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
        if (lent.capacity() > 0) {
            free.add(lent);
        }
        while (ahead.size() < maximumAhead && nextToHash < geometry.spanCount()) {
            submit(nextToHash++);
        }
        if (ahead.isEmpty()) {
            lent = ByteBuffer.allocateDirect(0);
            return lent;
        }
        lent = await(ahead.remove());
        nextToReturn++;
        progress.at(
                Math.min(geometry.sizeBytes(), nextToReturn * geometry.spanBlocks() * (long) geometry.blockBytes()));
        return lent;
    }

    @Override
    public void close() {
        ahead.forEach(span -> span.cancel(false));
    }

    private void submit(long span) throws IOException {
        long firstBlock = span * geometry.spanBlocks();
        int blocks = geometry.spanBlocks(span);
        long from = firstBlock * geometry.blockBytes();
        long to = from + geometry.lengthBytes(firstBlock, blocks);
        var ranges = data.within(from, to);
        holeBytes +=
                to - from - ranges.stream().mapToLong(BlockRange::lengthBytes).sum();
        var digests = free.isEmpty()
                ? ByteBuffer.allocateDirect(geometry.spanBlocks() * algorithm.digestBytes())
                : free.remove();
        digests.clear().limit(blocks * algorithm.digestBytes());
        ahead.add(threads.submit(() -> {
            hash(firstBlock, blocks, ranges, digests);
            return digests;
        }));
    }

    private void hash(long firstBlock, int blocks, List<BlockRange> ranges, ByteBuffer digests) throws IOException {
        long block = firstBlock;
        for (var range : ranges) {
            long first = range.offsetBytes() / geometry.blockBytes();
            long count = Math.ceilDiv(range.lengthBytes(), geometry.blockBytes());
            putZeroDigests(block, first, firstBlock, digests);
            int at = Math.toIntExact(first - firstBlock) * algorithm.digestBytes();
            var target = digests.slice(at, Math.toIntExact(count) * algorithm.digestBytes());
            long hashed = kernel.hashFile(
                    image.path(), range.offsetBytes(), range.lengthBytes(), geometry.blockBytes(), algorithm, target);
            if (hashed != count) {
                throw new IOException("%s became shorter while it was read".formatted(image.name()));
            }
            block = first + count;
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
        kernel.hashBlocks(ByteBuffer.allocateDirect(lengthBytes), geometry.blockBytes(), algorithm, digest);
        return digest;
    }

    private static ByteBuffer await(Future<ByteBuffer> span) throws IOException {
        try {
            return span.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while hashing");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failed -> throw new IOException(failed.getMessage(), failed);
                case Error error -> throw error;
                case RuntimeException mistake -> throw mistake;
                case null, default -> throw new AssertionError(e);
            }
        }
    }
}
