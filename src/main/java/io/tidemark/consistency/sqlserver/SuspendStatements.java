package io.tidemark.consistency.sqlserver;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The statements of a snapshot backup of one or several databases. Source: SQL Server manual, "Create a Transact-SQL
 * snapshot backup", "ALTER SERVER CONFIGURATION", "KILL", "sys.dm_server_suspend_status", "sys.dm_os_sys_info".
 */
record SuspendStatements(List<String> databases) {
    /** Between two looks of the keeper: how much later than at its limit a suspension may end. */
    private static final String LOOK_EVERY = "00:00:00.050";
    /** What a killed session may take to let go before the suspension is ended by name. */
    private static final String AFTER_KILL = "00:00:01";

    SuspendStatements {
        databases = List.copyOf(databases);
    }

    /** Our session as the server knows it: its number alone may be another's later. */
    record SessionIdentity(int number, String loginTime) {
        String seen() {
            return "EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = %d AND login_time = CONVERT(datetime,"
                            .formatted(number)
                    + " '%s', 126))".formatted(loginTime);
        }
    }

    /** Holds every write to them from its answer on. */
    String suspend(boolean copyOnly) {
        if (databases.size() == 1) {
            return "ALTER DATABASE %s SET SUSPEND_FOR_SNAPSHOT_BACKUP = ON%s"
                    .formatted(name(databases.getFirst()), copyOnly ? " (MODE = COPY_ONLY)" : "");
        }
        return "ALTER SERVER CONFIGURATION SET SUSPEND_FOR_SNAPSHOT_BACKUP = ON (GROUP = (%s)%s)"
                .formatted(names(), copyOnly ? ", MODE = COPY_ONLY" : "");
    }

    /** Lets the writers go on, without a backup. */
    String resume() {
        return databases.size() == 1
                ? "ALTER DATABASE %s SET SUSPEND_FOR_SNAPSHOT_BACKUP = OFF".formatted(name(databases.getFirst()))
                : "ALTER SERVER CONFIGURATION SET SUSPEND_FOR_SNAPSHOT_BACKUP = OFF (GROUP = (%s))".formatted(names());
    }

    /** Lets the writers go on, and writes what restoring from the cut needs. On the session that suspended alone. */
    String backUp(String file, String recoveryPoint) {
        return "BACKUP %s %s TO DISK = %s WITH METADATA_ONLY, FORMAT, MEDIANAME = N'tidemark', MEDIADESCRIPTION = %s"
                .formatted(databases.size() == 1 ? "DATABASE" : "GROUP", names(), text(file), text(recoveryPoint));
    }

    /** Name, milliseconds since it was suspended, whether its writes are held, the session by its last byte. */
    static String suspended() {
        // The manual calls suspend_session_id a tinyint, which not every session's number fits.
        return "SELECT db_name, suspend_time_ms, CONVERT(int, is_write_io_frozen), CONVERT(int, suspend_session_id) % 256"
                + " FROM sys.dm_server_suspend_status";
    }

    /**
     * One batch, which says nothing to its client before it ends: at the limit it ends the session that suspended, and
     * where that did not suffice, the suspension. Time is that of the server's ticks, which no clock setting moves.
     */
    String keep(SessionIdentity watched, Duration limit) {
        return """
                SET NOCOUNT ON;
                DECLARE @ends bigint = (SELECT ms_ticks FROM sys.dm_os_sys_info) + %d;
                WHILE (SELECT ms_ticks FROM sys.dm_os_sys_info) < @ends AND %s
                    WAITFOR DELAY '%s';
                IF %s
                BEGIN
                    KILL %d;
                    WAITFOR DELAY '%s';
                    IF EXISTS (SELECT 1 FROM sys.dm_server_suspend_status WHERE db_name IN (%s)
                            AND CONVERT(int, suspend_session_id) %% 256 = %d)
                        %s;
                END""".formatted(
                        limit.toMillis(),
                        watched.seen(),
                        LOOK_EVERY,
                        watched.seen(),
                        watched.number(),
                        AFTER_KILL,
                        databases.stream().map(SuspendStatements::text).collect(Collectors.joining(", ")),
                        watched.number() % 256,
                        resume());
    }

    private String names() {
        return databases.stream().map(SuspendStatements::name).collect(Collectors.joining(", "));
    }

    private static String name(String database) {
        return "[" + database.replace("]", "]]") + "]";
    }

    static String text(String value) {
        return "N'" + value.replace("'", "''") + "'";
    }
}
