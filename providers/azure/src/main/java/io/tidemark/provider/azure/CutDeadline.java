package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * How long writers may be held for one cut, over everything that is asked for it: what fails in passing is asked for
 * again until then, without waiting for a turn. The call that is under way then is waited for.
 */
final class CutDeadline {
    /** A cut that takes longer has failed. */
    static final Duration MAXIMUM = Duration.ofSeconds(60);

    private static final Duration PAUSE_FIRST = Duration.ofMillis(100);
    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(5);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final String of;
    private final Attempts once;
    private final ArmGate gate;
    private final InstantSource clock;
    private final Instant until;

    /** Begins now. */
    CutDeadline(String of, Attempts attempts, ArmGate gate, InstantSource clock) {
        this.of = of;
        this.once = attempts.once();
        this.gate = gate;
        this.clock = clock;
        this.until = clock.instant().plus(MAXIMUM);
    }

    /** @throws ProviderException the last one's; Busy where there is no time left to ask */
    <T> T ask(Attempts.Call<T> call) throws ProviderException {
        if (!left().isPositive()) {
            throw over();
        }
        for (var pause = PAUSE_FIRST; ; pause = shorter(pause.multipliedBy(2), PAUSE_MAXIMUM)) {
            try {
                return once.until(call);
            } catch (ProviderException e) {
                if (!isPassing(e.error()) || left().compareTo(pause) <= 0) {
                    throw e;
                }
            }
            gate.pause(of, pause);
        }
    }

    /**
     * Between two looks at what goes on.
     *
     * @throws ProviderException Busy where there is no time left
     */
    void pause(Duration wanted) throws ProviderException {
        var left = left();
        if (!left.isPositive()) {
            throw over();
        }
        gate.pause(of, shorter(wanted, left));
    }

    private Duration left() {
        return Duration.between(clock.instant(), until);
    }

    private ProviderException over() {
        return new ProviderException(new ProviderError.Busy(
                of, "Azure, which has been asked to cut it for %d s".formatted(MAXIMUM.toSeconds()), ASK_AGAIN));
    }

    private static boolean isPassing(ProviderError error) {
        return switch (error) {
            case ProviderError.Busy busy -> busy.retryAfter().compareTo(PAUSE_MAXIMUM) <= 0;
            case ProviderError.Unreachable ignored -> true;
            default -> false;
        };
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
