package io.tidemark.control;

import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.SyncReport;
import java.time.Duration;

/** Hears what happened, for metrics. Never throws, never waits. */
public interface Observer {
    default void operationStarted(String kind) {}

    default void operationEnded(Operation operation, Duration took) {}

    default void recoveryPointTaken(RecoveryPoint point) {}

    default void synced(SyncReport report) {}

    Observer NONE = new Observer() {};
}
