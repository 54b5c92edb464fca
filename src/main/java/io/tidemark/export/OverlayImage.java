package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.export.protocol.NbdLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An image that can be written without its base being written: blocks of 4 KiB are kept in a sparse file as large as the
 * image, which goes with it; what a killed process leaves is removed at the next start. Flushing does nothing.
 *
 * <p>Changes are made under {@code lock}. Readers take none. A block is in {@code stored} before bytes of it are in the
 * file, and they are there before it is in {@code changed}: what a failed write leaves is no part of the image, and is
 * cleared where the block becomes zeros.
 */
final class OverlayImage implements ExportImage {
    private static final int BLOCK_BYTES = NbdLimits.BLOCK_BYTES_PREFERRED;

    /** Most that is brought into being at once for zeros that keep their space. */
    private static final int ZERO_BYTES = 1 << 20;

    private final ExportImage base;
    private final Path path;
    private final FileImage file;
    private final OverlayMeans means;
    private final SetMemory.Share memory;
    /** Blocks that are not the base's any more. */
    private final BlockSet changed;
    /** Those with bytes in the file; others that are changed are zeros. */
    private final BlockSet stored;

    private final ReentrantLock lock = new ReentrantLock();
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);

    private OverlayImage(ExportImage base, Path path, OverlayMeans means, SetMemory.Share memory) throws IOException {
        this.base = base;
        this.path = path;
        this.means = means;
        this.memory = memory;
        long blockCount = Math.ceilDiv(base.sizeBytes(), (long) BLOCK_BYTES);
        this.changed = means.sets().of(blockCount, memory);
        this.stored = means.sets().of(blockCount, memory);
        this.file = FileImage.open(path, true, means.host());
    }

    /**
     * @param base closed with this, and when this fails
     * @param path of a file that does not exist yet
     * @throws OutOfSpaceException where there is no memory for its sets
     * @throws IOException where its file system has no files as large as the image
     */
    static OverlayImage over(ExportImage base, Path path, OverlayMeans means) throws IOException {
        var memory = means.memory().share();
        try {
            try (var made = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                long whole = Math.ceilDiv(base.sizeBytes(), (long) BLOCK_BYTES) * BLOCK_BYTES;
                if (whole > 0) {
                    // Of the last block, which is not looked at before it is written.
                    made.write(ByteBuffer.allocate(1), whole - 1);
                }
                return new OverlayImage(base, path, means, memory);
            } catch (FileAlreadyExistsException e) {
                // Another overlay's.
                throw e;
            } catch (IOException e) {
                Files.deleteIfExists(path);
                throw e;
            }
        } catch (IOException e) {
            memory.close();
            base.close();
            throw e;
        }
    }

    @Override
    public long sizeBytes() {
        return base.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        long at = offsetBytes;
        int limit = target.limit();
        long end = at + target.remaining();
        while (at < end) {
            long number = at / BLOCK_BYTES;
            boolean own = changed.contains(number);
            long run = changed.runEnd(number, Math.ceilDiv(end, (long) BLOCK_BYTES), own);
            if (run == number) {
                // Changed since the look before, which happens once to a block at most.
                continue;
            }
            long until = Math.min(end, run * BLOCK_BYTES);
            target.limit(target.position() + (int) (until - at));
            if (own) {
                file.read(at, target);
            } else {
                base.read(at, target);
            }
            target.limit(limit);
            at = until;
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        lock.lock();
        try {
            long end = offsetBytes + source.remaining();
            long firstBlock = offsetBytes / BLOCK_BYTES;
            long endBlock = Math.ceilDiv(end, (long) BLOCK_BYTES);
            reserve(firstBlock, endBlock);
            completeEdges(offsetBytes, end);
            stored.add(firstBlock, endBlock);
            file.write(offsetBytes, source);
            changed.add(firstBlock, endBlock);
        } finally {
            lock.unlock();
        }
    }

    private void reserve(long firstBlock, long endBlock) throws IOException {
        long more = stored.missing(firstBlock, endBlock) * BLOCK_BYTES;
        if (more == 0) {
            return;
        }
        long needed = ownBytes() + more;
        if (needed > means.bytesMaximum()) {
            throw new OutOfSpaceException("the overlay may take %d bytes (exports.overlayBytesMaximum), %d are needed"
                    .formatted(means.bytesMaximum(), needed));
        }
        long usable = means.room().usableBytes();
        if (usable - more < OverlayMeans.FREE_BYTES_MINIMUM) {
            throw new OutOfSpaceException(
                    "%d bytes are free where the overlay lies, of which overlays leave %d to others"
                            .formatted(usable, OverlayMeans.FREE_BYTES_MINIMUM));
        }
    }

    /** Blocks of which only a part is written get the rest of the base's. */
    private void completeEdges(long offsetBytes, long endBytes) throws IOException {
        long firstBlock = offsetBytes / BLOCK_BYTES;
        long lastBlock = (endBytes - 1) / BLOCK_BYTES;
        if (offsetBytes % BLOCK_BYTES != 0 || (firstBlock == lastBlock && partial(endBytes))) {
            complete(firstBlock);
        }
        if (lastBlock != firstBlock && partial(endBytes)) {
            complete(lastBlock);
        }
    }

    /** Whether bytes of the image follow in the block in which the range ends. */
    private boolean partial(long endBytes) {
        return endBytes % BLOCK_BYTES != 0 && endBytes != sizeBytes();
    }

    private void complete(long number) throws IOException {
        if (changed.contains(number)) {
            return;
        }
        long start = number * BLOCK_BYTES;
        block.clear().limit((int) Math.min(BLOCK_BYTES, sizeBytes() - start));
        base.read(start, block);
        stored.add(number, number + 1);
        file.write(start, block.flip());
        changed.add(number, number + 1);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        long end = offsetBytes + lengthBytes;
        long firstWhole = Math.ceilDiv(offsetBytes, (long) BLOCK_BYTES);
        long endWhole = end == sizeBytes() ? Math.ceilDiv(end, (long) BLOCK_BYTES) : end / BLOCK_BYTES;
        if (keepSpace || firstWhole >= endWhole) {
            zeros(offsetBytes, end);
            return;
        }
        zeros(offsetBytes, firstWhole * BLOCK_BYTES);
        forget(firstWhole, endWhole);
        zeros(Math.min(end, endWhole * BLOCK_BYTES), end);
    }

    private void zeros(long fromBytes, long endBytes) throws IOException {
        if (fromBytes >= endBytes) {
            return;
        }
        var zeros = ByteBuffer.allocate((int) Math.min(ZERO_BYTES, endBytes - fromBytes));
        for (long at = fromBytes; at < endBytes; at += zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), endBytes - at));
            write(at, zeros);
        }
    }

    /** Whole blocks become zeros; the file has holes where it never had bytes of them. */
    private void forget(long firstBlock, long endBlock) throws IOException {
        lock.lock();
        try {
            for (long at = firstBlock; at < endBlock; ) {
                boolean kept = stored.contains(at);
                long run = stored.runEnd(at, endBlock, kept);
                if (kept) {
                    release(at, run);
                }
                at = run;
            }
            changed.add(firstBlock, endBlock);
        } finally {
            lock.unlock();
        }
    }

    private void release(long firstBlock, long endBlock) throws IOException {
        long from = firstBlock * BLOCK_BYTES;
        long length = (endBlock - firstBlock) * BLOCK_BYTES;
        if (file.punch(from, length)) {
            stored.remove(firstBlock, endBlock);
        } else {
            file.writeZeroes(from, length, true);
        }
    }

    @Override
    public void flush() {
        // Nothing of it is to outlive the process.
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        var runs = new ArrayList<Extent>();
        long end = offsetBytes + lengthBytes;
        long endBlock = Math.ceilDiv(end, (long) BLOCK_BYTES);
        for (long at = offsetBytes; at < end && runs.size() < maximum; ) {
            long number = at / BLOCK_BYTES;
            boolean own = changed.contains(number);
            long run = changed.runEnd(number, endBlock, own);
            if (run == number) {
                // As in a read.
                continue;
            }
            long until = Math.min(end, run * BLOCK_BYTES);
            if (own) {
                boolean zero = !stored.contains(number);
                // Where that block has changed since, either answer is right, of it alone.
                long alike = Math.max(number + 1, stored.runEnd(number, run, !zero));
                until = Math.min(until, alike * BLOCK_BYTES);
                runs.add(new Extent(until - at, zero));
            } else {
                var ofBase = base.extents(at, until - at, maximum - runs.size());
                runs.addAll(ofBase);
                until = at + ofBase.stream().mapToLong(Extent::lengthBytes).sum();
            }
            at = until;
        }
        return runs;
    }

    @Override
    public Optional<FileChannel> file() {
        return Optional.empty();
    }

    @Override
    public long ownBytes() {
        return stored.size() * BLOCK_BYTES;
    }

    @Override
    public void ending() {
        base.ending();
    }

    @Override
    public void close() throws IOException {
        try (base;
                memory;
                file) {
            Files.deleteIfExists(path);
        }
    }
}
