package io.tidemark.control;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/** How many operations run at once, in each lane: what waits for a slow peer keeps nobody else waiting. */
final class Slots {
    private final int perLane;
    /** As many as there are peers, and one. */
    private final Map<String, Semaphore> lanes = new ConcurrentHashMap<>();

    Slots(int perLane) {
        this.perLane = perLane;
    }

    void acquire(String lane) throws InterruptedException {
        lanes.computeIfAbsent(lane, ignored -> new Semaphore(perLane, true)).acquire();
    }

    void release(String lane) {
        var slots = lanes.get(lane);
        if (slots != null) {
            slots.release();
        }
    }

    int taken() {
        return lanes.values().stream()
                .mapToInt(slots -> perLane - slots.availablePermits())
                .sum();
    }
}
