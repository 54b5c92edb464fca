package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts.Sleeper;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Waits, for seconds at the most, for what a cut cannot do without. */
record GceWaiting(Sleeper sleeper, LongSupplier nanos) {
    /** A freeze seldom may last longer; the limit of the freeze itself is the caller's. */
    static final Duration CUT_MAXIMUM = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofMillis(500);

    interface Question<T> {
        /** Empty: not yet. */
        Optional<T> ask() throws ProviderException;
    }

    /** When a cut that begins now has to be done, by {@link #nanos}. */
    long end() {
        return nanos.getAsLong() + CUT_MAXIMUM.toNanos();
    }

    /**
     * Asks until there is an answer; what passes by waiting is asked again. A call that is under way at the end is not
     * cut off.
     *
     * @param end as {@link #end} gave it; nothing is asked after it
     * @throws ProviderException Busy at the end, or what the last call was refused with
     */
    <T> T until(long end, String object, Question<T> question) throws ProviderException {
        return until(
                end,
                new ProviderError.Busy(
                        object,
                        "Google, which has not fixed its content in %d s".formatted(CUT_MAXIMUM.toSeconds()),
                        PAUSE),
                question);
    }

    /** @param atEnd what is said where no call was refused and there is no answer */
    <T> T until(long end, ProviderError atEnd, Question<T> question) throws ProviderException {
        var last = new ProviderException(atEnd);
        while (nanos.getAsLong() < end) {
            var pause = PAUSE;
            try {
                var answer = question.ask();
                if (answer.isPresent()) {
                    return answer.get();
                }
            } catch (ProviderException e) {
                last = e;
                pause = pauseAfter(e);
            }
            try {
                if (nanos.getAsLong() + pause.toNanos() >= end) {
                    throw last;
                }
                sleeper.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw last;
            }
        }
        throw last;
    }

    private static Duration pauseAfter(ProviderException failure) throws ProviderException {
        return switch (failure.error()) {
            case ProviderError.Busy busy when busy.retryAfter().compareTo(PAUSE) > 0 -> busy.retryAfter();
            case ProviderError.Busy ignored -> PAUSE;
            case ProviderError.Unreachable ignored -> PAUSE;
            default -> throw failure;
        };
    }
}
