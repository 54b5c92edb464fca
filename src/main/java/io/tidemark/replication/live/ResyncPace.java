package io.tidemark.replication.live;

import java.util.Arrays;

/**
 * How much a resync may ask for now: DRBD's controller (drbd_rs_controller in drbd_sender.c, drbd_rs_c_min_rate_throttle in
 * drbd_receiver.c, 8.4 and 9). Each step it asks for what was confirmed in the one before, and for a share of what is
 * missing under way; what it has planned and not asked for yet is counted as under way. Of one thread.
 */
final class ResyncPace {
    /** Nanoseconds between two decisions: 0.1 s, as in DRBD. */
    static final long STEP = 100_000_000;
    /** Of clients in one step, from which on it gives way: DRBD's 64 sectors. */
    static final long FOREGROUND_BYTES = 32 << 10;

    private static final double SECOND = 1_000_000_000.0;

    private final ResyncRate rate;
    /** What each of the next steps asks for beside what was confirmed. */
    private final long[] plan;

    private int next;
    private long stepAt;
    private long confirmed;
    private long inFlight;
    private long foreground;
    private long budget;

    ResyncPace(ResyncRate rate) {
        this.rate = rate;
        plan = new long[(int) (rate.planAhead() / STEP)];
    }

    private boolean isOff() {
        return rate.equals(ResyncRate.NONE);
    }

    /**
     * A resync begins.
     *
     * @param now nanoseconds
     * @param foregroundBytes that clients have read and written since ever
     */
    void begin(long now, long foregroundBytes) {
        Arrays.fill(plan, 0);
        stepAt = now;
        confirmed = 0;
        inFlight = 0;
        foreground = foregroundBytes;
        long first = rate.planAhead() > 0 ? rate.fillTargetBytes() : Long.MAX_VALUE;
        budget = Math.min(first, ceiling(STEP));
    }

    /** Time has passed; less than a step is waited for. */
    void at(long now, long foregroundBytes) {
        long elapsed = now - stepAt;
        if (isOff() || elapsed < STEP) {
            return;
        }
        boolean givesWay = rate.floorBytes() > 0 && foregroundBytes - foreground >= FOREGROUND_BYTES;
        long request = Math.min(wanted(), ceiling(elapsed));
        long floor = bytes(rate.floorBytes(), elapsed);
        // What was not asked for in time is not asked for later; a message that was longer than allowed is made good.
        budget = Math.min(budget, 0) + (givesWay ? floor : Math.max(request, floor));
        stepAt = now;
        confirmed = 0;
        foreground = foregroundBytes;
    }

    private long wanted() {
        if (plan.length == 0) {
            return Long.MAX_VALUE;
        }
        long planned = Arrays.stream(plan).sum();
        long share = (rate.fillTargetBytes() - inFlight - planned) / plan.length;
        for (int step = 0; step < plan.length; step++) {
            plan[step] += share;
        }
        long now = plan[next];
        plan[next] = 0;
        next = (next + 1) % plan.length;
        return Math.max(0, confirmed + now);
    }

    private long ceiling(long elapsed) {
        return rate.ceilingBytes() == 0 ? Long.MAX_VALUE : bytes(rate.ceilingBytes(), elapsed);
    }

    private static long bytes(long aSecond, long elapsed) {
        return (long) (aSecond * (elapsed / SECOND));
    }

    /** Whether more may be asked for, at whatever length: what is too much is made good in the steps that follow. */
    boolean isOpen() {
        return isOff() || budget > 0;
    }

    void asked(long bytes) {
        inFlight += bytes;
        budget -= bytes;
    }

    /** It is durable at the target. */
    void confirmed(long bytes) {
        inFlight -= bytes;
        confirmed += bytes;
    }
}
