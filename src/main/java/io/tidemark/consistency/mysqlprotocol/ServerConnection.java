package io.tidemark.consistency.mysqlprotocol;

import io.tidemark.consistency.PasswordFile;
import io.tidemark.consistency.jdbc.JdbcConnection;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.mariadb.jdbc.Driver;

/** One session, and how statements are said on it. Owned by one thread. */
public final class ServerConnection implements AutoCloseable {
    /** What a socket waits beyond the server's own statement limit before it gives the server up. */
    public static final Duration SOCKET_GRACE = Duration.ofSeconds(5);

    /** {@code ER_SPECIFIC_ACCESS_DENIED_ERROR}. */
    public static final int ACCESS_DENIED = 1227;
    /** {@code ER_LOCK_WAIT_TIMEOUT}. */
    public static final int LOCK_WAIT_TIMEOUT = 1205;

    private static final long MILLIS_PER_SECOND = 1_000;

    private final Connection connection;
    private final String id;

    private ServerConnection(Connection connection, String id) {
        this.connection = connection;
        this.id = id;
    }

    /** @param more options of the driver beside those that every server of this protocol gets */
    public static ServerConnection open(ServerAccess access, Map<String, String> more)
            throws SQLException, IOException {
        var url = "jdbc:mariadb://%s/".formatted(access.socketFile().isPresent() ? "localhost" : access.address());
        var properties = properties(access);
        more.forEach(properties::setProperty);
        var connection = new Driver().connect(url, properties);
        try {
            return new ServerConnection(connection, one(connection, "SELECT CONNECTION_ID()"));
        } catch (SQLException e) {
            closeQuietly(connection);
            throw e;
        }
    }

    private static Properties properties(ServerAccess access) throws IOException {
        var properties = new Properties();
        properties.setProperty("user", access.user());
        properties.setProperty("sslMode", access.sslMode());
        properties.setProperty(
                "connectTimeout", Long.toString(access.connectLimit().toMillis()));
        properties.setProperty(
                "socketTimeout",
                Long.toString(access.connectLimit().plus(SOCKET_GRACE).toMillis()));
        properties.setProperty("tcpKeepAlive", "true");
        // A server may not send us to another one, ask for our files, or get a second session after the first.
        properties.setProperty("permitRedirect", "false");
        properties.setProperty("allowLocalInfile", "false");
        properties.setProperty("autoReconnect", "false");
        access.caFile().ifPresent(file -> properties.setProperty("serverSslCert", file.toString()));
        if (access.passwordFile().isPresent()) {
            properties.setProperty(
                    "password", PasswordFile.read(access.passwordFile().get()));
        }
        access.socketFile().ifPresent(file -> {
            properties.setProperty("socketFactory", DriverSockets.class.getName());
            properties.setProperty(DriverSockets.PATH_OPTION, file.toString());
        });
        return properties;
    }

    /** The longest we wait for the answer to any of the next statements; past it the session is given up. */
    public void awaitAnswersFor(Duration limit) throws SQLException {
        connection.setNetworkTimeout(Runnable::run, Math.toIntExact(Math.max(1, limit.toMillis())));
    }

    /** How long the server keeps this session, and with it any lock of it, when it hears nothing from us. */
    public void limitIdling(Duration limit) throws SQLException {
        execute("SET SESSION wait_timeout = " + seconds(limit));
    }

    /** Whether this is still the session it was, which ends with the locks it holds. */
    public boolean alive() {
        try {
            return one("SELECT CONNECTION_ID()").equals(id);
        } catch (SQLException e) {
            // Whatever the reason, a session that cannot answer proves nothing.
            return false;
        }
    }

    /** A session that ends lets go of its locks: the server lets all waiting writers go on. */
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

    public void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row. */
    public String one(String sql) throws SQLException {
        return one(connection, sql);
    }

    private static String one(Connection connection, String sql) throws SQLException {
        var found = rows(connection, sql, 1);
        if (found.isEmpty()) {
            throw new SQLException("no answer to " + sql);
        }
        return found.getFirst().getFirst();
    }

    /** The second column by the first. */
    public Map<String, String> pairs(String sql) throws SQLException {
        var pairs = new LinkedHashMap<String, String>();
        rows(sql, 2).forEach(row -> pairs.put(row.get(0), row.get(1)));
        return pairs;
    }

    /** The first columns of every row; NULL is empty. */
    public List<List<String>> rows(String sql, int columns) throws SQLException {
        return rows(connection, sql, columns);
    }

    private static List<List<String>> rows(Connection connection, String sql, int columns) throws SQLException {
        try (var statement = connection.createStatement()) {
            return JdbcConnection.rows(statement, sql, columns);
        }
    }

    /** As a server counts its limits: whole, rounded up, at least one. */
    public static long seconds(Duration duration) {
        return Math.max(1, Math.ceilDiv(duration.toMillis(), MILLIS_PER_SECOND));
    }
}
