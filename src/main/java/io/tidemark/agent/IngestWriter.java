package io.tidemark.agent;

import io.tidemark.replication.IngestQueue;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes and syncs what a session receives, in order, on a thread of its own, so that the next blocks arrive and are
 * decrypted while the disk works. What is acknowledged has been synced before: the answer comes from here.
 */
final class IngestWriter implements AutoCloseable {
    /** 32 MiB: what arrives while a disk syncs 8 MiB at a quarter of the link's rate. */
    static final int QUEUED_FRAMES_MAXIMUM = 128;

    /** The storage's side of it; called on the writer's thread only. */
    interface Ingest {
        void append(Message.Blocks blocks) throws ReplicationException, ProviderException;

        /** On return everything appended is durable. */
        void sync(IngestTotals totals) throws ReplicationException, ProviderException;
    }

    private record Arrived(Message.Blocks blocks, PeerConnection.Kept kept) {}

    private final Ingest ingest;
    private final Consumer<TargetInput> answers;
    private final Thread thread;
    private final IngestQueue<Arrived> queue = new IngestQueue<>();
    private boolean working;
    private boolean failed;
    private boolean closed;
    private @Nullable Throwable bug;

    /** @param answers hears of syncs and of a failure, after which nothing is written any more */
    IngestWriter(Ingest ingest, Consumer<TargetInput> answers) {
        this.ingest = ingest;
        this.answers = answers;
        this.thread = Thread.ofPlatform().name("tidemark-ingest").daemon().start(this::work);
    }

    /** @param kept closed when the blocks are written or not wanted any more */
    synchronized void append(Message.Blocks blocks, PeerConnection.Kept kept) {
        if (failed || closed) {
            kept.close();
            return;
        }
        queue.append(new Arrived(blocks, kept));
        notifyAll();
    }

    synchronized void sync(IngestTotals totals) {
        if (failed || closed) {
            return;
        }
        queue.sync(totals);
        notifyAll();
    }

    /** Waits until one more frame fits. */
    synchronized void awaitRoom() throws InterruptedException {
        while (queue.appends() >= QUEUED_FRAMES_MAXIMUM && !failed) {
            wait();
        }
        rethrowBug();
    }

    /**
     * Waits until all that was asked for is done.
     *
     * @return false when it failed, which the answers have told
     */
    synchronized boolean drain() throws InterruptedException {
        while ((working || !queue.isEmpty()) && !failed) {
            wait();
        }
        rethrowBug();
        return !failed;
    }

    private void rethrowBug() {
        if (bug != null) {
            throw new IllegalStateException("the ingest writer ended: " + bug.getMessage(), bug);
        }
    }

    /** Waits for the write in work; what is queued is dropped. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            discard();
            notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                // Its file is closed next: it must not be written any more, however long that takes.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work() {
        for (var task = next(); task != null; task = next()) {
            try {
                run(task);
            } catch (ProviderException e) {
                end(null);
                answers.accept(new TargetInput.Failed(new ReplicationError.Storage(e.error())));
            } catch (ReplicationException e) {
                end(null);
                answers.accept(new TargetInput.Failed(e.error()));
            } catch (RuntimeException | Error e) {
                // Not ours to handle: the session's thread throws it on.
                end(e);
            }
        }
    }

    private void run(IngestQueue.Task<Arrived> task) throws ReplicationException, ProviderException {
        switch (task) {
            case IngestQueue.Append<Arrived>(var arrived) -> {
                try (var kept = arrived.kept()) {
                    ingest.append(arrived.blocks());
                }
            }
            case IngestQueue.Sync<Arrived>(var totals) -> {
                ingest.sync(totals);
                answers.accept(new TargetInput.LogSynced(totals));
            }
        }
    }

    private synchronized IngestQueue.@Nullable Task<Arrived> next() {
        working = false;
        notifyAll();
        while (queue.isEmpty() && !closed && !failed) {
            try {
                wait();
            } catch (InterruptedException e) {
                return null;
            }
        }
        var task = queue.next();
        working = task.isPresent();
        return task.orElse(null);
    }

    private synchronized void end(@Nullable Throwable cause) {
        failed = true;
        bug = cause;
        discard();
        notifyAll();
    }

    private void discard() {
        for (var arrived : queue.discard()) {
            arrived.kept().close();
        }
    }
}
