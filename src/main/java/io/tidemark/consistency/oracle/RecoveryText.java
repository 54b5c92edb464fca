package io.tidemark.consistency.oracle;

import io.tidemark.consistency.oracle.OracleSession.Position;

/**
 * What to say to a database whose files were put in place from the cut. Source: Oracle Backup and Recovery User's Guide,
 * "Recovery Using Storage Snapshot Optimization"; SQL Language Reference, ALTER DATABASE, SNAPSHOT TIME.
 */
final class RecoveryText {
    /** Kept with the recovery point under this name. */
    static final String EVIDENCE = "oracle_recovery.sql";

    private RecoveryText() {}

    /**
     * @param before of the cut
     * @param after it; RECOVER wants a time that no checkpoint of the cut is later than (ORA-19839)
     */
    static String of(DatabaseDescription database, boolean backupMode, Position before, Position after) {
        var text = new StringBuilder("""
                -- Database %s (DBID %s, Oracle Database %s), by its server's clock and time zone:
                -- cut after %s (SCN %s, checkpoint %s), complete before %s (SCN %s, checkpoint %s).

                -- To the cut itself, with its own data files, control files and online redo logs:
                """.formatted(
                        database.name(),
                        database.identifier(),
                        database.version(),
                        before.time(),
                        before.scn(),
                        before.checkpoint(),
                        after.nextSecond(),
                        after.scn(),
                        after.checkpoint()));
        text.append(backupMode ? """
                        STARTUP MOUNT
                        ALTER DATABASE END BACKUP;
                        ALTER DATABASE OPEN;
                        """ : "STARTUP\n");
        if (!database.archivesLogs()) {
            return text.append("\n-- To no later time: the database is in NOARCHIVELOG mode.\n")
                    .toString();
        }
        return text.append(later(database, backupMode, after)).toString();
    }

    private static String later(DatabaseDescription database, boolean backupMode, Position after) {
        if (backupMode) {
            return """

                    -- To a later time, with the data files of the cut and archived redo logs of the original:
                    STARTUP MOUNT
                    RECOVER DATABASE UNTIL TIME '<later time, YYYY-MM-DD:HH24:MI:SS>' USING BACKUP CONTROLFILE;
                    ALTER DATABASE OPEN RESETLOGS;
                    """;
        }
        return """

                -- To a later time, with the data files of the cut and archived redo logs of the original%s:
                STARTUP MOUNT
                RECOVER DATABASE UNTIL TIME '<later time, YYYY-MM-DD:HH24:MI:SS>' SNAPSHOT TIME '%s';
                ALTER DATABASE OPEN RESETLOGS;
                """.formatted(
                database.enterprise() ? "" : " (SNAPSHOT TIME is licensed with Enterprise Edition, which this is not)",
                after.nextSecond());
    }
}
