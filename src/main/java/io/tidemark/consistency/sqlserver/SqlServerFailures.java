package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;

/** What goes wrong with one server, in words that name it and the way out. */
record SqlServerFailures(String subject) {
    private static final int LOCK_TIMEOUT = 1222;

    ConsistencyException of(String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(SqlServerSettings.KIND, subject, reason));
    }

    ConsistencyException of(Exception cause) {
        return new ConsistencyException(
                new ConsistencyError.FreezeFailed(SqlServerSettings.KIND, subject, reason(cause)), cause);
    }

    ConsistencyException ofHold(Duration limit, SQLException cause) {
        var reason = cause.getErrorCode() == LOCK_TIMEOUT || cause instanceof SQLTimeoutException
                ? "its databases were not suspended within %d ms, half of the freeze limit: a backup, a restore or an ALTER"
                                .formatted(limit.toMillis())
                        + " DATABASE of another session is in the way"
                : "suspending its databases failed: " + reason(cause);
        return new ConsistencyException(
                new ConsistencyError.FreezeFailed(SqlServerSettings.KIND, subject, reason), cause);
    }

    /** The first line; with the server's number where it has one. */
    static String reason(Exception e) {
        var first = String.valueOf(e.getMessage()).lines().findFirst().orElse("no answer");
        return e instanceof SQLException sql && sql.getErrorCode() > 0
                ? "%s (error %d)".formatted(first, sql.getErrorCode())
                : first;
    }
}
