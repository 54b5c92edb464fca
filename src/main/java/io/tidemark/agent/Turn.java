package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** One recovery point at a time; whoever waits for his turn can be cancelled. */
public final class Turn {
    /** A user who cancels is answered within 100 ms. */
    private static final Duration ASK_CANCELLED_EVERY = Duration.ofMillis(50);

    /** Fair, so that a group with many short intervals does not starve the others. */
    private final ReentrantLock oneAtATime = new ReentrantLock(true);

    /** @throws ConsistencyException Cancelled */
    public void take(RecoveryPointId id, ProgressListener listener) throws ConsistencyException {
        try {
            do {
                refuseWhenCancelled(id, listener);
            } while (!oneAtATime.tryLock(ASK_CANCELLED_EVERY.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConsistencyException(new ConsistencyError.Cancelled(id), e);
        }
    }

    /** By the thread that has taken it. */
    public void end() {
        oneAtATime.unlock();
    }

    static void refuseWhenCancelled(RecoveryPointId id, ProgressListener listener) throws ConsistencyException {
        if (listener.cancelled()) {
            throw new ConsistencyException(new ConsistencyError.Cancelled(id));
        }
    }
}
