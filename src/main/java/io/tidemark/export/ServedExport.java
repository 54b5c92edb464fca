package io.tidemark.export;

import io.tidemark.domain.Export;
import io.tidemark.export.protocol.OfferedExport;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** An export that is open, and the connections that use it. Guarded by its monitor. */
final class ServedExport {
    /** A request to slow storage; closing the image ends one that takes longer. */
    private static final Duration END_LIMIT = Duration.ofSeconds(30);

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Export export;
    private final ExportImage image;
    private final OfferedExport offered;
    private final Set<AutoCloseable> connections = new HashSet<>();
    private boolean ended;

    ServedExport(Export export, ExportImage image) {
        this.export = export;
        this.image = image;
        this.offered = new OfferedExport(
                export.id().value(),
                export.source() + " " + export.access().word(),
                image.sizeBytes(),
                export.access() != Export.Access.READ_ONLY);
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
    synchronized boolean enter(AutoCloseable connection) {
        if (!ended) {
            connections.add(connection);
        }
        return !ended;
    }

    synchronized void leave(AutoCloseable connection) {
        connections.remove(connection);
        notifyAll();
    }

    synchronized int connectionCount() {
        return connections.size();
    }

    /** Lets nobody in, ends all connections, waits a while until none uses the image, closes it; interrupted, at once. */
    void end() throws IOException, InterruptedException {
        try (image) {
            endConnections();
        }
    }

    private synchronized void endConnections() throws InterruptedException {
        ended = true;
        image.ending();
        for (var connection : connections) {
            try {
                connection.close();
            } catch (Exception e) {
                throw new AssertionError("closing a socket never fails", e);
            }
        }
        // Each is at most one request from its end: the socket it would go on with is closed.
        long until = System.nanoTime() + END_LIMIT.toNanos();
        for (long left = END_LIMIT.toMillis(); !connections.isEmpty() && left > 0; ) {
            wait(left);
            left = (until - System.nanoTime()) / NANOS_PER_MILLI;
        }
    }
}
