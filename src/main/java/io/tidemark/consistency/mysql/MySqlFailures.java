package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.mysqlprotocol.ServerConnection;
import io.tidemark.consistency.mysqlprotocol.ServerFailures;
import java.sql.SQLException;
import java.time.Duration;

/** What goes wrong with one server, in words that name it and the way out. */
record MySqlFailures(ServerFailures named) {
    /** Once nothing is held any more there is time to look who was in the way, but not for ever. */
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(2);
    /** The driver's words for a password that it may not send. */
    private static final String NO_PUBLIC_KEY = "serverRsaPublicKeyFile not set";

    MySqlFailures(String subject) {
        this(new ServerFailures(MySqlSettings.KIND, subject));
    }

    String subject() {
        return named.subject();
    }

    ConsistencyException of(String reason) {
        return named.of(reason);
    }

    ConsistencyException of(Exception cause) {
        var reason = ServerFailures.reason(cause);
        return named.of(
                reason.contains(NO_PUBLIC_KEY)
                        ? "the password would leave this host without TLS and without the server's key: set sslMode, or"
                                + " serverPublicKeyFile"
                        : reason,
                cause);
    }

    /** Closes the session; nothing of it is held when this returns. */
    ConsistencyException ofLock(MySqlSession session, Hold hold, Duration limit, SQLException cause) {
        boolean timedOut = cause.getErrorCode() == ServerConnection.LOCK_WAIT_TIMEOUT;
        var longest = "";
        try (session) {
            // One of its waits may have failed after another was over: that lock is held.
            session.release(hold);
            if (timedOut) {
                session.awaitAnswersFor(LOOK_LIMIT);
                longest = session.longestStatement(Duration.ZERO).orElse("");
            }
        } catch (SQLException e) {
            // The session ends here, and with it whatever it held; the first failure says why.
            cause.addSuppressed(e);
        }
        var reason = timedOut
                ? ofTimeout(hold, limit, longest)
                : "hold by %s was given up: %s".formatted(statement(hold), ServerFailures.reason(cause));
        return named.of(reason, cause);
    }

    private static String ofTimeout(Hold hold, Duration limit, String longest) {
        return "%s did not get its lock within %d ms: it waits for %s; %s"
                .formatted(
                        statement(hold),
                        limit.toMillis(),
                        hold == Hold.DDL_ALONE
                                ? "statements that create, change or drop tables"
                                : "statements that run, LOCK TABLES and commits under way",
                        longest.isEmpty()
                                ? "no statement of another session is seen to run (grant PROCESS to see those of"
                                        + " other users)"
                                : "the longest that runs is " + longest);
    }

    private static String statement(Hold hold) {
        return hold == Hold.DDL_ALONE ? "LOCK INSTANCE FOR BACKUP" : "FLUSH TABLES WITH READ LOCK";
    }
}
