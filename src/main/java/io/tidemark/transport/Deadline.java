package io.tidemark.transport;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Closes a connection unless it is itself closed in time: a peer that sends one byte a second never times out alone. */
final class Deadline implements AutoCloseable {
    private final CountDownLatch met = new CountDownLatch(1);

    Deadline(Duration limit, AutoCloseable connection) {
        Thread.ofVirtual().name("tidemark-deadline").start(() -> {
            try {
                if (!met.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                    connection.close();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                throw new AssertionError("closing a connection never fails", e);
            }
        });
    }

    @Override
    public void close() {
        met.countDown();
    }
}
