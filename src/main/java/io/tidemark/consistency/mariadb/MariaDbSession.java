package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.PasswordFile;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.mariadb.jdbc.Driver;

/** One connection, and the few statements a quiescer says on it. Owned by one thread. */
final class MariaDbSession implements AutoCloseable {
    /** What a socket waits beyond the server's own statement limit before it gives the server up. */
    private static final Duration SOCKET_GRACE = Duration.ofSeconds(5);
    /** Plugins by which a password leaves this host in no readable form. */
    private static final String AUTHENTICATION = "mysql_native_password,client_ed25519,caching_sha2_password,parsec";

    private static final int ACCESS_DENIED = 1227;
    private static final int BACKUP_NOT_RUNNING = 4146;
    private static final int LOCK_WAIT_TIMEOUT = 1205;
    private static final int STATEMENT_TIMEOUT = 1969;
    private static final long MILLIS_PER_SECOND = 1_000;

    private final Connection connection;
    private final String connectionId;

    private MariaDbSession(Connection connection, String connectionId) {
        this.connection = connection;
        this.connectionId = connectionId;
    }

    static MariaDbSession open(MariaDbSettings settings) throws SQLException, IOException {
        var url = "jdbc:mariadb://%s/".formatted(settings.socketFile().isPresent() ? "localhost" : settings.address());
        var connection = new Driver().connect(url, properties(settings));
        try {
            var session = new MariaDbSession(connection, one(connection, "SELECT CONNECTION_ID()"));
            session.limitStatements(settings.statementLimit());
            return session;
        } catch (SQLException e) {
            closeQuietly(connection);
            throw e;
        }
    }

    private static Properties properties(MariaDbSettings settings) throws IOException {
        var properties = new Properties();
        properties.setProperty("user", settings.user());
        properties.setProperty("sslMode", settings.sslMode());
        properties.setProperty(
                "connectTimeout", Long.toString(settings.connectLimit().toMillis()));
        properties.setProperty(
                "socketTimeout",
                Long.toString(settings.connectLimit().plus(SOCKET_GRACE).toMillis()));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("restrictedAuth", AUTHENTICATION);
        // A server may not send us to another one, ask for our files, or get a second session after the first.
        properties.setProperty("permitRedirect", "false");
        properties.setProperty("allowLocalInfile", "false");
        properties.setProperty("autoReconnect", "false");
        settings.caFile().ifPresent(file -> properties.setProperty("serverSslCert", file.toString()));
        if (settings.passwordFile().isPresent()) {
            properties.setProperty(
                    "password", PasswordFile.read(settings.passwordFile().get()));
        }
        settings.socketFile().ifPresent(file -> {
            properties.setProperty("socketFactory", MariaDbSocketFactory.class.getName());
            properties.setProperty(MariaDbSocketFactory.PATH_OPTION, file.toString());
        });
        return properties;
    }

    /**
     * The longest the server works on any of the next statements, waits for locks included; and, a little longer, the
     * longest we wait for its answer.
     */
    void limitStatements(Duration limit) throws SQLException {
        connection.setNetworkTimeout(
                Runnable::run, Math.toIntExact(limit.plus(SOCKET_GRACE).toMillis()));
        execute("SET SESSION max_statement_time = %s, SESSION lock_wait_timeout = %d"
                .formatted(decimalSeconds(limit), seconds(limit)));
    }

    /** How long the server keeps this session, and with it any lock of it, when it hears nothing from us. */
    void limitIdling(Duration limit) throws SQLException {
        execute("SET SESSION wait_timeout = " + seconds(limit));
    }

    void stage(BackupStage stage) throws SQLException {
        execute("BACKUP STAGE " + stage);
    }

    /** InnoDB's log buffer to its file: with {@code innodb_flush_log_at_trx_commit = 0} a commit does not do that. */
    void flushLogs() throws SQLException {
        execute("FLUSH LOCAL ENGINE LOGS");
    }

    /** Whether the user may say BACKUP STAGE; asked with an END where nothing was begun, which changes nothing. */
    boolean mayBackUp() throws SQLException {
        try {
            stage(BackupStage.END);
            return true;
        } catch (SQLException e) {
            return switch (e.getErrorCode()) {
                case ACCESS_DENIED -> false;
                case BACKUP_NOT_RUNNING -> true;
                default -> throw e;
            };
        }
    }

    static boolean timedOut(SQLException e) {
        return e.getErrorCode() == LOCK_WAIT_TIMEOUT || e.getErrorCode() == STATEMENT_TIMEOUT;
    }

    /** The server as it describes itself: its variables by lower-case name, and what is seen of its tables. */
    ServerDescription describe() throws SQLException {
        var variables = pairs("SHOW GLOBAL VARIABLES WHERE Variable_name IN ("
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
            return !rows("SHOW MASTER STATUS", 2).isEmpty();
        } catch (SQLException e) {
            if (e.getErrorCode() == ACCESS_DENIED) {
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
        if (rows("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mysql' LIMIT 1", 1)
                .isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                pairs("SELECT ENGINE, COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
                        + " AND ENGINE IS NOT NULL AND TABLE_SCHEMA NOT IN"
                        + " ('mysql', 'information_schema', 'performance_schema', 'sys') GROUP BY ENGINE"));
    }

    /** Where the server is now, in its own terms. */
    Map<String, String> positions(ServerDescription server) throws SQLException {
        var positions = new LinkedHashMap<String, String>();
        if (server.positionsReadable()) {
            for (var row : rows("SHOW MASTER STATUS", 2)) {
                positions.put("binlogFile", row.get(0));
                positions.put("binlogPosition", row.get(1));
            }
        }
        positions.put("gtidBinlogPos", one(connection, "SELECT @@GLOBAL.gtid_binlog_pos"));
        pairs("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'").values().forEach(lsn -> positions.put("innodbLsn", lsn));
        return positions;
    }

    /** The statement of another session that runs for longest, without its text, which may hold anything. */
    Optional<String> longestStatement() throws SQLException {
        return rows(
                        "SELECT ID, USER, TIME_MS FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute')"
                                + " AND ID <> CONNECTION_ID() AND USER <> 'system user' ORDER BY TIME_MS DESC LIMIT 1",
                        3)
                .stream()
                .map(row -> "connection %s of %s, for %s ms"
                        .formatted(row.get(0), row.get(1), row.get(2).replaceFirst("\\..*", "")))
                .findFirst();
    }

    /** Whether this is still the session it was, which ends with the locks it holds. */
    boolean alive() {
        try {
            return one(connection, "SELECT CONNECTION_ID()").equals(connectionId);
        } catch (SQLException e) {
            // Whatever the reason, a session that cannot answer proves nothing.
            return false;
        }
    }

    /** A session that ends inside a backup ends the backup: the server lets all waiting writers go on. */
    @Override
    public void close() {
        closeQuietly(connection);
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            // The socket is closed by then, which is all that matters.
            return;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String one(Connection connection, String sql) throws SQLException {
        var found = rows(connection, sql, 1);
        if (found.isEmpty()) {
            throw new SQLException("no answer to " + sql);
        }
        return found.getFirst().getFirst();
    }

    private Map<String, String> pairs(String sql) throws SQLException {
        var pairs = new LinkedHashMap<String, String>();
        rows(sql, 2).forEach(row -> pairs.put(row.get(0), row.get(1)));
        return pairs;
    }

    private List<List<String>> rows(String sql, int columns) throws SQLException {
        return rows(connection, sql, columns);
    }

    private static List<List<String>> rows(Connection connection, String sql, int columns) throws SQLException {
        var all = new ArrayList<List<String>>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                var row = new ArrayList<String>();
                for (int column = 1; column <= columns; column++) {
                    var value = rows.getString(column);
                    row.add(value == null ? "" : value);
                }
                all.add(row);
            }
        }
        return all;
    }

    private static long seconds(Duration duration) {
        return Math.max(1, Math.ceilDiv(duration.toMillis(), MILLIS_PER_SECOND));
    }

    private static String decimalSeconds(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", duration.toMillis() / (double) MILLIS_PER_SECOND);
    }
}
