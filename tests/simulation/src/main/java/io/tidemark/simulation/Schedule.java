package io.tidemark.simulation;

import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import java.util.Comparator;
import java.util.PriorityQueue;

/** Simulated time: what is due first happens first, and what is due together in the order it was planned. */
final class Schedule {
    interface Event {
        void run() throws ProviderException, ReplicationException;
    }

    private record Due(long atMillis, long number, Event event) {}

    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::atMillis).thenComparingLong(Due::number));
    private long nowMillis;
    private long planned;

    /** Milliseconds since the world began. */
    long nowMillis() {
        return nowMillis;
    }

    void in(long delayMillis, Event event) {
        due.add(new Due(nowMillis + delayMillis, planned++, event));
    }

    /** @return false when nothing is due any more, ever */
    boolean runNext() throws ProviderException, ReplicationException {
        var next = due.poll();
        if (next == null) {
            return false;
        }
        nowMillis = next.atMillis();
        next.event().run();
        return true;
    }
}
