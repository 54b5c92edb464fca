package io.tidemark.control;

import java.time.Duration;

/** Pauses of operations that wait for something to come about. */
final class Waits {
    /** How soon a cancellation is heard, and a stop of the site, which grants a second. */
    private static final Duration HEARD_WITHIN = Duration.ofMillis(100);

    private Waits() {}

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
