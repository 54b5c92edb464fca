package io.tidemark.consistency.oracle;

import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A database that we have put into backup mode: it holds no writer, and lasts until it is ended by name. */
final class BackupMode {
    /** ORA-01146, of a file that is in backup mode when it is to begin. */
    private static final int IN_BACKUP_ALREADY = 1146;

    static final String MIXED =
            "some files are still in the backup mode that was begun here, others in somebody else's:"
                    + " end ours by ALTER TABLESPACE ... END BACKUP";

    private final BackupJournal journal;
    private final Path file;
    private final OracleSession.BackupState begun;

    private BackupMode(BackupJournal journal, Path file, OracleSession.BackupState begun) {
        this.journal = journal;
        this.file = file;
        this.begun = begun;
    }

    /**
     * Waits for a checkpoint. When it throws, the database is not in backup mode by us, or the journal says that it may
     * be.
     *
     * @param written the quiescer's settings, for whoever has to end it if we die
     */
    static BackupMode begin(
            OracleSession session, BackupJournal journal, RecoveryPointId recoveryPoint, Map<String, String> written)
            throws SQLException, IOException {
        var name = BackupJournal.name(recoveryPoint);
        var before = session.position().time();
        var file = journal.write(name, new BackupJournal.Entry(recoveryPoint.value(), written, before, List.of()));
        try {
            session.beginBackup();
            var begun = session.backupState();
            journal.write(name, new BackupJournal.Entry(recoveryPoint.value(), written, before, begun.changes()));
            return new BackupMode(journal, file, begun);
        } catch (SQLException e) {
            giveUp(session, journal, file, e.getErrorCode() == IN_BACKUP_ALREADY);
            throw e;
        } catch (IOException e) {
            giveUp(session, journal, file, false);
            throw e;
        }
    }

    /**
     * It may have begun all the same: what does not end now is ended by the journal.
     *
     * @param somebodyElses whether another was faster, so that what has begun is theirs
     */
    private static void giveUp(OracleSession session, BackupJournal journal, Path file, boolean somebodyElses)
            throws IOException {
        try {
            if (!somebodyElses && !session.backupState().none()) {
                session.endBackup();
            }
            journal.remove(file);
        } catch (SQLException e) {
            // The session is lost; the failure that led here says why.
            journal.leave(file);
        }
    }

    /** Whether it has lasted without a break: files that were taken out of it and put in again began at another change. */
    boolean lasts(OracleSession session) throws SQLException {
        return !begun.none() && session.backupState().equals(begun);
    }

    List<String> changes() {
        return begun.changes();
    }

    /**
     * Ends it, on another connection where ours is lost.
     *
     * @return why that failed; the next freeze or start tries again
     */
    Optional<String> end(OracleSession session, OracleSettings settings, JdbcConnection.Connector connector) {
        try {
            try {
                endOurs(session);
            } catch (SQLException e) {
                try (var another = OracleSession.open(settings, connector)) {
                    endOurs(another);
                }
            }
            journal.remove(file);
            return Optional.empty();
        } catch (SQLException | IOException e) {
            journal.leave(file);
            return Optional.of(OracleFailures.reason(e));
        }
    }

    /** Somebody may have ended it, and begun another since: that is theirs. All files are ended at once, or none. */
    private void endOurs(OracleSession session) throws SQLException {
        var now = session.backupState().changes();
        if (now.equals(begun.changes())) {
            session.endBackup();
        } else if (now.stream().anyMatch(begun.changes()::contains)) {
            throw new SQLException(MIXED);
        }
    }
}
