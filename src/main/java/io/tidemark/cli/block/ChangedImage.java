package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndex;
import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.ChecksumTree;
import io.tidemark.block.DeltaReader;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileScan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Hashes the blocks of an image that a delta names, all that lie within {@value ChecksumTree#MAXIMUM_DIGESTS_PER_CALL}
 * blocks by one call of the kernel with all threads: memory stays the same for an image of any size.
 */
final class ChangedImage {
    private static final int BATCH_BLOCKS = ChecksumTree.MAXIMUM_DIGESTS_PER_CALL;

    private final ImageFile image;
    private final BlockIndex index;
    private final Hashing hashing;
    private final ProgressLine progress;
    private final int blockBytes;
    private final int digestBytes;
    private final ByteBuffer digests;
    private final List<FileRange> batch = new ArrayList<>();
    private long blockCount;

    /** @param index of the image as it was */
    ChangedImage(ImageFile image, BlockIndex index, Hashing hashing, ProgressLine progress) {
        this.image = image;
        this.index = index;
        this.hashing = hashing;
        this.progress = progress;
        this.blockBytes = index.geometry().blockBytes();
        this.digestBytes = index.algorithm().digestBytes();
        long most = Math.min(BATCH_BLOCKS, index.geometry().blockCount());
        this.digests = ByteBuffer.allocateDirect(Math.toIntExact(most * digestBytes));
    }

    /** Blocks hashed so far. */
    long blockCount() {
        return blockCount;
    }

    /** Reads the delta to its end. */
    void putInto(BlockIndexUpdate update, DeltaReader delta) throws IOException, BlockException {
        for (var record = delta.next(); record.isPresent(); record = delta.next()) {
            for (var extent : record.get().extents()) {
                add(extent.firstBlock(), extent.endBlock(), update);
            }
        }
        flush(update);
    }

    private void add(long fromBlock, long toBlock, BlockIndexUpdate update) throws IOException, BlockException {
        for (long first = fromBlock; first < toBlock; ) {
            long batchEnd = (first / BATCH_BLOCKS + 1) * BATCH_BLOCKS;
            long end = Math.min(toBlock, batchEnd);
            if (!batch.isEmpty() && batch.getFirst().offsetBytes() / blockBytes < batchEnd - BATCH_BLOCKS) {
                flush(update);
            }
            long offset = first * blockBytes;
            long length = Math.min(index.geometry().sizeBytes(), end * blockBytes) - offset;
            if (!batch.isEmpty() && batch.getLast().endBytes() == offset) {
                var before = batch.removeLast();
                batch.add(new FileRange(before.offsetBytes(), before.lengthBytes() + length));
            } else {
                batch.add(new FileRange(offset, length));
            }
            first = end;
        }
    }

    private void flush(BlockIndexUpdate update) throws IOException, BlockException {
        if (batch.isEmpty()) {
            return;
        }
        long base = batch.getFirst().offsetBytes();
        var reading = hashing.reading(base, batch, blockBytes);
        digests.clear().limit(Math.toIntExact(reading.blockSpan() * digestBytes));
        var scan = FileScan.digests(image.path(), reading, index.algorithm(), digests);
        hashing.await(hashing.submit(image.name(), control -> hashing.kernel().scanFile(scan, control)), progress);
        image.checkStillNamed(base);
        for (var range : batch) {
            long first = range.offsetBytes() / blockBytes;
            int count = Math.toIntExact(Math.ceilDiv(range.lengthBytes(), blockBytes));
            int at = Math.toIntExact(first - base / blockBytes) * digestBytes;
            update.put(first, digests.slice(at, count * digestBytes));
            blockCount += count;
        }
        batch.clear();
    }
}
