package io.tidemark.transport;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Closes a socket unless it is itself closed in time: a peer that sends one byte a second never times out alone. */
final class Deadline implements AutoCloseable {
    private final CountDownLatch met = new CountDownLatch(1);

    Deadline(Duration limit, Socket socket) {
        Thread.ofVirtual().name("tidemark-deadline").start(() -> {
            try {
                if (!met.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                    socket.close();
                }
            } catch (InterruptedException | IOException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    @Override
    public void close() {
        met.countDown();
    }
}
