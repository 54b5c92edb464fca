package io.tidemark.replication.live;

/**
 * How fast a resync may be. Names and meaning are those of DRBD's c-fill-target, c-plan-ahead, c-min-rate and c-max-rate
 * (drbd.conf(5)).
 *
 * @param fillTargetBytes that should be under way: about twice what the connection holds; read by {@code planAhead} alone
 * @param planAhead nanoseconds over which a lack or a surplus under way is made good; 0: the ceiling alone counts
 * @param floorBytes a second that the resync keeps while clients read and write, and gives way down to; 0: it does not give
 *     way
 * @param ceilingBytes a second; 0: none
 */
public record ResyncRate(long fillTargetBytes, long planAhead, long floorBytes, long ceilingBytes) {
    /** As fast as the window lets it. */
    public static final ResyncRate NONE = new ResyncRate(0, 0, 0, 0);
    /**
     * A mebibyte under way, planned for two seconds, between 250 KiB and 100 MiB a second. Plan, floor and ceiling are DRBD's;
     * its fill target of 50 KiB is less than one message here.
     */
    public static final ResyncRate DEFAULT = new ResyncRate(1 << 20, 2_000_000_000L, 250 << 10, 100 << 20);

    public static final long PLAN_MAXIMUM = 30_000_000_000L;
    /** 4 GiB a second. */
    public static final long RATE_MAXIMUM = 4L << 30;

    public ResyncRate {
        if (planAhead < 0 || planAhead > PLAN_MAXIMUM || (planAhead > 0 && planAhead < ResyncPace.STEP)) {
            throw new IllegalArgumentException("a resync plans for %d to %d nanoseconds, or 0, not %d"
                    .formatted(ResyncPace.STEP, PLAN_MAXIMUM, planAhead));
        }
        if (fillTargetBytes < (planAhead > 0 ? 1 : 0) || fillTargetBytes > RATE_MAXIMUM) {
            throw new IllegalArgumentException(
                    "a resync that plans has 1 to %d bytes under way, not %d".formatted(RATE_MAXIMUM, fillTargetBytes));
        }
        if (floorBytes < 0 || ceilingBytes < 0 || Math.max(floorBytes, ceilingBytes) > RATE_MAXIMUM) {
            throw new IllegalArgumentException("a resync's floor and ceiling are 0 to %d bytes a second, not %d and %d"
                    .formatted(RATE_MAXIMUM, floorBytes, ceilingBytes));
        }
        if (ceilingBytes > 0 && floorBytes > ceilingBytes) {
            throw new IllegalArgumentException("a resync's floor of %d bytes a second is above its ceiling of %d"
                    .formatted(floorBytes, ceilingBytes));
        }
    }
}
