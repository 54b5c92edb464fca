package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ConsistencyException;
import java.sql.SQLException;
import java.time.Duration;

/**
 * {@code FLUSH TABLES WITH READ LOCK}. It waits three times, for {@code lock_wait_timeout} each: for statements that
 * write, then until every table has been closed by the statements that use it, then for commits. From the first wait on
 * new writers stand behind it, and from the second also whoever opens a table that a long statement keeps: these go on
 * standing there until that statement ends, even when the lock has been given up. So nobody asks for it while such a
 * statement runs. Source: manual, "FLUSH Statement" and "Server System Variables"; the server's {@code sql_reload.cc}.
 */
final class GlobalReadLock {
    private static final int WAITS = 3;
    /** The server's shortest {@code lock_wait_timeout} is a second, and half of the limit is for holding. */
    private static final Duration LIMIT_MINIMUM = Duration.ofSeconds(2 * WAITS);

    private GlobalReadLock() {}

    /** Where it would not be had in time, or somebody would be left standing behind it. Asks for nothing. */
    static void refuseHopeless(MySqlSession session, MySqlSettings settings, MySqlFailures failures, Duration limit)
            throws ConsistencyException, SQLException {
        if (limit.compareTo(LIMIT_MINIMUM) < 0) {
            throw failures.of(
                    ("the freeze limit of %d ms is too short for the global read lock, which may wait %d times"
                                    + " for a second in half of it: set %d ms or more")
                            .formatted(limit.toMillis(), WAITS, LIMIT_MINIMUM.toMillis()));
        }
        if (!session.listsStatements()) {
            throw failures.of(
                    "the server does not list its statements, of which the global read lock could wait for one");
        }
        var running = session.longestStatement(settings.longStatementLimit());
        if (running.isPresent()) {
            throw failures.of(("%s runs a statement, and the global read lock would hold everybody behind it"
                            + " (longStatementMillis is %d): end it, or take the recovery point when it has ended")
                    .formatted(running.get(), settings.longStatementLimit().toMillis()));
        }
    }

    /**
     * Every write and commit is held when it returns. When it throws, a lock of it may be.
     *
     * @param waiting longest time that its waits may take together
     */
    static void take(MySqlSession session, Duration waiting) throws SQLException {
        session.limitLocks(Duration.ofSeconds(waiting.dividedBy(WAITS).toSeconds()));
        session.lockForReading();
    }
}
