package io.tidemark.control;

/** One operation's place in its lane, of which there are few. Of its own thread alone. */
final class LanePlace {
    private final Slots slots;
    private String lane = "";
    private boolean isTaken;

    LanePlace(Slots slots) {
        this.slots = slots;
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

    /** @throws ControlException Cancelled; Stopping, for the next start to go on */
    void takeAgain(OperationKind.Running running) throws ControlException, InterruptedException {
        while (!isTaken) {
            Waits.goOn(running);
            isTaken = slots.acquire(lane, Waits.HEARD_WITHIN);
        }
    }
}
