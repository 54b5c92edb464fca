package io.tidemark.control;

import java.util.concurrent.atomic.AtomicInteger;

/** One operation's place in its lane, of which there are few. Of its own thread alone. */
final class LanePlace {
    private final Slots slots;
    private final AtomicInteger waiting;
    private String lane = "";
    private boolean isTaken;

    /** @param waiting counts who waits */
    LanePlace(Slots slots, AtomicInteger waiting) {
        this.slots = slots;
        this.waiting = waiting;
    }

    /** Waits for a place in this lane, which is the operation's from then on. */
    void take(String ofLane) throws InterruptedException {
        lane = ofLane;
        slots.acquire(lane);
        isTaken = true;
    }

    void leave() {
        if (isTaken) {
            slots.release(lane);
            isTaken = false;
        }
    }

    /** Where it has left the lane, waits for a place in it, behind who waits already; a cancellation ends the wait. */
    void takeAgain(LiveOperation entry) throws ControlException, InterruptedException {
        if (isTaken) {
            return;
        }
        boolean turn = entry.beginWaiting();
        waiting.incrementAndGet();
        try {
            if (!turn) {
                throw new ControlException(
                        new ControlError.Cancelled(entry.current().id()));
            }
            slots.acquire(lane);
            isTaken = true;
        } finally {
            waiting.decrementAndGet();
            entry.endWaiting();
        }
    }
}
