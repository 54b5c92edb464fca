package io.tidemark.control;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** How many operations run at once, in each lane: what waits for a slow peer keeps nobody else waiting. */
final class Slots {
    private final int perLane;
    /** Those that somebody is in, or waits for. */
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

    /** @param users who has a slot of it, or waits for one; a lane that has none is forgotten */
    private record Lane(Semaphore slots, int users) {
        Lane with(int more) {
            return new Lane(slots, users + more);
        }
    }

    Slots(int perLane) {
        this.perLane = perLane;
    }

    void acquire(String lane) throws InterruptedException {
        var entered = lanes.compute(
                lane, (ignored, known) -> (known == null ? new Lane(new Semaphore(perLane, true), 0) : known).with(1));
        boolean acquired = false;
        try {
            entered.slots().acquire();
            acquired = true;
        } finally {
            if (!acquired) {
                leave(lane);
            }
        }
    }

    void release(String lane) {
        var slots = lanes.get(lane);
        if (slots != null) {
            slots.slots().release();
            leave(lane);
        }
    }

    private void leave(String lane) {
        lanes.computeIfPresent(lane, (ignored, known) -> left(known));
    }

    private static @Nullable Lane left(Lane known) {
        return known.users() == 1 ? null : known.with(-1);
    }

    int taken() {
        return lanes.values().stream()
                .mapToInt(lane -> perLane - lane.slots().availablePermits())
                .sum();
    }
}
