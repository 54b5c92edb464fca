package io.tidemark.system.recoverypoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Writes and syncs a few bytes again and again, and knows the longest it was held: what any writer would have felt. */
final class StallProbe implements AutoCloseable {
    private static final long PAUSE_MILLIS = 5;

    private final Path file;
    private final Thread thread =
            Thread.ofPlatform().daemon().name("stall-probe").unstarted(this::write);
    private volatile boolean stopping;
    private volatile long lastReturnNanos = System.nanoTime();
    private volatile long worstNanos;
    private volatile @Nullable IOException failure;

    private StallProbe(Path file) {
        this.file = file;
    }

    static StallProbe start(Path folder) {
        var probe = new StallProbe(folder.resolve("stall-probe"));
        probe.thread.start();
        return probe;
    }

    private void write() {
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (!stopping) {
                long started = System.nanoTime();
                channel.write(ByteBuffer.allocate(64), 0);
                channel.force(true);
                lastReturnNanos = System.nanoTime();
                worstNanos = Math.max(worstNanos, lastReturnNanos - started);
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the writer is held: nothing has come back for so long. */
    boolean heldFor(Duration duration) {
        return System.nanoTime() - lastReturnNanos > duration.toNanos();
    }

    Duration worst() {
        return Duration.ofNanos(worstNanos);
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        try {
            thread.join(Duration.ofSeconds(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
        Files.deleteIfExists(file);
    }
}
