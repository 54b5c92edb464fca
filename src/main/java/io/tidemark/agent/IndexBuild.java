package io.tidemark.agent;

import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.ChangedRuns;
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
 * none far ahead of the others; else, or where the file cannot be written, there is no index and reading goes on.
 */
final class IndexBuild implements AutoCloseable {
    static final HashAlgorithm ALGORITHM = HashAlgorithm.XXH3_128;

    /** Digests of so many reads wait for the one before them: 2 MiB a core are under way, read in pieces of 1 MiB. */
    private static final int AHEAD_MAXIMUM = 256;

    private final BlockKernel kernel;
    private final IndexFile file;
    private final ImageGeometry geometry;
    private final BlockIndexWriter writer;
    private final TreeMap<Long, ByteBuffer> ahead = new TreeMap<>();
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private long nextBlock;
    private @Nullable String broken;

    /** @param file empty; closed with this */
    IndexBuild(BlockKernel kernel, IndexFile file, long sizeBytes) {
        this.kernel = kernel;
        this.file = file;
        this.geometry = new ImageGeometry(sizeBytes, ChangedRuns.BLOCK_BYTES);
        this.writer = new BlockIndexWriter(file, kernel, ALGORITHM, geometry);
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
        if (firstBlock < nextBlock || ahead.size() == AHEAD_MAXIMUM || ahead.put(firstBlock, digests) != null) {
            fail("block %d was read where block %d was due".formatted(firstBlock, nextBlock));
            return;
        }
        try {
            for (var due = ahead.remove(nextBlock); due != null; due = ahead.remove(nextBlock)) {
                nextBlock += due.remaining() / ALGORITHM.digestBytes();
                writer.append(due);
                free.add(due);
            }
        } catch (IOException e) {
            fail(String.valueOf(e.getMessage()));
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
