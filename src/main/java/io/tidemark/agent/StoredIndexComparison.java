package io.tidemark.agent;

import io.tidemark.block.BlockIndex;
import io.tidemark.block.ChangedRun;
import io.tidemark.block.ChangedRuns;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot compared wholly with the index of an older one: only the newer one is read, hashed and compared in one
 * pass, one batch ahead of whoever sends; what differs is read again to be sent. Gives the same blocks in the same order
 * as comparing both snapshots, unless two blocks have one XXH3-128 digest. Holds two batches' digests and bits, and what
 * {@link BatchScan} holds.
 */
final class StoredIndexComparison implements ChangedRuns {
    private static final int CANCEL_POLL_MILLIS = 20;

    /** Hears of blocks that differ, in order, before they are given. */
    @FunctionalInterface
    interface Changes {
        /** @param digests of the newer blocks */
        void put(long firstBlock, ByteBuffer digests);
    }

    /** What goes on where the index cannot be read on. */
    @FunctionalInterface
    interface Rest {
        ChangedRuns from(long offsetBytes, IOException reason);
    }

    private final SnapshotReader newer;
    private final BlockIndex index;
    private final BatchScan scan;
    private final Changes changes;
    private final Rest rest;
    private final BlockKernel kernel;
    private final BooleanSupplier cancelled;
    private final ExecutorService ahead = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("tidemark-compare-index").daemon().factory());
    private final ByteBuffer data = ByteBuffer.allocateDirect(RUN_BYTES_MAXIMUM);
    private Batch current = new Batch();
    private Batch next = new Batch();
    private @Nullable Future<?> scanning;
    private long nextToScan;
    private int block;
    private long scannedBytes;
    private long readAgainBytes;
    private long changedBytes;
    private @Nullable ChangedRuns instead;

    /** Digests and bits of the blocks of one batch. */
    static final class Batch {
        static final int BYTES = 16 << 20;
        static final int BLOCKS = BYTES / BLOCK_BYTES;
        final ByteBuffer digests = ByteBuffer.allocateDirect(BLOCKS * IndexBuild.ALGORITHM.digestBytes());
        final ByteBuffer stored = ByteBuffer.allocateDirect(BLOCKS * IndexBuild.ALGORITHM.digestBytes());
        final ByteBuffer differing = ByteBuffer.allocateDirect(BLOCKS / Byte.SIZE);
        final ByteBuffer zero = ByteBuffer.allocateDirect(BLOCKS / Byte.SIZE);
        long offsetBytes;
        int lengthBytes;
        /** Why the index could not be read. */
        @Nullable
        IOException unreadable;

        int blockCount() {
            return Math.ceilDiv(lengthBytes, BLOCK_BYTES);
        }

        void begin(long offset, int length) {
            offsetBytes = offset;
            lengthBytes = length;
            unreadable = null;
            for (int at = 0; at < differing.capacity(); at += Long.BYTES) {
                differing.putLong(at, 0);
                zero.putLong(at, 0);
            }
            int digestsBytes = blockCount() * IndexBuild.ALGORITHM.digestBytes();
            digests.clear().limit(digestsBytes);
            stored.clear().limit(digestsBytes);
            differing.clear();
            zero.clear();
        }

        boolean differs(int index) {
            return (differing.get(index / Byte.SIZE) >> index % Byte.SIZE & 1) != 0;
        }

        boolean isZero(int index) {
            return (zero.get(index / Byte.SIZE) >> index % Byte.SIZE & 1) != 0;
        }
    }

    /**
     * @param newer the caller's to close
     * @param index of a snapshot of the same size; read by a thread of this until it is closed
     * @param resumeBytes blocks below this offset are left out; a multiple of 4 KiB, or the end of the image
     */
    StoredIndexComparison(
            SnapshotReader newer,
            BlockIndex index,
            BlockKernel kernel,
            long resumeBytes,
            Changes changes,
            Rest rest,
            BooleanSupplier cancelled) {
        this.newer = newer;
        this.index = index;
        this.scan = new BatchScan(newer, kernel);
        this.changes = changes;
        this.rest = rest;
        this.kernel = kernel;
        this.cancelled = cancelled;
        this.nextToScan = resumeBytes;
    }

    @Override
    public Optional<ChangedRun> next() throws ProviderException {
        while (true) {
            if (instead != null) {
                return instead.next();
            }
            while (block < current.blockCount() && !current.differs(block)) {
                block++;
            }
            if (block < current.blockCount()) {
                return Optional.of(run());
            }
            if (!advance()) {
                return Optional.empty();
            }
        }
    }

    /** The run that begins at the block in work. */
    private ChangedRun run() throws ProviderException {
        int first = block;
        boolean zeros = current.isZero(first);
        int most =
                zeros ? current.blockCount() : Math.min(current.blockCount(), first + RUN_BYTES_MAXIMUM / BLOCK_BYTES);
        while (block < most && current.differs(block) && current.isZero(block) == zeros) {
            block++;
        }
        int digestBytes = IndexBuild.ALGORITHM.digestBytes();
        long offset = current.offsetBytes + (long) first * BLOCK_BYTES;
        int length = Math.min(block * BLOCK_BYTES, current.lengthBytes) - first * BLOCK_BYTES;
        changedBytes += length;
        long firstBlock = offset / BLOCK_BYTES;
        var digests = current.digests.slice(first * digestBytes, (block - first) * digestBytes);
        if (zeros) {
            changes.put(firstBlock, digests);
            return new ChangedRun(offset, length, true, data.slice(0, 0));
        }
        newer.read(offset, data.clear().limit(length));
        readAgainBytes += length;
        // Of what is sent, not of what was scanned: a storage that answers twice must not get an index that hides it.
        kernel.hashBlocks(data.flip(), BLOCK_BYTES, IndexBuild.ALGORITHM, digests);
        changes.put(firstBlock, digests);
        return new ChangedRun(offset, length, false, data.slice(0, length));
    }

    /** The batch that was ahead becomes the current one, and the next is scanned meanwhile. */
    private boolean advance() throws ProviderException {
        if (scanning == null && !scanNext()) {
            return false;
        }
        await();
        var given = current;
        current = next;
        next = given;
        block = 0;
        var unreadable = current.unreadable;
        if (unreadable != null) {
            current.lengthBytes = 0;
            instead = rest.from(current.offsetBytes, unreadable);
            return true;
        }
        scannedBytes += current.lengthBytes;
        scanNext();
        return true;
    }

    private boolean scanNext() {
        scanning = null;
        if (nextToScan >= newer.sizeBytes()) {
            return false;
        }
        var batch = next;
        batch.begin(nextToScan, (int) Math.min(Batch.BYTES, newer.sizeBytes() - nextToScan));
        nextToScan += batch.lengthBytes;
        scanning = ahead.submit(() -> {
            try {
                index.read(0, batch.offsetBytes / BLOCK_BYTES, batch.stored);
                batch.stored.flip();
            } catch (IOException e) {
                batch.unreadable = e;
                return batch;
            }
            scan.run(batch);
            return batch;
        });
        return true;
    }

    private void await() throws ProviderException {
        var call = scanning;
        while (call != null) {
            try {
                call.get(CANCEL_POLL_MILLIS, TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException e) {
                if (cancelled.getAsBoolean()) {
                    throw CancellableReader.ended();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while comparing", e);
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case ProviderException failed -> throw failed;
                    case IOException failed ->
                        throw new ProviderException(
                                new ProviderError.Unexpected("read of a snapshot", String.valueOf(failed.getMessage())),
                                failed);
                    case null, default -> throw new IllegalStateException("comparing failed: " + e.getMessage(), e);
                }
            }
        }
    }

    @Override
    public Counts counts() {
        var mine = new Counts(scannedBytes, scannedBytes + readAgainBytes, scannedBytes, changedBytes);
        return instead == null ? mine : mine.plus(instead.counts());
    }

    @Override
    public long readBytes() {
        return scannedBytes + readAgainBytes + (instead == null ? 0 : instead.readBytes());
    }

    /** Waits for the reads in work: the reader is closed next. */
    @Override
    public void close() throws ProviderException {
        scan.cancel();
        ahead.close();
        scan.close();
        if (instead != null) {
            instead.close();
        }
    }
}
