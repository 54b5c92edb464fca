package io.tidemark.export;

import io.tidemark.domain.Export;
import io.tidemark.export.protocol.OfferedExport;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An export that is open or ending, and the connections that use it. Guarded by its monitor. */
final class ServedExport {
    /** A request to slow storage; closing the image ends one that takes longer. */
    private static final Duration UNUSED_LIMIT = Duration.ofSeconds(30);

    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final Logger LOG = LoggerFactory.getLogger(ServedExport.class);

    private final Export export;
    private final ExportImage image;
    private final OfferedExport offered;
    private final Set<Wire> connections = new HashSet<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private boolean ended;

    ServedExport(Export export, ExportImage image) {
        this.export = export;
        this.image = image;
        this.offered = new OfferedExport(
                export.id().value(),
                export.source() + " " + export.access().word(),
                image.sizeBytes(),
                export.access() != Export.Access.READ_ONLY,
                image.shared());
    }

    Export export() {
        return export;
    }

    ExportImage image() {
        return image;
    }

    OfferedExport offered() {
        return offered;
    }

    /** False once it is being ended. */
    synchronized boolean enter(Wire connection) {
        if (!ended) {
            connections.add(connection);
        }
        return !ended;
    }

    synchronized void leave(Wire connection) {
        connections.remove(connection);
        notifyAll();
    }

    synchronized int connectionCount() {
        return connections.size();
    }

    /**
     * Lets nobody in, ends all connections, and closes the image once none uses it; all of it in the background, for
     * sockets and storage can keep it waiting. The first call does it.
     *
     * @param after run then
     */
    void end(Runnable after) {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
        }
        image.ending();
        Thread.ofPlatform().name("tidemark-export-end").daemon().start(() -> {
            try {
                closeOnceUnused();
                LOG.info("export.closed export={}", export.id());
            } catch (IOException e) {
                LOG.warn("export.not_closed export={} reason={}", export.id(), e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                after.run();
                closed.countDown();
            }
        });
    }

    private void closeOnceUnused() throws IOException, InterruptedException {
        for (var connection : connections()) {
            connection.close();
        }
        synchronized (this) {
            // Each is at most one request from its end: the socket it would go on with is closed.
            long until = System.nanoTime() + UNUSED_LIMIT.toNanos();
            for (long left = UNUSED_LIMIT.toMillis(); !connections.isEmpty() && left > 0; ) {
                wait(left);
                left = (until - System.nanoTime()) / NANOS_PER_MILLI;
            }
        }
        image.close();
    }

    private synchronized List<Wire> connections() {
        return List.copyOf(connections);
    }

    synchronized boolean ending() {
        return ended;
    }

    /** False where it has not ended in that time; it goes on. */
    boolean awaitEnd(long limitNanos) throws InterruptedException {
        return closed.await(limitNanos, TimeUnit.NANOSECONDS);
    }
}
