package io.tidemark.live;

import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a copy wants done with its volume and its metadata: reads and writes of clients and of the peer at once, what takes
 * longer by a worker.
 */
final class DiskWork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DiskWork.class);
    /** For flushes and the like that are under way at the end. */
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);
    /** Shorter ones cost no more to read than to ask for. */
    private static final int HOLE_BYTES = 64 << 10;
    /** Flush, metadata, and one to spare. */
    private static final int WORKERS = 3;
    /** Of a resync and of digests, of which many may wait: no client's flush waits behind them. */
    private static final int READERS = 2;

    private final String name;
    private final LiveVolume.Parts parts;
    private final Consumer<LiveEvent> told;
    private final ExecutorService workers;
    private final ExecutorService readers;

    /** @param told of what has ended, by a worker */
    DiskWork(String name, LiveVolume.Parts parts, Consumer<LiveEvent> told) {
        this.name = name;
        this.parts = parts;
        this.told = told;
        workers = pool(WORKERS, "tidemark-live-");
        readers = pool(READERS, "tidemark-live-read-");
    }

    private ExecutorService pool(int threads, String prefix) {
        return Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name(prefix + name, 0).daemon().factory());
    }

    Executor workers() {
        return workers;
    }

    /**
     * Does it, or has it done.
     *
     * @param events gets what has ended on return
     */
    void carryOut(LiveEffect effect, List<LiveEvent> events) {
        switch (effect) {
            case LiveEffect.WriteVolume write ->
                events.add(outcome(() -> {
                    write(write.offset(), (Bytes) write.data());
                    return new LiveEvent.Written(write.work());
                }));
            case LiveEffect.ReadVolume read
            when read.isForPeer() ->
                later(readers, () -> new LiveEvent.ReadDone(read.work(), readForPeer(read.offset(), read.length())));
            case LiveEffect.ReadVolume read ->
                events.add(outcome(() -> new LiveEvent.ReadDone(read.work(), read(read.offset(), read.length()))));
            case LiveEffect.ReadDigests read ->
                later(readers, () -> {
                    var data = ByteBuffer.allocateDirect(read.length());
                    parts.disk().read(read.offset(), data);
                    return new LiveEvent.DigestsRead(read.work(), Hashing.of(data.flip(), parts.kernel()));
                });
            case LiveEffect.FlushVolume flush ->
                later(workers, () -> {
                    parts.disk().flush();
                    return new LiveEvent.Flushed(flush.work());
                });
            case LiveEffect.Persist persist ->
                later(workers, () -> {
                    parts.metadata().persist(persist);
                    return new LiveEvent.Persisted(persist.ticket());
                });
            case LiveEffect.KeepVolume keep ->
                later(workers, () -> {
                    parts.keep().keep(keep.isGivenUp());
                    return new LiveEvent.Kept(keep.work());
                });
            case LiveEffect.TellOutdated outdated -> events.add(new LiveEvent.OutdatedTold(outdated.generation()));
            default -> throw new IllegalStateException("done already: " + effect);
        }
    }

    private Bytes readForPeer(long offset, int length) throws IOException {
        return length >= HOLE_BYTES && isHole(offset, length) ? Bytes.zeros(length) : read(offset, length);
    }

    private Bytes read(long offset, int length) throws IOException {
        var data = ByteBuffer.allocate(length);
        parts.disk().read(offset, data);
        return Zeros.orBytes(data.flip());
    }

    private void write(long offset, Bytes bytes) throws IOException {
        var data = bytes.data();
        if (data.isPresent()) {
            parts.disk().write(offset, data.get());
        } else if (bytes.length() < HOLE_BYTES || !isHole(offset, bytes.length())) {
            parts.disk().writeZeroes(offset, bytes.length(), false);
        }
    }

    /** What the storage knows to be zeros is neither read nor made so: a new copy of a sparse volume is nearly all that. */
    private boolean isHole(long offset, int length) throws IOException {
        var first = parts.disk().extents(offset, length, 1).getFirst();
        return first.zero() && first.lengthBytes() >= length;
    }

    /** Something done with the disk, and what there is to tell of it then. */
    private interface Work {
        LiveEvent run() throws IOException, InterruptedException;
    }

    private void later(Executor by, Work work) {
        try {
            by.execute(() -> told.accept(outcome(work)));
        } catch (RejectedExecutionException e) {
            // Closed since the copy asked for it: what was about to be done is not done, as in a crash.
            LOG.debug("live.not_done copy={}", name, e);
        }
    }

    private LiveEvent outcome(Work work) {
        try {
            return work.run();
        } catch (IOException | RuntimeException | Error e) {
            LOG.error("live.disk_failed copy={} reason=\"{}\"", name, e.getMessage(), e);
            return new LiveEvent.DiskFailed(String.valueOf(e instanceof Error ? e : e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new LiveEvent.DiskFailed("interrupted");
        }
    }

    /** Waits a while for what is under way; the disk and the metadata stay open. */
    @Override
    public void close() {
        workers.shutdown();
        readers.shutdown();
        long until = System.nanoTime() + CLOSE_LIMIT.toNanos();
        try {
            boolean isDone = workers.awaitTermination(CLOSE_LIMIT.toNanos(), TimeUnit.NANOSECONDS)
                    && readers.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (!isDone) {
                LOG.warn("live.not_closed copy={} reason=its disk takes too long", name);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
