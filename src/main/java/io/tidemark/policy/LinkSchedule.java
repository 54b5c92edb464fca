package io.tidemark.policy;

import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;

/** When a scheduled link is due next. Runs that were missed are not made up for: the next one carries their changes. */
public final class LinkSchedule {
    /** First wait after a failure; doubles with each further one. */
    public static final Duration BACKOFF_FIRST = Duration.ofSeconds(5);
    /** A peer that comes back is noticed within this time, however long it was away. */
    public static final Duration BACKOFF_MAXIMUM = Duration.ofMinutes(15);
    /** Part of a wait that is left to chance, so that many links do not come back at one instant. */
    public static final double JITTER = 0.25;
    /** 5 s doubled this often is past the maximum. */
    private static final int DOUBLINGS_MAXIMUM = 10;

    private LinkSchedule() {}

    /** First run of a link that was just made: at once. */
    public static Instant firstDue(Instant madeAt) {
        return madeAt;
    }

    /**
     * After a run that went well: the first whole step from when it was due that lies after now.
     *
     * @param every at least 1 ms
     */
    public static Instant nextDue(Instant wasDueAt, Duration every, Instant now) {
        long stepMillis = every.toMillis();
        if (stepMillis < 1) {
            throw new IllegalArgumentException("interval is shorter than 1 ms: " + every);
        }
        if (wasDueAt.isAfter(now)) {
            // The clock was set back: keep the interval, forget the old beat.
            return now.plusMillis(stepMillis);
        }
        long steps = Duration.between(wasDueAt, now).toMillis() / stepMillis + 1;
        return wasDueAt.plusMillis(Math.multiplyExact(steps, stepMillis));
    }

    /**
     * After a run that failed: a wait that doubles with each failure, up to {@link #BACKOFF_MAXIMUM} and never longer
     * than the link's own interval, with chance added.
     *
     * @param failures in a row, this one included; at least 1
     */
    public static Instant retryAt(int failures, Duration every, Instant now, RandomGenerator random) {
        if (failures < 1) {
            throw new IllegalArgumentException("failures is not positive: " + failures);
        }
        long millis = BACKOFF_FIRST.toMillis() << Math.min(failures - 1, DOUBLINGS_MAXIMUM);
        millis = Math.min(millis, BACKOFF_MAXIMUM.toMillis());
        millis = Math.min(millis, every.toMillis());
        long chance = (long) (millis * JITTER * random.nextDouble());
        return now.plusMillis(Math.max(1, millis + chance));
    }
}
