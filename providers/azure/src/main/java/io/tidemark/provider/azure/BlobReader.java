package io.tidemark.provider.azure;

import io.tidemark.provider.azure.BlobCalls.Refused;
import io.tidemark.provider.azure.Leases.Lease;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
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
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Reads a snapshot by ranges of {@value BlobCalls#CHUNK_BYTES} bytes. What a read covers is fetched in parallel, as far
 * as the provider's permits go; the last chunks are kept, for readers ask in smaller steps. Memory: the permits' and
 * the kept chunks. The signature is given back when it is closed.
 */
final class BlobReader implements SnapshotReader {
    /** 16 MiB: what a reader that goes forward in small steps comes back to. */
    private static final int KEPT_MAXIMUM = 4;

    private static final int RENEWALS_MAXIMUM = 3;

    private final SnapshotId id;
    private final long sizeBytes;
    private final BlobCalls calls;
    private final Lease lease;
    private final Semaphore permits;
    private final Consumer<BlobReader> onClose;
    private final Map<Integer, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    BlobReader(
            SnapshotId id,
            long sizeBytes,
            BlobCalls calls,
            Lease lease,
            Semaphore permits,
            Consumer<BlobReader> onClose) {
        this.id = id;
        this.sizeBytes = sizeBytes;
        this.calls = calls;
        this.lease = lease;
        this.permits = permits;
        this.onClose = onClose;
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
        int first = Math.toIntExact(offsetBytes / BlobCalls.CHUNK_BYTES);
        int last = Math.toIntExact((offsetBytes + length - 1) / BlobCalls.CHUNK_BYTES);
        if (first == last) {
            copy(chunk(first), first, offsetBytes, target.slice(target.position(), length));
        } else {
            inParallel(first, last, offsetBytes, target.slice(target.position(), length));
        }
        target.position(target.limit());
    }

    private void inParallel(int first, int last, long offsetBytes, ByteBuffer target) throws ProviderException {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> pending = new ArrayList<>();
            for (int index = first; index <= last; index++) {
                int chunk = index;
                Callable<Void> work = () -> {
                    copy(chunk(chunk), chunk, offsetBytes, target);
                    return null;
                };
                pending.add(threads.submit(work));
            }
            boolean whole = false;
            try {
                for (var each : pending) {
                    each.get();
                }
                whole = true;
            } finally {
                if (!whole) {
                    // After a failure nobody waits for the rest.
                    threads.shutdownNow();
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** @param target all of the read, whose first byte is at the offset */
    private static void copy(byte[] chunk, int index, long offsetBytes, ByteBuffer target) {
        long start = (long) index * BlobCalls.CHUNK_BYTES;
        long from = Math.max(start, offsetBytes);
        long to = Math.min(start + chunk.length, offsetBytes + target.capacity());
        target.duplicate()
                .position(Math.toIntExact(from - offsetBytes))
                .put(chunk, Math.toIntExact(from - start), Math.toIntExact(to - from));
    }

    private byte[] chunk(int index) throws ProviderException {
        synchronized (kept) {
            var known = kept.get(index);
            if (known != null) {
                return known;
            }
        }
        try {
            permits.acquire();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
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

    private byte[] fetch(int index) throws ProviderException {
        long offset = (long) index * BlobCalls.CHUNK_BYTES;
        int length = Math.toIntExact(Math.min(BlobCalls.CHUNK_BYTES, sizeBytes - offset));
        for (int renewals = 0; ; renewals++) {
            var address = lease.address();
            try {
                return calls.bytes(address, offset, length);
            } catch (Refused e) {
                refuseClosed();
                if (renewals == RENEWALS_MAXIMUM) {
                    throw new ProviderException(new ProviderError.Denied(id.toString(), lease.lacking()), e);
                }
                lease.renew(address);
            }
        }
    }

    private ProviderException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return new ProviderException(new ProviderError.Unreachable("Azure, for " + id, "interrupted"), cause);
    }

    private void refuseClosed() throws ProviderException {
        synchronized (kept) {
            if (closed) {
                throw new ProviderException(new ProviderError.Conflict(id.toString(), "its reader is closed"));
            }
        }
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() throws ProviderException {
        synchronized (kept) {
            if (closed) {
                return;
            }
            closed = true;
            kept.clear();
        }
        onClose.accept(this);
        lease.release();
    }

    /** All of them, whatever fails; the first failure is told. */
    static void releaseAll(List<Lease> leases) throws ProviderException {
        Optional<ProviderException> failure = Optional.empty();
        for (var each : leases) {
            try {
                each.release();
            } catch (ProviderException e) {
                failure = failure.isPresent() ? failure : Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
