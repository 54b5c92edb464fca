package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Writes a few bytes every 5 ms to a file that is there, and knows when each write began and came back. */
public final class WriterProbe implements AutoCloseable {
    private static final long PAUSE_MILLIS = 5;
    private static final int BYTES = 64;
    /** More writes than one trial lasts; what comes after is not looked at. */
    private static final int WRITES_MAXIMUM = 20_000;

    private final FileChannel channel;
    private final Thread thread;
    private final long[] beginsNanos = new long[WRITES_MAXIMUM];
    private final long[] endsNanos = new long[WRITES_MAXIMUM];
    private int count;
    private long pendingSinceNanos;
    private boolean pending;
    private volatile boolean stopping;
    private volatile @Nullable IOException failure;

    /** @param file is made where it is not there */
    public WriterProbe(Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        thread = Thread.ofPlatform().daemon().name("writer-probe").start(this::run);
    }

    private void run() {
        var bytes = ByteBuffer.allocateDirect(BYTES);
        try {
            while (!stopping) {
                begin();
                channel.write(bytes.rewind(), 0);
                end();
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void begin() {
        pendingSinceNanos = System.nanoTime();
        pending = true;
    }

    private synchronized void end() {
        pending = false;
        if (count < WRITES_MAXIMUM) {
            beginsNanos[count] = pendingSinceNanos;
            endsNanos[count] = System.nanoTime();
            count++;
        }
        notifyAll();
    }

    /** What was written until now is not looked at. */
    public synchronized void forget() {
        count = 0;
    }

    /** The longest that a write took, or takes already. */
    public synchronized Duration longest() {
        long longest = pending ? System.nanoTime() - pendingSinceNanos : 0;
        for (int index = 0; index < count; index++) {
            longest = Math.max(longest, endsNanos[index] - beginsNanos[index]);
        }
        return Duration.ofNanos(longest);
    }

    /** Whether a write came back between the two times. */
    public synchronized boolean wroteBetween(long fromNanos, long toNanos) {
        return Arrays.stream(endsNanos, 0, count).anyMatch(end -> end > fromNanos && end < toNanos);
    }

    /** Whether a write was refused because the file system is read-only. Gives one the time to begin. */
    public boolean isReadOnly() throws InterruptedException {
        Thread.sleep(2 * PAUSE_MILLIS);
        var failed = failure;
        return failed != null && String.valueOf(failed.getMessage()).contains("Read-only file system");
    }

    /** Waits for a write that begins from now on to come back. */
    public synchronized boolean flows(Duration limit) throws IOException, InterruptedException {
        long now = System.nanoTime();
        long deadline = now + limit.toNanos();
        while (count == 0 || beginsNanos[count - 1] - now < 0) {
            var failed = failure;
            if (failed != null) {
                throw failed;
            }
            if (System.nanoTime() - deadline >= 0 || count == WRITES_MAXIMUM) {
                return false;
            }
            wait(PAUSE_MILLIS);
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        channel.close();
    }
}
