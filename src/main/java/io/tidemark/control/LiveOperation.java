package io.tidemark.control;

import io.tidemark.domain.Operation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One operation of this process: its newest value, who watches it, whether it should stop. Guarded by itself. */
final class LiveOperation {
    private Operation current;
    private boolean cancelRequested;
    private @Nullable Thread waitingThread;
    private final List<Consumer<Operation>> watchers = new ArrayList<>();
    private Instant progressWrittenAt = Instant.EPOCH;

    LiveOperation(Operation current) {
        this.current = current;
    }

    synchronized Operation current() {
        return current;
    }

    /** Changes the value and tells the watchers, in order. */
    synchronized Operation change(UnaryOperator<Operation> change) {
        current = change.apply(current);
        for (var watcher : watchers) {
            watcher.accept(current);
        }
        return current;
    }

    /** Tells the value of now at once, then every change. */
    synchronized void watch(Consumer<Operation> watcher) {
        watcher.accept(current);
        watchers.add(watcher);
    }

    synchronized void forget(Consumer<Operation> watcher) {
        watchers.remove(watcher);
    }

    synchronized boolean cancelRequested() {
        return cancelRequested;
    }

    /** A thread that waits for its turn is woken; one that acts reads {@link #cancelRequested}. */
    synchronized void requestCancel() {
        cancelRequested = true;
        if (waitingThread != null) {
            waitingThread.interrupt();
        }
    }

    /** @return false when it should not even begin to wait */
    synchronized boolean beginWaiting() {
        if (cancelRequested) {
            return false;
        }
        waitingThread = Thread.currentThread();
        return true;
    }

    /** From here on nothing interrupts the thread. */
    synchronized void endWaiting() {
        waitingThread = null;
        // An interrupt that came too late to wake anyone must not hit the work; the request itself is kept.
        Thread.interrupted();
    }

    /** The value to write, when enough time has passed since progress was last written. */
    synchronized Optional<Operation> progressToWrite(Instant now) {
        if (now.isBefore(progressWrittenAt.plus(OperationSettings.PROGRESS_WRITTEN_EVERY))
                && !now.isBefore(progressWrittenAt)) {
            return Optional.empty();
        }
        progressWrittenAt = now;
        return Optional.of(current);
    }
}
