package io.tidemark.control;

import io.tidemark.spi.ProviderError;
import java.time.Duration;

/** Pauses of operations that wait for something to come about. */
final class Waits {
    /** How soon a cancellation is heard, and a stop of the site, which grants a second. */
    private static final Duration HEARD_WITHIN = Duration.ofMillis(100);

    /** How soon an agent that was away is seen to be back. */
    private static final Duration BACK_WITHIN = Duration.ofSeconds(2);

    private Waits() {}

    /** How long to wait after a failure: an agent that is away is looked for sooner than a storage that does not answer. */
    static Duration whileAway(ProviderError error, Duration otherwise) {
        return error instanceof ProviderError.Unreachable ? BACK_WITHIN : otherwise;
    }

    /**
     * Sleeps for {@code asked}, brought within the bounds.
     *
     * @throws ControlException Stopping, for the next start to go on; Cancelled
     */
    static void pause(Duration asked, Duration minimum, Duration maximum, OperationKind.Running running)
            throws ControlException, InterruptedException {
        var pause = asked.compareTo(minimum) < 0 ? minimum : asked.compareTo(maximum) > 0 ? maximum : asked;
        long endNanos = System.nanoTime() + pause.toNanos();
        while (System.nanoTime() - endNanos < 0) {
            if (running.stopping()) {
                throw new ControlException(new ControlError.Stopping());
            }
            if (running.cancelled()) {
                throw new ControlException(
                        new ControlError.Cancelled(running.operation().id()));
            }
            Thread.sleep(HEARD_WITHIN);
        }
    }
}
