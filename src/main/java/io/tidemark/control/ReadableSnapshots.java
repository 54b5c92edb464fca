package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;

/** Snapshots whose bytes can be read: local storage's at once, a cloud's long after the cut. */
final class ReadableSnapshots {
    /** The slowest known is a first snapshot of many TiB. */
    static final Duration LIMIT = Duration.ofDays(2);

    /** A storage that does not answer meanwhile, without a break. */
    private static final Duration AWAY_MAXIMUM = Duration.ofHours(1);

    private static final Duration LOOK_MINIMUM = Duration.ofMillis(100);
    private static final Duration LOOK_MAXIMUM = Duration.ofMinutes(1);

    private final Providers providers;

    ReadableSnapshots(Providers providers) {
        this.providers = providers;
    }

    /**
     * Returns when its bytes can be read. While it waits, others of the operation's lane run.
     *
     * @throws ProviderException the reason for which it never will be, too
     * @throws ControlException StepTooLong at the limit; Cancelled; Stopping, for the next start to go on
     */
    void await(SnapshotId snapshot, OperationKind.Running running)
            throws ProviderException, ControlException, InterruptedException {
        var phase = "waits until %s can be read".formatted(snapshot);
        long deadlineNanos = System.nanoTime() + LIMIT.toNanos();
        boolean waited = false;
        long answeredNanos = System.nanoTime();
        while (true) {
            var pause = LOOK_MAXIMUM;
            try {
                switch (providers.of(snapshot.volume()).readiness(snapshot)) {
                    case Readiness.Ready() -> {
                        running.enterLane();
                        return;
                    }
                    case Readiness.Failed(var error) -> throw new ProviderException(error);
                    case Readiness.Pending(var progress, var askAgainAfter) -> {
                        running.progress(new Operation.Progress(phase, Math.round(progress * 100), 100, "percent"));
                        pause = askAgainAfter;
                        answeredNanos = System.nanoTime();
                        waited = true;
                        running.leaveLane();
                    }
                }
            } catch (ProviderException e) {
                // A storage that has never said that it takes long is not waited for; an agent comes back.
                boolean isAway =
                        snapshot.volume().agent().isPresent() && e.error() instanceof ProviderError.Unreachable;
                if (!(waited || isAway)
                        || !e.error().retryable()
                        || System.nanoTime() - answeredNanos >= AWAY_MAXIMUM.toNanos()) {
                    throw e;
                }
                pause = isAway ? Waits.whileAway(e.error(), LOOK_MAXIMUM) : LOOK_MAXIMUM;
                running.progress(new Operation.Progress("%s: %s".formatted(phase, e.getMessage()), 0, 100, "percent"));
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                throw new ControlException(new ControlError.StepTooLong(phase, LIMIT));
            }
            Waits.pause(pause, LOOK_MINIMUM, LOOK_MAXIMUM, running);
        }
    }
}
