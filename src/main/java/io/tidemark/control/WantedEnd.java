package io.tidemark.control;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;

/** Failures with which an operation ends because somebody asked it to. */
final class WantedEnd {
    private WantedEnd() {}

    /** Of one that only waited, as the site was stopped. */
    static boolean isStopping(Throwable failure) {
        return failure instanceof ControlException control && control.error() instanceof ControlError.Stopping;
    }

    static boolean isCancelled(Throwable failure) {
        return switch (failure) {
            case ControlException control ->
                control.error() instanceof ControlError.Cancelled
                        || control.error() instanceof ControlError.LeftToStorage;
            case ReplicationException replication -> replication.error() instanceof ReplicationError.Cancelled;
            case ConsistencyException consistency -> consistency.error() instanceof ConsistencyError.Cancelled;
            default -> false;
        };
    }
}
