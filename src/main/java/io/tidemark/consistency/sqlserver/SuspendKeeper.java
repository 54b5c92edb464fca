package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.consistency.sqlserver.SuspendStatements.SessionIdentity;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A session of its own, on which the server itself ends a suspension at the limit. The server ends one with the session
 * that made it, but a client that is stopped keeps its session, and the server has no limit for that.
 *
 * <p>Its batch waits and needs nothing of us. Were we killed instead, both sessions would end at once.
 */
final class SuspendKeeper implements AutoCloseable {
    /** Beyond the limit: what ending the session and the suspension may take. */
    private static final Duration END_LIMIT = Duration.ofSeconds(5);
    /** What an idle keeper may take to end once it was told that it is not needed any more. */
    private static final Duration CANCEL_LIMIT = Duration.ofSeconds(2);

    private static final Duration ASK_EVERY = Duration.ofMillis(10);

    private final SqlServerSession session;
    private @Nullable Thread thread;
    private long endsNanos;

    private SuspendKeeper(SqlServerSession session) {
        this.session = session;
    }

    static SuspendKeeper open(SqlServerSettings settings, JdbcConnection.Connector connector)
            throws SQLException, IOException {
        return new SuspendKeeper(SqlServerSession.open(settings, connector));
    }

    /**
     * From now on the limit counts.
     *
     * @param watched which is ended at the limit
     * @return whether the server was seen to wait, in time for the suspension to begin
     */
    boolean start(SqlServerSession watched, SuspendStatements statements, Duration limit, Duration within)
            throws SQLException, InterruptedException {
        session.limitStatements(limit.plus(END_LIMIT));
        long started = System.nanoTime();
        endsNanos = started + limit.plus(END_LIMIT).toNanos();
        var batch = statements.keep(watched.identity(), limit);
        thread = Thread.ofVirtual().name("suspend-keeper").start(() -> session.executeUntilItEnds(batch));
        while (!watched.waits(session.identity())) {
            if (System.nanoTime() - started > within.toNanos()) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(ASK_EVERY.toMillis());
        }
        return true;
    }

    SessionIdentity identity() {
        return session.identity();
    }

    /** Nothing is suspended any more: it ends without having done anything. */
    void dismiss() {
        var waiting = thread;
        if (waiting == null) {
            return;
        }
        try {
            session.cancel();
            waiting.join(CANCEL_LIMIT.toMillis());
        } catch (SQLException e) {
            // Closing its connection ends its batch as well.
            thread = null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        session.close();
        thread = null;
    }

    /** Unless it was dismissed, waits until it has done what it is there for, or has seen that our session has ended. */
    @Override
    public void close() {
        var waiting = thread;
        if (waiting != null) {
            try {
                waiting.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(endsNanos - System.nanoTime())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            thread = null;
        }
        session.close();
    }
}
