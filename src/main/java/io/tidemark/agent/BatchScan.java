package io.tidemark.agent;

import static io.tidemark.block.ChangedRuns.BLOCK_BYTES;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileReading;
import io.tidemark.nativeblock.FileScan;
import io.tidemark.nativeblock.ReadBy;
import io.tidemark.nativeblock.ScanControl;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * One pass over a batch of a snapshot's blocks on several cores: hashed, compared with stored digests, tested for zeros.
 * By one call of the kernel where the snapshot is a file of this host; else in pieces of {@value #PIECE_BYTES} bytes
 * through its reader, of which a core holds one.
 */
final class BatchScan implements AutoCloseable {
    private static final int PIECE_BYTES = 1 << 20;

    /** Reading from memory and hashing is bound by the memory's rate: more cores than this add nothing. */
    private static final int CORES_MAXIMUM = 4;

    private final SnapshotReader snapshot;
    private final BlockKernel kernel;
    private final Optional<Path> path;
    private final int cores = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, CORES_MAXIMUM);
    private final ScanControl control = new ScanControl();
    private final ExecutorService readers;
    private final ThreadLocal<ByteBuffer> pieces =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(PIECE_BYTES));

    BatchScan(SnapshotReader snapshot, BlockKernel kernel) {
        this.snapshot = snapshot;
        this.kernel = kernel;
        this.path = snapshot.path();
        // Starts none before it is asked: where there is a path, it never is.
        this.readers = Executors.newFixedThreadPool(
                cores, Thread.ofPlatform().name("tidemark-scan-", 0).daemon().factory());
    }

    /** Fills digests and bits of the batch, whose stored digests are there. */
    void run(StoredIndexComparison.Batch batch) throws IOException, ProviderException {
        if (path.isPresent()) {
            var range = new FileRange(batch.offsetBytes, batch.lengthBytes);
            kernel.scanFile(
                    new FileScan(
                            path.get(),
                            new FileReading(batch.offsetBytes, List.of(range), BLOCK_BYTES, cores, ReadBy.MAPPED),
                            IndexBuild.ALGORITHM,
                            Optional.of(batch.digests),
                            Optional.of(new FileScan.Stored(batch.stored, batch.differing)),
                            Optional.of(batch.zero)),
                    control);
            return;
        }
        var calls = new ArrayList<Future<?>>();
        for (int at = 0; at < batch.lengthBytes; at += PIECE_BYTES) {
            int from = at;
            calls.add(readers.submit(() -> {
                piece(batch, from, Math.min(PIECE_BYTES, batch.lengthBytes - from));
                return batch;
            }));
        }
        await(calls);
    }

    private void piece(StoredIndexComparison.Batch batch, int from, int length) throws ProviderException {
        var data = pieces.get().clear().limit(length);
        snapshot.read(batch.offsetBytes + from, data);
        data.flip();
        int digestBytes = IndexBuild.ALGORITHM.digestBytes();
        int firstBlock = from / BLOCK_BYTES;
        int blocks = Math.ceilDiv(length, BLOCK_BYTES);
        var digests = batch.digests.slice(firstBlock * digestBytes, blocks * digestBytes);
        kernel.hashBlocks(data, BLOCK_BYTES, IndexBuild.ALGORITHM, digests);
        // A piece's bits begin and end at a byte: no two threads write one.
        kernel.zeroBlocks(data, BLOCK_BYTES, batch.zero.slice(firstBlock / Byte.SIZE, Math.ceilDiv(blocks, Byte.SIZE)));
        var stored = batch.stored.slice(firstBlock * digestBytes, blocks * digestBytes);
        for (int block = nextUnlike(digests, stored, 0, digestBytes);
                block < blocks;
                block = nextUnlike(digests, stored, block + 1, digestBytes)) {
            int at = (firstBlock + block) / Byte.SIZE;
            batch.differing.put(at, (byte) (batch.differing.get(at) | 1 << (firstBlock + block) % Byte.SIZE));
        }
    }

    private static int nextUnlike(ByteBuffer digests, ByteBuffer stored, int fromBlock, int digestBytes) {
        int from = fromBlock * digestBytes;
        int left = digests.limit() - from;
        int at = digests.slice(from, left).mismatch(stored.slice(from, left));
        return at < 0 ? digests.limit() / digestBytes : fromBlock + at / digestBytes;
    }

    private static void await(List<Future<?>> calls) throws IOException, ProviderException {
        try {
            for (var call : calls) {
                call.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading a snapshot", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failed) {
                throw failed;
            }
            throw new IllegalStateException("hashing failed: " + e.getMessage(), e);
        }
    }

    /** A call under way ends soon, and later ones at once. */
    void cancel() {
        control.cancel();
        readers.shutdown();
    }

    /** Waits for the reads in work. */
    @Override
    public void close() {
        readers.close();
    }
}
