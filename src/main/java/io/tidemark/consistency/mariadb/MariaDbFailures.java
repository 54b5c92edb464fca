package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.mysqlprotocol.ServerFailures;
import java.sql.SQLException;
import java.time.Duration;

/** What goes wrong with one server, in words that name it and the way out. */
record MariaDbFailures(ServerFailures named) {
    /** Once nothing is held any more there is time to look who was in the way, but not for ever. */
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(2);

    MariaDbFailures(String subject) {
        this(new ServerFailures(MariaDbSettings.KIND, subject));
    }

    String subject() {
        return named.subject();
    }

    ConsistencyException of(String reason) {
        return named.of(reason);
    }

    ConsistencyException of(Exception cause) {
        return named.of(cause);
    }

    /** Ends the backup, if the session still can, and closes the session; nothing is held when it returns. */
    ConsistencyException ofStage(MariaDbSession session, BackupStage stage, Duration limit, SQLException cause) {
        var longest = "";
        try (session) {
            if (stage != BackupStage.START) {
                // A first stage that failed began nothing, and the server would refuse to end it.
                session.stage(BackupStage.END);
            }
            if (MariaDbSession.timedOut(cause)) {
                session.limitStatements(LOOK_LIMIT);
                longest = session.longestStatement().orElse("");
            }
        } catch (SQLException e) {
            // The session ends here, and with it whatever it held; the first failure says why.
            cause.addSuppressed(e);
        }
        var reason = MariaDbSession.timedOut(cause)
                ? ofTimeout(stage, limit, longest)
                : "BACKUP STAGE %s failed: %s".formatted(stage, ServerFailures.reason(cause));
        return named.of(reason, cause);
    }

    private static String ofTimeout(BackupStage stage, Duration limit, String longest) {
        return "BACKUP STAGE %s did not get its lock within %d ms: it waits for %s; %s"
                .formatted(
                        stage,
                        limit.toMillis(),
                        waitsFor(stage),
                        longest.isEmpty()
                                ? "no statement of another session is seen to run (grant PROCESS to see those of"
                                        + " other users)"
                                : "the longest that runs is " + longest);
    }

    private static String waitsFor(BackupStage stage) {
        return switch (stage) {
            case START -> "statements that create, change or drop tables, and for other backups";
            case FLUSH, BLOCK_DDL ->
                "statements and LOCK TABLES that write tables without transactions, and for ones that create, change or"
                        + " drop tables";
            case BLOCK_COMMIT, END -> "commits that are under way";
        };
    }
}
