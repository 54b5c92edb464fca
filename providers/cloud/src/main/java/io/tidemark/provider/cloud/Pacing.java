package io.tidemark.provider.cloud;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How fast one account is asked, by all who ask it together: after a refusal for too many calls half as fast, with each
 * answer a tenth faster again, until nobody waits any more. Clouds say how large their buckets are to nobody. Safe for
 * several threads.
 */
final class Pacing {
    /** Between two calls, after the first refusal: a hundred a second. */
    private static final long INTERVAL_FIRST_NANOS = 10_000_000;
    /** One call in two seconds: slower does not help against a bucket that others empty. */
    private static final long INTERVAL_MAXIMUM_NANOS = 2_000_000_000;
    /** Below this it is not worth a sleep. */
    private static final long INTERVAL_NONE_NANOS = 1_000_000;
    /** Nobody waits longer for a turn, however many wait. */
    private static final long WAIT_MAXIMUM_NANOS = 30_000_000_000L;

    private final LongSupplier nanos;
    private long intervalNanos;
    private long nextNanos;

    Pacing(LongSupplier nanos) {
        this.nanos = nanos;
        this.nextNanos = nanos.getAsLong();
    }

    /** Takes the next turn: how long to wait for it, at most 30 s. */
    synchronized Duration turn() {
        if (intervalNanos == 0) {
            return Duration.ZERO;
        }
        long now = nanos.getAsLong();
        long at = nextNanos - now > 0 ? nextNanos : now;
        long wait = Math.min(at - now, WAIT_MAXIMUM_NANOS);
        nextNanos = now + wait + intervalNanos;
        return Duration.ofNanos(wait);
    }

    synchronized void refused() {
        intervalNanos = Math.min(Math.max(2 * intervalNanos, INTERVAL_FIRST_NANOS), INTERVAL_MAXIMUM_NANOS);
    }

    synchronized void answered() {
        intervalNanos = intervalNanos * 9 / 10;
        if (intervalNanos < INTERVAL_NONE_NANOS) {
            intervalNanos = 0;
        }
    }
}
