package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * Holds all calls of a subscription back after a 429: one that comes before its Retry-After makes the wait begin anew
 * ("Troubleshoot API throttling errors", Azure Virtual Machines). One to an account.
 */
final class ArmGate {
    /** Who would have to wait longer is told so. */
    static final Duration WAIT_MAXIMUM = Duration.ofSeconds(5);

    private final InstantSource clock;
    private final Attempts.Sleeper sleeper;
    private Instant closedUntil = Instant.EPOCH;

    ArmGate(InstantSource clock, Attempts.Sleeper sleeper) {
        this.clock = clock;
        this.sleeper = sleeper;
    }

    /** @throws ProviderException Busy where it takes more than {@link #WAIT_MAXIMUM} */
    void pass(String asked) throws ProviderException {
        Duration left;
        synchronized (this) {
            left = Duration.between(clock.instant(), closedUntil);
        }
        if (left.isPositive()) {
            if (left.compareTo(WAIT_MAXIMUM) > 0) {
                throw new ProviderException(busy(asked, left));
            }
            pause(asked, left);
        }
    }

    synchronized void close(Duration retryAfter) {
        var until = clock.instant().plus(retryAfter);
        closedUntil = until.isAfter(closedUntil) ? until : closedUntil;
    }

    void pause(String asked, Duration pause) throws ProviderException {
        try {
            sleeper.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unreachable("Azure, for " + asked, "interrupted"), e);
        }
    }

    static ProviderError busy(String asked, Duration retryAfter) {
        return new ProviderError.Busy(asked, "Azure's limit of requests", retryAfter);
    }
}
