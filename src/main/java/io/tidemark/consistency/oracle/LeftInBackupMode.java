package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.domain.QuiescerSpec;
import java.io.IOException;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Databases that a process before this one, or a lost session of this one, left in backup mode. */
record LeftInBackupMode(BackupJournal journal, JdbcConnection.Connector connector) {
    private static final Logger LOG = LoggerFactory.getLogger(LeftInBackupMode.class);
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd:HH:mm:ss");
    /** Beyond the statement's own limit: what may lie between the journal's time and the statement. */
    private static final Duration BEGIN_GRACE = Duration.ofSeconds(10);

    /** All there are; what cannot be ended now is told in the log, and stays for the next time. */
    void endAll() {
        try {
            for (var left : journal.left()) {
                if (left.entry().isEmpty()) {
                    LOG.error(
                            "database_not_out_of_backup_mode file={} error=\"it is damaged or of another version: end it by"
                                    + " hand, then delete the file\"",
                            left.file());
                } else {
                    end(left, left.entry().get());
                }
            }
        } catch (IOException e) {
            LOG.error("oracle_journal_unreadable error={}", e.getMessage());
        }
    }

    /** Of one database alone, before it is frozen again. */
    void end(OracleSettings settings) throws IOException {
        for (var left : journal.left()) {
            var entry = left.entry();
            if (entry.isPresent() && subject(entry.get()).equals(settings.subject())) {
                end(left, entry.get());
            }
        }
    }

    private static String subject(BackupJournal.Entry entry) {
        try {
            return settings(entry).subject();
        } catch (ConsistencyException e) {
            // Settings of another version: no database of this one.
            return "";
        }
    }

    private static OracleSettings settings(BackupJournal.Entry entry) throws ConsistencyException {
        return OracleSettings.of(new QuiescerSpec(OracleSettings.KIND, entry.settings()));
    }

    private void end(BackupJournal.Left left, BackupJournal.Entry entry) {
        if (!journal.claim(left.file())) {
            // Another group's freeze ends it.
            return;
        }
        try {
            var settings = settings(entry);
            try (var session = OracleSession.open(settings, connector)) {
                var state = session.backupState();
                var doubt = doubt(entry, state, session.position().time(), settings.statementLimit());
                if (!doubt.isEmpty()) {
                    LOG.error(
                            "database_perhaps_in_backup_mode database={} recoveryPoint={} file={} since={} error=\"{}\"",
                            settings.subject(),
                            entry.recoveryPoint(),
                            left.file(),
                            state.since(),
                            doubt);
                    return;
                }
                if (state.none() || !ours(entry, state, settings.statementLimit())) {
                    LOG.info(
                            "database_was_out_of_backup_mode database={} recoveryPoint={} somebodyElses={}",
                            settings.subject(),
                            entry.recoveryPoint(),
                            !state.none());
                } else {
                    session.endBackup();
                    LOG.warn(
                            "database_out_of_backup_mode_afterwards database={} recoveryPoint={}",
                            settings.subject(),
                            entry.recoveryPoint());
                }
                journal.remove(left.file());
            }
        } catch (ConsistencyException | SQLException | IOException e) {
            LOG.error(
                    "database_not_out_of_backup_mode recoveryPoint={} file={} error={}",
                    entry.recoveryPoint(),
                    left.file(),
                    OracleFailures.reason(e));
        } finally {
            journal.leave(left.file());
        }
    }

    /**
     * Why it cannot be known what is to be ended, so that the journal keeps its entry; empty where it can. The server goes
     * on with a statement whose client is gone: it may yet begin, and may have begun later than the statement's limit.
     */
    static String doubt(
            BackupJournal.Entry entry, OracleSession.BackupState state, String now, Duration statementLimit) {
        if (entry.changes().isEmpty()) {
            if (state.none()) {
                return within(entry.before(), now, statementLimit)
                        ? "it may still begin: the next freeze or start looks again"
                        : "";
            }
            return ours(entry, state, statementLimit)
                    ? ""
                    : "it is not known who began it: end it by hand where nobody's backup runs, then delete the file";
        }
        boolean some = state.changes().stream().anyMatch(entry.changes()::contains);
        return some && !state.changes().equals(entry.changes()) ? BackupMode.MIXED : "";
    }

    /**
     * Whether what is in backup mode is so by us. The changes at which it began tell; where we died before we could ask
     * for them, it is the time at which it began.
     */
    static boolean ours(BackupJournal.Entry entry, OracleSession.BackupState state, Duration statementLimit) {
        if (!entry.changes().isEmpty()) {
            return state.changes().equals(entry.changes());
        }
        return within(entry.before(), state.since(), statementLimit);
    }

    private static boolean within(String before, String time, Duration statementLimit) {
        try {
            var earliest = LocalDateTime.parse(before, TIME);
            var moment = LocalDateTime.parse(time, TIME);
            return !moment.isBefore(earliest)
                    && !moment.isAfter(earliest.plus(statementLimit).plus(BEGIN_GRACE));
        } catch (DateTimeException e) {
            return false;
        }
    }
}
