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

    /** @throws ProviderException Busy after {@link #CUT_MAXIMUM} */
    <T> T until(String object, Question<T> question) throws ProviderException {
        long begun = nanos.getAsLong();
        while (true) {
            var answer = question.ask();
            if (answer.isPresent()) {
                return answer.get();
            }
            var busy = new ProviderException(new ProviderError.Busy(
                    object,
                    "Google, which has not fixed its content in %d s".formatted(CUT_MAXIMUM.toSeconds()),
                    PAUSE));
            if (nanos.getAsLong() - begun >= CUT_MAXIMUM.toNanos()) {
                throw busy;
            }
            try {
                sleeper.sleep(PAUSE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw busy;
            }
        }
    }
}
