package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.PasswordFile;
import io.tidemark.consistency.UnixSocketFactory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;

/** One connection, and the few statements a quiescer says on it. Owned by one thread. */
final class PostgresSession implements AutoCloseable {
    /** What a socket waits beyond the server's own statement limit before it gives the server up. */
    private static final int SOCKET_GRACE_SECONDS = 10;

    private static final long MILLIS_PER_SECOND = 1_000;
    private static final String NAME = "tidemark";

    private final Connection connection;
    private final BackupCalls calls;

    private PostgresSession(Connection connection) throws SQLException {
        this.connection = connection;
        this.calls = BackupCalls.of(connection.getMetaData().getDatabaseMajorVersion());
    }

    /** The server as it describes itself. */
    record Server(
            int versionNumber,
            String version,
            boolean inRecovery,
            boolean dataChecksums,
            boolean mayBackUp,
            Optional<String> dataDirectory,
            List<String> tablespaces) {}

    record BackupStop(String stopLsn, String label, String tablespaceMap) {}

    static PostgresSession open(PostgresSettings settings) throws SQLException, IOException {
        return open(settings, NAME, settings.statementLimit());
    }

    /**
     * @param name as the server shows it
     * @param statementLimit longest time of a statement
     */
    static PostgresSession open(PostgresSettings settings, String name, Duration statementLimit)
            throws SQLException, IOException {
        var host = settings.socketFolder().isPresent() ? "localhost" : settings.host();
        var url = "jdbc:postgresql://%s:%d/".formatted(host.contains(":") ? "[" + host + "]" : host, settings.port());
        var connection = DriverManager.getConnection(url, properties(settings, name, statementLimit));
        var session = new PostgresSession(connection);
        try {
            session.execute("SET statement_timeout = " + statementLimit.toMillis());
            session.execute("SET lock_timeout = " + settings.connectLimit().toMillis());
            return session;
        } catch (SQLException e) {
            session.close();
            throw e;
        }
    }

    /** Names as the driver's documentation has them: its own constants would need another library to compile. */
    private static Properties properties(PostgresSettings settings, String name, Duration statementLimit)
            throws IOException {
        var properties = new Properties();
        properties.setProperty("user", settings.user());
        properties.setProperty("PGDBNAME", settings.database());
        properties.setProperty("ApplicationName", name);
        properties.setProperty("sslmode", settings.sslMode());
        properties.setProperty("tcpKeepAlive", "true");
        // Every statement is said once: nothing is prepared that a pooler could lose.
        properties.setProperty("preferQueryMode", "simple");
        long connectSeconds = seconds(settings.connectLimit());
        properties.setProperty("connectTimeout", Long.toString(connectSeconds));
        properties.setProperty("loginTimeout", Long.toString(connectSeconds));
        properties.setProperty("socketTimeout", Long.toString(seconds(statementLimit) + SOCKET_GRACE_SECONDS));
        if (settings.passwordFile().isPresent()) {
            properties.setProperty(
                    "password", PasswordFile.read(settings.passwordFile().get()));
        }
        if (settings.socketFolder().isPresent()) {
            var socket = settings.socketFolder().get().resolve(".s.PGSQL." + settings.port());
            properties.setProperty("socketFactory", UnixSocketFactory.class.getName());
            properties.setProperty("socketFactoryArg", socket.toString());
        }
        return properties;
    }

    Server describe() throws SQLException {
        int version = Integer.parseInt(one("SHOW server_version_num"));
        return new Server(
                version,
                one("SHOW server_version"),
                one("SELECT pg_is_in_recovery()").equals("t"),
                one("SHOW data_checksums").equals("on"),
                version >= PostgresQuiescer.VERSION_MINIMUM && mayBackUp(),
                // The view leaves out what the role may not see, where SHOW would fail.
                column("SELECT setting FROM pg_settings WHERE name = 'data_directory'").stream()
                        .findFirst(),
                column("SELECT pg_tablespace_location(oid) FROM pg_tablespace"
                        + " WHERE pg_tablespace_location(oid) LIKE '/%'"));
    }

    private boolean mayBackUp() throws SQLException {
        return mayExecute(calls.functions());
    }

    private boolean mayExecute(List<String> functions) throws SQLException {
        for (var function : functions) {
            if (!one("SELECT has_function_privilege('%s', 'EXECUTE')".formatted(function))
                    .equals("t")) {
                return false;
            }
        }
        return true;
    }

    BackupCalls calls() {
        return calls;
    }

    /** Waits for an immediate checkpoint; on return full page writes are forced until the session ends. */
    String startBackup(String label) throws SQLException {
        try (var statement = connection.prepareStatement(calls.start())) {
            statement.setString(1, label);
            try (var rows = statement.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    boolean alive() {
        try {
            return one("SELECT 1").equals("1");
        } catch (SQLException e) {
            // Whatever the reason, a session that cannot answer proves nothing.
            return false;
        }
    }

    BackupStop stopBackup() throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(calls.stop())) {
            rows.next();
            var map = rows.getString(3);
            return new BackupStop(rows.getString(1), rows.getString(2), map == null ? "" : map);
        }
    }

    /** A session that ends inside a backup ends the backup: the server then writes full pages as before. */
    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            // The socket is closed by then, which is all that matters.
            return;
        }
    }

    /** Of a server in recovery; its positions are of one instant. */
    StandbyState standby() throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(StandbyStatements.STATE)) {
            rows.next();
            long received = rows.getLong(2);
            var receivedBytes = rows.wasNull() ? OptionalLong.empty() : OptionalLong.of(received);
            long replayedBytes = rows.getLong(3);
            long age = rows.getLong(5);
            var sinceCommit = rows.wasNull() ? OptionalLong.empty() : OptionalLong.of(age);
            return new StandbyState(
                    rows.getBoolean(1),
                    receivedBytes,
                    replayedBytes,
                    rows.getString(4),
                    sinceCommit,
                    rows.getString(6));
        }
    }

    boolean mayPauseReplay() throws SQLException {
        return mayExecute(StandbyStatements.FUNCTIONS);
    }

    /** Asks for it; {@link #standby} tells when it has come. */
    void pauseReplay() throws SQLException {
        execute("SELECT pg_wal_replay_pause()");
    }

    void resumeReplay() throws SQLException {
        execute("SELECT pg_wal_replay_resume()");
    }

    int backend() throws SQLException {
        return Integer.parseInt(one("SELECT pg_backend_pid()"));
    }

    /** Of a session of our own role. */
    boolean waitsInSleep(int backend) throws SQLException {
        return !column(StandbyStatements.WAITS_IN_SLEEP.formatted(backend)).isEmpty();
    }

    /** Backends of keepers whose owner may have died. */
    List<String> keepers() throws SQLException {
        return column(StandbyStatements.KEEPERS.formatted(ReplayKeeper.NAME));
    }

    void cancel(int backend) throws SQLException {
        execute("SELECT pg_cancel_backend(%d)".formatted(backend));
    }

    /** Does nothing where this version has no such parameter. */
    void set(String parameter, String value) throws SQLException {
        column("SELECT set_config(name, '%s', false) FROM pg_settings WHERE name = '%s'".formatted(value, parameter));
    }

    /** Until it is over, was ended, or its connection was. */
    void executeUntilItEnds(String sql) {
        try {
            execute(sql);
        } catch (SQLException e) {
            // Whoever started it looks whether it runs; what it said at its end is of no use.
            return;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String one(String sql) throws SQLException {
        return column(sql).getFirst();
    }

    private List<String> column(String sql) throws SQLException {
        var values = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private static long seconds(Duration duration) {
        return Math.ceilDiv(duration.toMillis(), MILLIS_PER_SECOND);
    }
}
