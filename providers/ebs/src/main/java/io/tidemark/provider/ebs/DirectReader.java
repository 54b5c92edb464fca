package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.DirectCalls.Block;
import io.tidemark.provider.ebs.DirectCalls.PageExpired;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Reads a snapshot by the EBS direct APIs. What a read covers is fetched in parallel, as far as the provider's permits go;
 * the last blocks are kept, for readers ask in smaller steps than Amazon answers in. Memory: the permits' and the kept
 * blocks, of {@value DirectCalls#BLOCK_BYTES} bytes, and one page of tokens.
 */
final class DirectReader implements SnapshotReader {
    /** 16 MiB: what a reader that goes forward in steps of less than a block comes back to. */
    private static final int KEPT_MAXIMUM = 32;
    /** After a list whose tokens are refused at once another one is of no use. */
    private static final int LISTS_MAXIMUM = 3;

    /** For people. */
    private final String id;

    private final String cloudId;
    private final long sizeBytes;
    private final DirectCalls calls;
    private final Semaphore permits;
    private final Map<Integer, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
    private final BlockTokens tokens;
    private final Consumer<DirectReader> onClose;
    private volatile boolean closed;

    DirectReader(
            String id,
            String cloudId,
            long sizeBytes,
            DirectCalls calls,
            Semaphore permits,
            Consumer<DirectReader> onClose) {
        this.id = id;
        this.cloudId = cloudId;
        this.sizeBytes = sizeBytes;
        this.calls = calls;
        this.permits = permits;
        this.onClose = onClose;
        this.tokens = new BlockTokens(cloudId, calls);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        int length = target.remaining();
        if (offsetBytes < 0 || offsetBytes > sizeBytes - length) {
            throw new IllegalArgumentException(
                    "range leaves the image of %s: offset %d, length %d".formatted(id, offsetBytes, length));
        }
        refuseClosed();
        if (length == 0) {
            return;
        }
        int first = Math.toIntExact(offsetBytes / DirectCalls.BLOCK_BYTES);
        int last = Math.toIntExact((offsetBytes + length - 1) / DirectCalls.BLOCK_BYTES);
        if (first == last) {
            copy(block(first), first, offsetBytes, target.slice(target.position(), length));
        } else {
            inParallel(first, last, offsetBytes, target);
        }
        target.position(target.limit());
    }

    private void inParallel(int first, int last, long offsetBytes, ByteBuffer target) throws ProviderException {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> pending = new ArrayList<>();
            for (int index = first; index <= last; index++) {
                int block = index;
                var slice = target.slice(target.position(), target.remaining());
                Callable<Void> work = () -> {
                    copy(block(block), block, offsetBytes, slice);
                    return null;
                };
                pending.add(threads.submit(work));
            }
            await(pending, threads);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unreachable("Amazon, for " + id, "interrupted"), e);
        }
    }

    /** After a failure nobody waits for the rest. */
    private static void await(List<Future<?>> pending, ExecutorService threads)
            throws ExecutionException, InterruptedException {
        boolean whole = false;
        try {
            for (var each : pending) {
                each.get();
            }
            whole = true;
        } finally {
            if (!whole) {
                threads.shutdownNow();
            }
        }
    }

    /** @param target all of the read, whose first byte is at the offset */
    private static void copy(byte[] block, int index, long offsetBytes, ByteBuffer target) {
        long start = (long) index * DirectCalls.BLOCK_BYTES;
        long from = Math.max(start, offsetBytes);
        long to = Math.min(start + DirectCalls.BLOCK_BYTES, offsetBytes + target.capacity());
        target.duplicate()
                .position(Math.toIntExact(from - offsetBytes))
                .put(block, Math.toIntExact(from - start), Math.toIntExact(to - from));
    }

    private byte[] block(int index) throws ProviderException {
        synchronized (kept) {
            var known = kept.get(index);
            if (known != null) {
                return known;
            }
        }
        acquire();
        try {
            refuseClosed();
            var bytes = fetch(index);
            synchronized (kept) {
                kept.put(index, bytes);
                if (kept.size() > KEPT_MAXIMUM) {
                    kept.remove(kept.keySet().iterator().next());
                }
            }
            return bytes;
        } finally {
            permits.release();
        }
    }

    private void acquire() throws ProviderException {
        try {
            permits.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unreachable("Amazon, for " + id, "interrupted"), e);
        }
    }

    private byte[] fetch(int index) throws ProviderException {
        for (int list = 0; list < LISTS_MAXIMUM; list++) {
            Optional<Block> named;
            try {
                named = tokens.find(index);
            } catch (PageExpired e) {
                // Among empty pages; the next list begins at the block.
                tokens.forget();
                continue;
            }
            if (named.isEmpty()) {
                return new byte[DirectCalls.BLOCK_BYTES];
            }
            var bytes = calls.block(cloudId, named.get());
            if (bytes.isPresent()) {
                return bytes.get();
            }
            tokens.forget();
        }
        throw new ProviderException(new ProviderError.Unexpected(
                "GetSnapshotBlock %d of %s".formatted(index, cloudId),
                "INVALID_BLOCK_TOKEN or INVALID_PAGE_TOKEN for tokens just listed"));
    }

    private void refuseClosed() throws ProviderException {
        if (closed) {
            throw new ProviderException(new ProviderError.Conflict(id, "its reader is closed"));
        }
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() {
        closed = true;
        onClose.accept(this);
        synchronized (kept) {
            kept.clear();
        }
    }
}
