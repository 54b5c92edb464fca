package io.tidemark.provider.fakecloud;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until a test moves it. Safe for several threads. */
public final class FakeClock implements InstantSource {
    private Instant now;

    public FakeClock(Instant start) {
        now = start;
    }

    @Override
    public synchronized Instant instant() {
        return now;
    }

    /**
     * Moves the clock on.
     *
     * @throws IllegalArgumentException if {@code by} is negative: states that were reached are never left backwards
     */
    public synchronized void advance(Duration by) {
        if (by.isNegative()) {
            throw new IllegalArgumentException("the clock never goes back: " + by);
        }
        now = now.plus(by);
    }
}
