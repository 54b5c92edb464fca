package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes 1 to the first device, then to the second, then 2, and so on, each durably. */
final class AlternatingWriter implements AutoCloseable {
    private final Thread thread;
    private volatile boolean stopping;
    private volatile long number;
    private volatile long longestNanos;

    private AlternatingWriter(Path first, Path second) {
        thread = Thread.ofPlatform().name("alternating").unstarted(() -> write(first, second));
    }

    static AlternatingWriter start(Path first, Path second) {
        var writer = new AlternatingWriter(first, second);
        writer.thread.start();
        return writer;
    }

    private void write(Path first, Path second) {
        try (var one = FileChannel.open(first, StandardOpenOption.WRITE, StandardOpenOption.DSYNC);
                var two = FileChannel.open(second, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)) {
            for (long next = 1; !stopping; next++) {
                long started = System.nanoTime();
                one.write(ByteBuffer.allocate(512).putLong(0, next), 0);
                two.write(ByteBuffer.allocate(512).putLong(0, next), 0);
                longestNanos = Math.max(longestNanos, System.nanoTime() - started);
                number = next;
            }
        } catch (IOException e) {
            throw new AssertionError("writer failed", e);
        }
    }

    void awaitMore(int count) throws InterruptedException {
        long wanted = number + count;
        while (number < wanted && thread.isAlive()) {
            Thread.sleep(5);
        }
        assertThat(number).isGreaterThanOrEqualTo(wanted);
    }

    long longestNanos() {
        return longestNanos;
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        thread.join();
    }
}
