package io.tidemark.control;

import java.time.Duration;

/**
 * @param concurrentMaximum operations that run at once, 1 to 64
 * @param stopTimeout time a graceful stop grants running operations
 */
public record OperationSettings(int concurrentMaximum, Duration stopTimeout) {
    /** Each waiting operation is a parked virtual thread and a row; more than this is a runaway client. */
    public static final int WAITING_MAXIMUM = 256;
    /** What a client is told to wait when too many are waiting. */
    public static final Duration RETRY_AFTER = Duration.ofSeconds(5);
    /** Progress reaches the database this often at most; watchers hear all of it. */
    public static final Duration PROGRESS_WRITTEN_EVERY = Duration.ofSeconds(1);
    /** Work that is told to leave ends within 100 ms; ten times that for a loaded host. */
    public static final Duration LEAVE_WAIT = Duration.ofSeconds(1);
    /** How long ended operations are remembered. */
    public static final Duration HISTORY = Duration.ofDays(30);

    public OperationSettings {
        if (concurrentMaximum < 1 || concurrentMaximum > 64) {
            throw new IllegalArgumentException("concurrentMaximum is not 1 to 64: " + concurrentMaximum);
        }
        if (stopTimeout.isNegative()) {
            throw new IllegalArgumentException("stopTimeout is negative: " + stopTimeout);
        }
    }
}
