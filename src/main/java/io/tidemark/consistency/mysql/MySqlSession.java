package io.tidemark.consistency.mysql;

import io.tidemark.consistency.mysqlprotocol.ServerConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One session, and the few statements a quiescer says on it. Owned by one thread. */
final class MySqlSession implements AutoCloseable {
    static final String FLUSH_AT_COMMIT = "innodb_flush_log_at_trx_commit";

    /** Class of SQLSTATE. */
    private static final String CONNECTION_LOST = "08";
    /** A set of GTIDs with more characters is told in part: facts are read by people. */
    private static final int GTID_CHARACTERS_MAXIMUM = 4_096;
    /** More files outside the data directory than this are looked at in part. */
    static final int FILES_MAXIMUM = 10_000;

    private final ServerConnection connection;

    private MySqlSession(ServerConnection connection) {
        this.connection = connection;
    }

    static MySqlSession open(MySqlSettings settings) throws SQLException, IOException {
        var connection = ServerConnection.open(settings.access(), settings.driverOptions());
        try {
            var session = new MySqlSession(connection);
            session.limitLocks(settings.access().statementLimit());
            session.awaitAnswersFor(settings.access().statementLimit().plus(ServerConnection.SOCKET_GRACE));
            return session;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** As {@link ServerConnection#awaitAnswersFor}. */
    void awaitAnswersFor(Duration limit) throws SQLException {
        connection.awaitAnswersFor(limit);
    }

    /** As {@link ServerConnection#limitIdling}. */
    void limitIdling(Duration limit) throws SQLException {
        connection.limitIdling(limit);
    }

    /** How long the server waits for one lock, in whole seconds: it knows no shorter ones. */
    void limitLocks(Duration limit) throws SQLException {
        connection.execute("SET SESSION lock_wait_timeout = " + ServerConnection.seconds(limit));
    }

    /** The server as it describes itself: its variables by lower-case name, and what is seen of its tables. */
    MySqlServer describe() throws SQLException {
        var variables = connection.pairs("SHOW GLOBAL VARIABLES WHERE Variable_name IN ("
                + "'version', 'version_comment', 'datadir', 'innodb_data_home_dir', 'innodb_data_file_path',"
                + " 'innodb_log_group_home_dir', 'innodb_undo_directory', 'innodb_directories',"
                + " 'innodb_doublewrite_dir', '" + FLUSH_AT_COMMIT + "',"
                + " 'log_bin', 'log_bin_basename', 'relay_log_basename', 'wsrep_on')");
        boolean cluster = !connection
                .rows(
                        "SELECT 1 FROM information_schema.ENGINES WHERE ENGINE = 'ndbcluster'"
                                + " AND SUPPORT IN ('YES', 'DEFAULT')",
                        1)
                .isEmpty();
        boolean groupMember = !connection
                .rows(
                        "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'group_replication'"
                                + " AND PLUGIN_STATUS = 'ACTIVE'",
                        1)
                .isEmpty();
        return new MySqlServer(variables, tablesByEngine(), writesRedoLog(), cluster, groupMember);
    }

    /** Whether InnoDB writes its redo log, as of now: {@code ALTER INSTANCE} switches it on and off. */
    boolean writesRedoLog() throws SQLException {
        return !connection
                .pairs("SHOW GLOBAL STATUS WHERE Variable_name = 'Innodb_redo_log_enabled'")
                .containsValue("OFF");
    }

    /** Empty where the account has no right of its own to see all: by a role, or for one schema, it may see some alone. */
    private Optional<Map<String, String>> tablesByEngine() throws SQLException {
        if (connection
                .rows(
                        "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE GRANTEE ="
                                + " CONCAT('\'', REPLACE(CURRENT_USER(), '@', '\'@\''), '\'')"
                                + " AND PRIVILEGE_TYPE IN ('SHOW VIEW', 'SELECT') LIMIT 1",
                        1)
                .isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(connection.pairs(
                "SELECT ENGINE, COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
                        + " AND ENGINE IS NOT NULL AND TABLE_SCHEMA NOT IN"
                        + " ('mysql', 'information_schema', 'performance_schema', 'sys', 'ndbinfo') GROUP BY ENGINE"));
    }

    /** Whether statements and files of others are shown to the user; asked of a table that PROCESS alone opens. */
    boolean maySeeOthers() throws SQLException {
        return allowed("SELECT 1 FROM information_schema.INNODB_METRICS LIMIT 1", ServerConnection.ACCESS_DENIED);
    }

    /** Whether the user may say FLUSH; asked with one that writes InnoDB's log out, which is due every second anyway. */
    boolean mayFlush() throws SQLException {
        try {
            flushLogs();
            return true;
        } catch (SQLException e) {
            if (e.getErrorCode() == ServerConnection.ACCESS_DENIED) {
                return false;
            }
            throw e;
        }
    }

    private boolean allowed(String query, int denied) throws SQLException {
        try {
            connection.rows(query, 1);
            return true;
        } catch (SQLException e) {
            if (e.getErrorCode() == denied) {
                return false;
            }
            throw e;
        }
    }

    /** Files of InnoDB that are not below the data directory by their name, at most one more than the maximum. */
    List<Path> filesElsewhere() throws SQLException {
        return connection
                .rows(
                        "SELECT FILE_NAME FROM information_schema.FILES WHERE ENGINE = 'InnoDB'"
                                + " AND FILE_TYPE IN ('TABLESPACE', 'UNDO LOG') AND FILE_NAME NOT LIKE './%' LIMIT "
                                + (FILES_MAXIMUM + 1),
                        1)
                .stream()
                .map(row -> Path.of(row.getFirst()))
                .toList();
    }

    void lockForBackup() throws SQLException {
        connection.execute("LOCK INSTANCE FOR BACKUP");
    }

    void lockForReading() throws SQLException {
        connection.execute("FLUSH TABLES WITH READ LOCK");
    }

    void release(Hold hold) throws SQLException {
        connection.execute(hold.release());
    }

    /** InnoDB's log buffer to its file: with {@code innodb_flush_log_at_trx_commit = 0} a commit does not do that. */
    void flushLogs() throws SQLException {
        connection.execute("FLUSH LOCAL ENGINE LOGS");
    }

    /**
     * Where the server is now, in its own terms, all of one instant: it stops its logs while it fills this table.
     * Manual, "The log_status Table". Empty where the server has no performance schema.
     */
    Map<String, String> positions() throws SQLException {
        var positions = new LinkedHashMap<String, String>();
        for (var row : connection.rows(
                "SELECT SERVER_UUID, `LOCAL`->>'$.binary_log_file', `LOCAL`->>'$.binary_log_position',"
                        + " `LOCAL`->>'$.gtid_executed', STORAGE_ENGINES->>'$.InnoDB.LSN',"
                        + " JSON_LENGTH(REPLICATION, '$.channels') FROM performance_schema.log_status",
                6)) {
            put(positions, "serverUuid", row.get(0));
            put(positions, "binlogFile", row.get(1));
            put(positions, "binlogPosition", row.get(2));
            put(positions, "gtidExecuted", shortened(row.get(3)));
            put(positions, "innodbLsn", row.get(4));
            if (!row.get(5).equals("0")) {
                put(positions, "replicationChannels", row.get(5));
            }
        }
        return positions;
    }

    private static void put(Map<String, String> positions, String name, String value) {
        if (!value.isEmpty()) {
            positions.put(name, value);
        }
    }

    /** The server breaks its line after each source. */
    private static String shortened(String lines) {
        var gtids = lines.replace("\n", "");
        return gtids.length() <= GTID_CHARACTERS_MAXIMUM
                ? gtids
                : gtids.substring(0, GTID_CHARACTERS_MAXIMUM) + "… (%d characters)".formatted(gtids.length());
    }

    /**
     * The statement of another session that runs for longest, and at least as long, without its text, which may hold
     * anything. Without PROCESS the user's own alone are seen.
     */
    Optional<String> longestStatement(Duration atLeast) throws SQLException {
        return connection
                .rows(
                        "SELECT ID, USER, TIME FROM performance_schema.processlist WHERE COMMAND IN ('Query', 'Execute')"
                                + " AND ID <> CONNECTION_ID() AND USER NOT IN ('system user', 'event_scheduler')"
                                + " AND TIME >= " + (atLeast.isZero() ? 0 : ServerConnection.seconds(atLeast))
                                + " ORDER BY TIME DESC LIMIT 1",
                        3)
                .stream()
                .map(row -> "connection %s of %s, for %s s".formatted(row.get(0), row.get(1), row.get(2)))
                .findFirst();
    }

    /** Whether the list of statements is one: without a performance schema it is empty, whatever runs. */
    boolean listsStatements() throws SQLException {
        return !connection
                .rows("SELECT 1 FROM performance_schema.processlist WHERE ID = CONNECTION_ID()", 1)
                .isEmpty();
    }

    /** Whether the server lists the hold's locks for this session. False too where the list is not to be had. */
    boolean lists(Hold hold) throws SQLException {
        try {
            var listed = new HashSet<String>();
            connection
                    .rows(
                            "SELECT OBJECT_TYPE FROM performance_schema.metadata_locks WHERE OWNER_THREAD_ID ="
                                    + " PS_CURRENT_THREAD_ID() AND LOCK_STATUS = 'GRANTED'"
                                    + " AND LOCK_DURATION = 'EXPLICIT'",
                            1)
                    .forEach(row -> listed.add(row.getFirst()));
            return listed.containsAll(hold.objectTypes());
        } catch (SQLException e) {
            if (String.valueOf(e.getSQLState()).startsWith(CONNECTION_LOST)) {
                throw e;
            }
            // The server answered, with a refusal: of the right, or for want of a performance schema.
            return false;
        }
    }

    /** As {@link ServerConnection#alive}. */
    boolean alive() {
        return connection.alive();
    }

    /** Whether commits are written to InnoDB's log before they are acknowledged, as of now. */
    boolean writesLogAtCommit() throws SQLException {
        return !connection.one("SELECT @@GLOBAL." + FLUSH_AT_COMMIT).equals("0");
    }

    /** A session that ends lets go of its locks. */
    @Override
    public void close() {
        connection.close();
    }
}
