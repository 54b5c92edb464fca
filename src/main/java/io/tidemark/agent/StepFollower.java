package io.tidemark.agent;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import java.time.Duration;
import java.util.function.LongSupplier;

/** Follows long work of a storage that belongs to something larger, and has no operation of its own. */
record StepFollower(StorageProvider provider, LongSupplier nanos) {
    /** More often than this is not worth a call, whatever the provider says. */
    private static final Duration PAUSE_MINIMUM = Duration.ofMillis(20);

    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(15);

    /**
     * @param object what is worked on, {@code work} what is done to it: for the error
     * @throws ProviderException Busy when it is not done within the limit, or the thread is interrupted
     */
    void follow(Step<?> first, Duration limit, String object, String work) throws ProviderException {
        long deadline = nanos.getAsLong() + limit.toNanos();
        Step<?> step = first;
        while (step instanceof Step.Running<?> running) {
            var pause = bounded(running.askAgainAfter());
            if (nanos.getAsLong() + pause.toNanos() - deadline > 0 || !slept(pause)) {
                throw new ProviderException(new ProviderError.Busy(object, work, running.askAgainAfter()));
            }
            step = provider.resume(running.handle());
        }
    }

    private static Duration bounded(Duration asked) {
        if (asked.compareTo(PAUSE_MINIMUM) < 0) {
            return PAUSE_MINIMUM;
        }
        return asked.compareTo(PAUSE_MAXIMUM) > 0 ? PAUSE_MAXIMUM : asked;
    }

    private static boolean slept(Duration pause) {
        try {
            Thread.sleep(pause);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
