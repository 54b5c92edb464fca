package io.tidemark.simulation.live;

import io.tidemark.replication.live.LiveMessage;

/**
 * The connection between the two hosts. Within a session messages arrive in order; when it is cut, each side hears of it at
 * a time of its own, and what is on its way in a direction that was cut is lost.
 */
final class LiveNetwork {
    static final long DELAY_MAXIMUM = 3_000;
    /** Until a side hears that the other is gone; in some worlds longer than a lease lasts. */
    private final long noticeMaximum;

    private final LiveWorld world;
    private final long[] lastArrival = new long[2];
    private final boolean[] isCut = new boolean[2];
    private final boolean[] isHeard = new boolean[2];
    private long session;
    private boolean isOpen;
    private boolean isBroken;

    LiveNetwork(LiveWorld world) {
        this.world = world;
        noticeMaximum = world.random().nextInt(4) == 0 ? 500_000 : 60_000;
    }

    boolean isOpen() {
        return isOpen;
    }

    /** What each side says reaches the other. */
    boolean isWhole() {
        return isOpen && !isCut[0] && !isCut[1];
    }

    boolean isBroken() {
        return isBroken;
    }

    /** The line is dead, or works again. */
    void setBroken(boolean value) {
        isBroken = value;
        if (value) {
            cut(world.random().nextInt(4) == 0);
        }
    }

    void connect() {
        if (isOpen || isBroken || !world.host(0).isUp() || !world.host(1).isUp()) {
            return;
        }
        world.operators().tell();
        isOpen = true;
        session++;
        long mine = session;
        for (int side = 0; side < 2; side++) {
            isCut[side] = false;
            isHeard[side] = false;
            lastArrival[side] = world.now();
            world.host(side).connected(mine);
        }
    }

    void send(int from, long of, LiveMessage message) {
        if (of != session || !isOpen || isCut[from]) {
            return;
        }
        lastArrival[from] =
                Math.max(lastArrival[from], world.now() + 1 + world.random().nextLong(DELAY_MAXIMUM));
        long mine = session;
        world.at(lastArrival[from], () -> {
            if (mine == session && isOpen && !isCut[from]) {
                world.host(1 - from).arrived(mine, message);
            } else if ((mine != session || isHeard[1 - from]) && world.random().nextInt(3) == 0) {
                // Left over in some buffer: of a session that is no more.
                world.host(1 - from).arrived(mine, message);
            }
        });
    }

    /**
     * @param isOneWay one direction lives on until both have noticed
     */
    void cut(boolean isOneWay) {
        if (!isOpen) {
            return;
        }
        int dead = world.random().nextInt(2);
        isCut[dead] = true;
        isCut[1 - dead] |= !isOneWay;
        for (int side = 0; side < 2; side++) {
            notice(side, world.random().nextLong(noticeMaximum));
        }
    }

    private void notice(int side, long delay) {
        long mine = session;
        world.at(world.now() + delay, () -> lost(mine, side));
    }

    /** A side has ended the session, or its process is gone. */
    void ended(int side) {
        if (!isOpen || isHeard[side]) {
            return;
        }
        isHeard[side] = true;
        isCut[side] = true;
        isCut[1 - side] = true;
        notice(1 - side, world.random().nextLong(noticeMaximum));
        close();
    }

    private void lost(long of, int side) {
        if (of != session || !isOpen || isHeard[side]) {
            return;
        }
        isHeard[side] = true;
        isCut[1 - side] = true;
        world.host(side).lost(of);
        close();
    }

    private void close() {
        isOpen = !(isHeard[0] && isHeard[1]);
    }
}
