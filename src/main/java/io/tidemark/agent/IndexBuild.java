package io.tidemark.agent;

import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.Digest;
import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The index of a snapshot that somebody reads anyway: hashes what passes. Several threads may read, each block once and
 * none far ahead of the others; else, or where the file cannot be written, there is no index and reading goes on. Holes
 * need not be read: where there is no data, blocks are zeros.
 */
final class IndexBuild implements AutoCloseable {
    static final HashAlgorithm ALGORITHM = HashAlgorithm.XXH3_128;

    /** Digests of so many reads wait for the one before them: 2 MiB a core are under way, read in pieces of 1 MiB. */
    private static final int AHEAD_MAXIMUM = 256;

    /** Written at once for a hole: 1 MiB of it. */
    private static final int ZERO_BLOCKS = 256;

    private final BlockKernel kernel;
    private final IndexFile file;
    private final ImageGeometry geometry;
    private final BlockIndexWriter writer;
    private final TreeMap<Long, ByteBuffer> ahead = new TreeMap<>();
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final DataPlaces data;
    private final ByteBuffer zeroDigests = ByteBuffer.allocateDirect(ZERO_BLOCKS * ALGORITHM.digestBytes());
    private long nextBlock;
    private @Nullable String broken;

    /**
     * @param file empty; closed with this
     * @param data of the snapshot; asked by whichever thread reads, one at a time
     */
    IndexBuild(BlockKernel kernel, IndexFile file, long sizeBytes, DataPlaces data) {
        this.data = data;
        this.kernel = kernel;
        this.file = file;
        this.geometry = new ImageGeometry(sizeBytes, ChangedRuns.BLOCK_BYTES);
        this.writer = new BlockIndexWriter(file, kernel, ALGORITHM, geometry);
        var zeros = ByteBuffer.allocateDirect(ChangedRuns.BLOCK_BYTES);
        for (int block = 0; block < ZERO_BLOCKS; block++) {
            kernel.hashBlocks(
                    zeros,
                    ChangedRuns.BLOCK_BYTES,
                    ALGORITHM,
                    zeroDigests.slice(block * ALGORITHM.digestBytes(), ALGORITHM.digestBytes()));
        }
    }

    /** The snapshot, read by way of this. */
    SnapshotReader watched(SnapshotReader snapshot) {
        return new Watched(snapshot);
    }

    private final class Watched implements SnapshotReader {
        private final SnapshotReader snapshot;

        Watched(SnapshotReader snapshot) {
            this.snapshot = snapshot;
        }

        @Override
        public long sizeBytes() {
            return snapshot.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            int from = target.position();
            snapshot.read(offsetBytes, target);
            passed(offsetBytes, target.duplicate().flip().position(from));
        }

        /** What is read by the path would not pass here. */
        @Override
        public Optional<Path> path() {
            return Optional.empty();
        }

        @Override
        public void close() throws ProviderException {
            snapshot.close();
        }
    }

    private void passed(long offsetBytes, ByteBuffer data) {
        if (!data.hasRemaining() || isBroken()) {
            return;
        }
        boolean whole = data.remaining() % ChangedRuns.BLOCK_BYTES == 0
                || offsetBytes + data.remaining() == geometry.sizeBytes();
        if (offsetBytes % ChangedRuns.BLOCK_BYTES != 0 || !whole || !data.isDirect()) {
            fail("%d bytes from byte %d on are no whole blocks".formatted(data.remaining(), offsetBytes));
            return;
        }
        var digests = buffer(Math.ceilDiv(data.remaining(), ChangedRuns.BLOCK_BYTES) * ALGORITHM.digestBytes());
        kernel.hashBlocks(data, ChangedRuns.BLOCK_BYTES, ALGORITHM, digests);
        append(offsetBytes / ChangedRuns.BLOCK_BYTES, digests);
    }

    private synchronized ByteBuffer buffer(int length) {
        var found = free.poll();
        return found == null || found.capacity() < length
                ? ByteBuffer.allocateDirect(length)
                : found.clear().limit(length);
    }

    private synchronized void append(long firstBlock, ByteBuffer digests) {
        if (broken != null) {
            return;
        }
        if (ahead.size() == AHEAD_MAXIMUM || ahead.put(firstBlock, digests) != null) {
            fail("block %d was read where block %d was due".formatted(firstBlock, nextBlock));
            return;
        }
        try {
            do {
                skipHole();
            } while (appendDue());
        } catch (IOException e) {
            fail(String.valueOf(e.getMessage()));
        }
    }

    /** What lies in a hole may be read nevertheless, with what is around it: then it is known already. */
    private boolean appendDue() throws IOException {
        var first = ahead.firstEntry();
        if (first == null || first.getKey() > nextBlock) {
            return false;
        }
        var digests = first.getValue();
        ahead.remove(first.getKey());
        long known = Math.min((nextBlock - first.getKey()) * ALGORITHM.digestBytes(), digests.remaining());
        digests.position(digests.position() + (int) known);
        nextBlock += digests.remaining() / ALGORITHM.digestBytes();
        writer.append(digests);
        free.add(digests);
        return true;
    }

    private void skipHole() throws IOException {
        long dataFrom = data.dataFrom(nextBlock * ChangedRuns.BLOCK_BYTES);
        long wholeBlocks = geometry.sizeBytes() / ChangedRuns.BLOCK_BYTES;
        long dataBlock = Math.min(dataFrom / ChangedRuns.BLOCK_BYTES, wholeBlocks);
        while (nextBlock < dataBlock) {
            int blocks = (int) Math.min(ZERO_BLOCKS, dataBlock - nextBlock);
            writer.append(zeroDigests.slice(0, blocks * ALGORITHM.digestBytes()));
            nextBlock += blocks;
        }
        if (nextBlock == wholeBlocks && nextBlock < geometry.blockCount() && dataFrom >= geometry.sizeBytes()) {
            var zeros = ByteBuffer.allocateDirect((int) (geometry.sizeBytes() % ChangedRuns.BLOCK_BYTES));
            var digest = ByteBuffer.allocateDirect(ALGORITHM.digestBytes());
            kernel.hashBlocks(zeros, ChangedRuns.BLOCK_BYTES, ALGORITHM, digest);
            writer.append(digest);
            nextBlock++;
        }
    }

    private synchronized boolean isBroken() {
        return broken != null;
    }

    private synchronized void fail(String reason) {
        broken = reason;
        ahead.clear();
        free.clear();
    }

    /**
     * Writes what is left; the file is whole, not yet named.
     *
     * @throws IOException when not every block has passed, or the file cannot be written
     */
    synchronized Digest finish() throws IOException {
        if (broken == null) {
            skipHole();
        }
        if (broken != null || nextBlock != geometry.blockCount()) {
            throw new IOException(
                    broken != null ? broken : "%d of %d blocks were read".formatted(nextBlock, geometry.blockCount()));
        }
        return writer.finish();
    }

    @Override
    public synchronized void close() throws IOException {
        fail("closed");
        file.close();
    }
}
