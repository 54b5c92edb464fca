package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.mysqlprotocol.ServerAccess;
import io.tidemark.consistency.mysqlprotocol.ServerConnection;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** One session, and the few statements a quiescer says on it. Owned by one thread. */
final class MariaDbSession implements AutoCloseable {
    /** Plugins by which a password leaves this host in no readable form. */
    private static final String AUTHENTICATION = "mysql_native_password,client_ed25519,parsec";
    /** By this one it leaves it readable, within TLS: not for whoever answers. */
    private static final String AUTHENTICATION_IN_TLS = AUTHENTICATION + ",caching_sha2_password";

    private static final int BACKUP_NOT_RUNNING = 4146;
    private static final int STATEMENT_TIMEOUT = 1969;
    private static final double MILLIS_PER_SECOND = 1_000;

    private final ServerConnection connection;

    private MariaDbSession(ServerConnection connection) {
        this.connection = connection;
    }

    private static String authentication(ServerAccess access) {
        return access.sslMode().equals(ServerAccess.TRUSTING) ? AUTHENTICATION : AUTHENTICATION_IN_TLS;
    }

    static MariaDbSession open(ServerAccess access) throws SQLException, IOException {
        var connection = ServerConnection.open(access, Map.of("restrictedAuth", authentication(access)));
        try {
            var session = new MariaDbSession(connection);
            session.limitStatements(access.statementLimit());
            return session;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /**
     * The longest the server works on any of the next statements, waits for locks included; and, a little longer, the
     * longest we wait for its answer.
     */
    void limitStatements(Duration limit) throws SQLException {
        connection.awaitAnswersFor(limit.plus(ServerConnection.SOCKET_GRACE));
        connection.execute("SET SESSION max_statement_time = %s, SESSION lock_wait_timeout = %d"
                .formatted(decimalSeconds(limit), ServerConnection.seconds(limit)));
    }

    /** As {@link ServerConnection#limitIdling}. */
    void limitIdling(Duration limit) throws SQLException {
        connection.limitIdling(limit);
    }

    void stage(BackupStage stage) throws SQLException {
        connection.execute("BACKUP STAGE " + stage);
    }

    /** InnoDB's log buffer to its file: with {@code innodb_flush_log_at_trx_commit = 0} a commit does not do that. */
    void flushLogs() throws SQLException {
        connection.execute("FLUSH LOCAL ENGINE LOGS");
    }

    /** Whether the user may say BACKUP STAGE; asked with an END where nothing was begun, which changes nothing. */
    boolean mayBackUp() throws SQLException {
        try {
            stage(BackupStage.END);
            return true;
        } catch (SQLException e) {
            return switch (e.getErrorCode()) {
                case ServerConnection.ACCESS_DENIED -> false;
                case BACKUP_NOT_RUNNING -> true;
                default -> throw e;
            };
        }
    }

    static boolean timedOut(SQLException e) {
        return e.getErrorCode() == ServerConnection.LOCK_WAIT_TIMEOUT || e.getErrorCode() == STATEMENT_TIMEOUT;
    }

    /** The server as it describes itself: its variables by lower-case name, and what is seen of its tables. */
    ServerDescription describe() throws SQLException {
        var variables = connection.pairs("SHOW GLOBAL VARIABLES WHERE Variable_name IN ("
                + "'version', 'version_comment', 'datadir', 'innodb_data_home_dir', 'innodb_data_file_path',"
                + " 'innodb_log_group_home_dir', 'innodb_undo_directory', 'aria_log_dir_path',"
                + " 'log_bin', 'log_bin_basename', 'relay_log_basename', 'wsrep_on')");
        return new ServerDescription(variables, mayReadPositions(variables));
    }

    private boolean mayReadPositions(Map<String, String> variables) throws SQLException {
        if (!"ON".equals(variables.get("log_bin"))) {
            return false;
        }
        try {
            return !connection.rows("SHOW MASTER STATUS", 2).isEmpty();
        } catch (SQLException e) {
            if (e.getErrorCode() == ServerConnection.ACCESS_DENIED) {
                return false;
            }
            throw e;
        }
    }

    /**
     * Tables of users by engine, as far as they are seen.
     *
     * @return empty where the user may see no table at all, not even the server's own
     */
    Optional<Map<String, String>> tablesByEngine() throws SQLException {
        if (connection
                .rows("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mysql' LIMIT 1", 1)
                .isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(connection.pairs(
                "SELECT ENGINE, COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
                        + " AND ENGINE IS NOT NULL AND TABLE_SCHEMA NOT IN"
                        + " ('mysql', 'information_schema', 'performance_schema', 'sys') GROUP BY ENGINE"));
    }

    /** Where the server is now, in its own terms. */
    Map<String, String> positions(ServerDescription server) throws SQLException {
        var positions = new LinkedHashMap<String, String>();
        if (server.positionsReadable()) {
            for (var row : connection.rows("SHOW MASTER STATUS", 2)) {
                positions.put("binlogFile", row.get(0));
                positions.put("binlogPosition", row.get(1));
            }
        }
        positions.put("gtidBinlogPos", connection.one("SELECT @@GLOBAL.gtid_binlog_pos"));
        connection
                .pairs("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'")
                .values()
                .forEach(lsn -> positions.put("innodbLsn", lsn));
        return positions;
    }

    /** The statement of another session that runs for longest, without its text, which may hold anything. */
    Optional<String> longestStatement() throws SQLException {
        return connection
                .rows(
                        "SELECT ID, USER, TIME_MS FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute')"
                                + " AND ID <> CONNECTION_ID() AND USER <> 'system user' ORDER BY TIME_MS DESC LIMIT 1",
                        3)
                .stream()
                .map(row -> "connection %s of %s, for %s ms"
                        .formatted(row.get(0), row.get(1), row.get(2).replaceFirst("\\..*", "")))
                .findFirst();
    }

    /** As {@link ServerConnection#alive}. */
    boolean alive() {
        return connection.alive();
    }

    /** A session that ends inside a backup ends the backup: the server lets all waiting writers go on. */
    @Override
    public void close() {
        connection.close();
    }

    private static String decimalSeconds(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", duration.toMillis() / MILLIS_PER_SECOND);
    }
}
