package io.tidemark.transport;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection whose peer said nothing for too long while it was listened to. Blocking channels have no timeout
 * of their own; one sleeping virtual thread a connection looks instead.
 */
final class SilenceWatch implements AutoCloseable {
    /** A silence is found at most this part of the limit too late. */
    private static final int LOOKS_IN_A_LIMIT = 8;

    private static final long NOBODY_LISTENS = Long.MAX_VALUE;

    private final Duration limit;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Listening listening = new Listening();
    private volatile long sinceNanos = NOBODY_LISTENS;
    private volatile boolean silent;

    SilenceWatch(Duration limit, AutoCloseable connection) {
        this.limit = limit;
        Thread.ofVirtual().name("tidemark-silence").start(() -> look(connection));
    }

    /** One receive; closed when something came. */
    final class Listening implements AutoCloseable {
        @Override
        public void close() {
            sinceNanos = NOBODY_LISTENS;
        }
    }

    Listening begin() {
        sinceNanos = System.nanoTime();
        return listening;
    }

    /** Why the connection was closed, when it was closed for this. */
    Optional<String> silent() {
        return silent ? Optional.of("silent for %d ms".formatted(limit.toMillis())) : Optional.empty();
    }

    private void look(AutoCloseable connection) {
        try {
            while (!over.await(limit.toNanos() / LOOKS_IN_A_LIMIT, TimeUnit.NANOSECONDS)) {
                long since = sinceNanos;
                if (since != NOBODY_LISTENS && System.nanoTime() - since > limit.toNanos()) {
                    silent = true;
                    connection.close();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            throw new AssertionError("closing a connection never fails", e);
        }
    }

    @Override
    public void close() {
        over.countDown();
    }
}
