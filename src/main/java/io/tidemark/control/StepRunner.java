package io.tidemark.control;

import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import java.time.Duration;

/** Follows a provider's long work to its end. */
final class StepRunner {
    /** A provider that asks for less would make us poll in a loop. */
    private static final Duration WAIT_MINIMUM = Duration.ofMillis(50);
    /** Longest time between two looks, so that cancelling and progress stay alive. */
    private static final Duration WAIT_MAXIMUM = Duration.ofSeconds(15);
    /** The slowest known storage work is a cloud snapshot of many TiB. */
    private static final Duration WORK_MAXIMUM = Duration.ofDays(2);

    private static final Duration COME_BACK_AFTER = Duration.ofSeconds(5);

    private StepRunner() {}

    /** @param object what is worked on, for progress and errors */
    static <T> T finish(
            StorageProvider provider, Step<T> first, Class<T> type, String object, ProgressListener listener)
            throws ProviderException, ControlException, InterruptedException {
        return finish(provider, first, type, object, listener, WORK_MAXIMUM);
    }

    /** A deletion that somebody comes back to: a cloud may say for minutes that what it does not show may yet appear. */
    static void deleteSoon(StorageProvider provider, SnapshotId snapshot)
            throws ProviderException, ControlException, InterruptedException {
        var unused = finish(
                provider,
                provider.delete(snapshot),
                Boolean.class,
                "delete " + snapshot,
                ProgressListener.NONE,
                COME_BACK_AFTER);
    }

    private static <T> T finish(
            StorageProvider provider,
            Step<T> first,
            Class<T> type,
            String object,
            ProgressListener listener,
            Duration limit)
            throws ProviderException, ControlException, InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        Step<?> step = first;
        while (true) {
            switch (step) {
                case Step.Done<?>(var result) -> {
                    return type.cast(result);
                }
                case Step.Running<?> running -> {
                    if (System.nanoTime() - deadlineNanos >= 0) {
                        throw new ControlException(new ControlError.StepTooLong(object, limit));
                    }
                    listener.progress(
                            new Operation.Progress(object, Math.round(running.progress() * 100), 100, "percent"));
                    Thread.sleep(bounded(running.askAgainAfter()));
                    step = provider.resume(running.handle());
                }
            }
        }
    }

    private static Duration bounded(Duration asked) {
        if (asked.compareTo(WAIT_MINIMUM) < 0) {
            return WAIT_MINIMUM;
        }
        return asked.compareTo(WAIT_MAXIMUM) > 0 ? WAIT_MAXIMUM : asked;
    }
}
