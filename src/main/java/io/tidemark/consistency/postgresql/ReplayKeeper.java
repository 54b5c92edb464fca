package io.tidemark.consistency.postgresql;

import java.sql.SQLException;
import java.time.Duration;

/**
 * A session of its own, on whose backend the server itself lets replay go on: when our session on it ends, or at the
 * limit. A pause of replay belongs to no session, so nothing else would end it if this process died.
 *
 * <p>The backend waits in one statement that writes nothing to its client before it has resumed. So it never notices that
 * the client is gone, and needs it for nothing: PostgreSQL looks for that only at a write, at a read, or every {@code
 * client_connection_check_interval}, which is switched off here (PostgreSQL 15 manual, 20.3.2).
 */
final class ReplayKeeper implements AutoCloseable {
    static final String NAME = "tidemark replay keeper";

    /** Between two looks at our session: how much longer than it a pause may last. */
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);

    /** What the end of the statement may take after the word to end, or its backend after our death. */
    private static final Duration END_LIMIT = Duration.ofSeconds(5);

    private final PostgresSession session;
    private final int backend;
    private final Thread thread;

    private ReplayKeeper(PostgresSession session, int backend, Thread thread) {
        this.session = session;
        this.backend = backend;
        this.thread = thread;
    }

    /**
     * Its limit begins now. It may not have begun to wait when this returns: {@link PostgresSession#waitsInSleep} tells.
     *
     * @param watched backend of the session whose end ends the pause
     */
    static ReplayKeeper start(PostgresSettings settings, int watched, Duration limit)
            throws SQLException, java.io.IOException {
        var session = PostgresSession.open(settings, NAME, limit.plus(END_LIMIT));
        try {
            // Only what the limit says may end it. Of these a version has some.
            session.set("statement_timeout", "0");
            session.set("lock_timeout", "0");
            session.set("client_connection_check_interval", "0");
            session.set("transaction_timeout", "0");
            int backend = session.backend();
            var statement = statement(watched, limit);
            var thread = Thread.ofVirtual().name("replay-keeper").start(() -> session.executeUntilItEnds(statement));
            return new ReplayKeeper(session, backend, thread);
        } catch (SQLException e) {
            session.close();
            throw e;
        }
    }

    /** One statement, so that nothing is said to the client between waiting and resuming. */
    private static String statement(int watched, Duration limit) {
        return """
                DO $$
                DECLARE ends timestamptz := clock_timestamp() + interval '%d milliseconds';
                BEGIN
                    WHILE clock_timestamp() < ends AND EXISTS (SELECT FROM pg_stat_get_activity(%d)) LOOP
                        PERFORM pg_sleep(least(%d / 1000.0, greatest(0, extract(epoch FROM ends - clock_timestamp()))));
                        PERFORM pg_stat_clear_snapshot();
                    END LOOP;
                    PERFORM pg_wal_replay_resume();
                END $$""".formatted(limit.toMillis(), watched, LOOK_EVERY.toMillis());
    }

    int backend() {
        return backend;
    }

    /** Once its statement was cancelled, or the session that it watches has ended. */
    @Override
    public void close() {
        try {
            thread.join(END_LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        session.close();
    }
}
