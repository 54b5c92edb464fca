package io.tidemark.provider.cloud;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/**
 * Reads a cloud's image by chunks of one size. What a read covers is fetched in parallel, as far as the provider's permits go;
 * the last chunks are kept, for readers ask in smaller steps than clouds answer in. Memory: the permits' and the kept chunks.
 * Safe for several threads.
 */
public final class ChunkReads {
    private final Image image;
    private final Semaphore permits;
    private final Fetch fetch;
    private final Map<Integer, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    /**
     * What is read.
     *
     * @param cloud whom a read asks, in words
     * @param id what of, for people
     * @param keptMaximum chunks that are kept
     */
    public record Image(String cloud, String id, long sizeBytes, int chunkBytes, int keptMaximum) {}

    /** Asks the cloud for a chunk. */
    public interface Fetch {
        /** @return all of it; the last one of an image may be shorter, or longer than the image */
        byte[] chunk(int index) throws ProviderException;
    }

    /** @param permits one for each chunk that is asked for, shared by whoever asks this cloud */
    public ChunkReads(Image image, Semaphore permits, Fetch fetch) {
        this.image = image;
        this.permits = permits;
        this.fetch = fetch;
    }

    /**
     * Fills the target from the offset on.
     *
     * @throws IllegalArgumentException where the range leaves the image
     * @throws ProviderException Conflict after {@link #close}, else a chunk's; the target then has any bytes
     */
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        int length = target.remaining();
        if (offsetBytes < 0 || offsetBytes > image.sizeBytes() - length) {
            throw new IllegalArgumentException(
                    "range leaves the image of %s: offset %d, length %d".formatted(image.id(), offsetBytes, length));
        }
        refuseClosed();
        if (length == 0) {
            return;
        }
        int first = Math.toIntExact(offsetBytes / image.chunkBytes());
        int last = Math.toIntExact((offsetBytes + length - 1) / image.chunkBytes());
        var slice = target.slice(target.position(), length);
        if (first == last) {
            copy(chunk(first), first, offsetBytes, slice);
        } else {
            inParallel(first, last, offsetBytes, slice);
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
            await(pending, threads);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw interrupted(e);
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
    private void copy(byte[] chunk, int index, long offsetBytes, ByteBuffer target) {
        long start = (long) index * image.chunkBytes();
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
            var bytes = fetch.chunk(index);
            keep(index, bytes);
            return bytes;
        } finally {
            permits.release();
        }
    }

    private void keep(int index, byte[] bytes) {
        synchronized (kept) {
            if (closed) {
                return;
            }
            kept.put(index, bytes);
            if (kept.size() > image.keptMaximum()) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
    }

    private ProviderException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return new ProviderException(
                new ProviderError.Unreachable("%s, for %s".formatted(image.cloud(), image.id()), "interrupted"), cause);
    }

    /** @throws ProviderException Conflict after {@link #close} */
    public void refuseClosed() throws ProviderException {
        synchronized (kept) {
            if (closed) {
                throw new ProviderException(new ProviderError.Conflict(image.id(), "its reader is closed"));
            }
        }
    }

    /**
     * Nothing is read any more.
     *
     * @return whether it was open until now
     */
    public boolean close() {
        synchronized (kept) {
            boolean was = !closed;
            closed = true;
            kept.clear();
            return was;
        }
    }
}
