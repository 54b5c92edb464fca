package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;

/** What goes wrong with one database, in words that name it and the way out. */
record OracleFailures(String subject) {
    private static final int VIEW_UNKNOWN = 942;
    private static final int INSUFFICIENT_PRIVILEGES = 1031;

    ConsistencyException of(String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(OracleSettings.KIND, subject, reason));
    }

    ConsistencyException of(Exception cause) {
        return new ConsistencyException(
                new ConsistencyError.FreezeFailed(OracleSettings.KIND, subject, reason(cause)), cause);
    }

    /** The first line, which has the server's number, and what to do about missing rights. */
    static String reason(Exception e) {
        var first = String.valueOf(e.getMessage()).lines().findFirst().orElse("no answer");
        if (e instanceof SQLTimeoutException) {
            return "no answer within statementTimeoutMillis: " + first;
        }
        return e instanceof SQLException sql
                        && (sql.getErrorCode() == VIEW_UNKNOWN || sql.getErrorCode() == INSUFFICIENT_PRIVILEGES)
                ? first + ": the account lacks a right, \"tidemark quiesce explain oracle\" tells which it needs"
                : first;
    }
}
