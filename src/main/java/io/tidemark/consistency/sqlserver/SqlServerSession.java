package io.tidemark.consistency.sqlserver;

import com.microsoft.sqlserver.jdbc.SQLServerDriver;
import io.tidemark.consistency.PasswordFile;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.consistency.sqlserver.ServerDescription.Database;
import io.tidemark.consistency.sqlserver.SuspendStatements.SessionIdentity;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;

/** One connection, and the few statements a quiescer says on it. Owned by one thread. */
final class SqlServerSession implements AutoCloseable {
    static final JdbcConnection.Connector DRIVER =
            properties -> new SQLServerDriver().connect("jdbc:sqlserver://", properties);

    private static final long MILLIS_PER_SECOND = 1_000;
    /** What a server's own clock may be coarser than ours. */
    private static final long TICK_MILLIS = 50;

    private final JdbcConnection connection;
    private final SessionIdentity identity;

    private SqlServerSession(JdbcConnection connection, SessionIdentity identity) {
        this.connection = connection;
        this.identity = identity;
    }

    static SqlServerSession open(SqlServerSettings settings, JdbcConnection.Connector connector)
            throws SQLException, IOException {
        var connection = new JdbcConnection(connector.connect(properties(settings)));
        try {
            connection.limitStatements(settings.statementLimit());
            var row = connection.row(
                    "SELECT session_id, CONVERT(varchar(33), login_time, 126) FROM sys.dm_exec_sessions"
                            + " WHERE session_id = @@SPID",
                    2);
            var session =
                    new SqlServerSession(connection, new SessionIdentity(Integer.parseInt(row.get(0)), row.get(1)));
            session.limitStatements(settings.statementLimit());
            return session;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** Manual, "Setting the connection properties"; values are set one by one, so none is read as an option. */
    private static Properties properties(SqlServerSettings settings) throws IOException {
        var properties = new Properties();
        properties.setProperty("serverName", settings.host());
        properties.setProperty("portNumber", Integer.toString(settings.port()));
        properties.setProperty("user", settings.user());
        if (settings.passwordFile().isPresent()) {
            properties.setProperty(
                    "password", PasswordFile.read(settings.passwordFile().get()));
        }
        properties.setProperty("applicationName", "tidemark");
        properties.setProperty("loginTimeout", Long.toString(seconds(settings.connectLimit())));
        properties.setProperty(
                "socketTimeout",
                Long.toString(settings.connectLimit()
                        .plus(JdbcConnection.SOCKET_GRACE)
                        .toMillis()));
        // An idle connection that broke would be made anew, and its session would not be the one that holds.
        properties.setProperty("connectRetryCount", "0");
        properties.setProperty(
                "encrypt",
                switch (settings.sslMode()) {
                    case SqlServerSettings.PLAIN -> "false";
                    case SqlServerSettings.STRICT -> "strict";
                    default -> "true";
                });
        properties.setProperty(
                "trustServerCertificate",
                Boolean.toString(List.of(SqlServerSettings.PLAIN, SqlServerSettings.TRUSTING)
                        .contains(settings.sslMode())));
        settings.trustStore().ifPresent(file -> properties.setProperty("trustStore", file.toString()));
        return properties;
    }

    SessionIdentity identity() {
        return identity;
    }

    /** The longest any of the next statements may take, waits for locks included. */
    void limitStatements(Duration limit) throws SQLException {
        connection.limitStatements(limit);
        connection.execute("SET LOCK_TIMEOUT " + limit.toMillis());
    }

    ServerDescription describe() throws SQLException {
        var server = connection.row(
                "SELECT CONVERT(int, SERVERPROPERTY('ProductMajorVersion')),"
                        + " CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')),"
                        + " CONVERT(int, SERVERPROPERTY('EngineEdition')),"
                        + " CONVERT(nvarchar(128), SERVERPROPERTY('Edition')),"
                        + " CONVERT(nvarchar(4000), SERVERPROPERTY('InstanceDefaultBackupPath'))",
                5);
        return new ServerDescription(
                number(server.get(0)),
                server.get(1),
                number(server.get(2)),
                server.get(3),
                server.get(4),
                databases(),
                rights());
    }

    private List<Database> databases() throws SQLException {
        // Numbers up to 4 are master, tempdb, model and msdb; none of them can be suspended.
        var rows = connection.rows(
                "SELECT name, state_desc, recovery_model_desc, CONVERT(int, is_read_only),"
                        + " CONVERT(int, ISNULL(sys.fn_hadr_is_primary_replica(name), 1)),"
                        + " ISNULL(HAS_PERMS_BY_NAME(QUOTENAME(name), 'DATABASE', 'ALTER'), 0),"
                        + " ISNULL(HAS_PERMS_BY_NAME(QUOTENAME(name), 'DATABASE', 'BACKUP DATABASE'), 0)"
                        + " FROM sys.databases WHERE database_id > 4 AND source_database_id IS NULL ORDER BY name",
                7);
        var databases = new ArrayList<Database>();
        for (var row : rows) {
            databases.add(new Database(
                    row.get(0),
                    row.get(1),
                    row.get(2),
                    yes(row.get(3)),
                    yes(row.get(4)),
                    yes(row.get(5)),
                    yes(row.get(6))));
        }
        return databases;
    }

    private Set<String> rights() throws SQLException {
        var asked = ServerDescription.ASKED;
        var row = connection.row(
                asked.stream()
                        .map(right -> "ISNULL(HAS_PERMS_BY_NAME(NULL, NULL, '%s'), 0)".formatted(right))
                        .collect(Collectors.joining(", ", "SELECT ", "")),
                asked.size());
        var rights = new LinkedHashSet<String>();
        for (int index = 0; index < asked.size(); index++) {
            if (yes(row.get(index))) {
                rights.add(asked.get(index));
            }
        }
        return rights;
    }

    /** Paths of data, log and other files by database, of those given; as far as they are seen. */
    Map<String, List<String>> files(List<String> databases) throws SQLException {
        var files = new LinkedHashMap<String, List<String>>();
        for (var row : connection.rows("SELECT DB_NAME(database_id), physical_name FROM sys.master_files", 2)) {
            if (databases.contains(row.get(0))) {
                files.computeIfAbsent(row.get(0), name -> new ArrayList<>()).add(row.get(1));
            }
        }
        return files;
    }

    /** Whether the server sees such a folder; empty where the login may not ask. */
    Optional<Boolean> folderExists(String folder) throws SQLException {
        try {
            return Optional.of(yes(connection
                    .row(
                            "SELECT CONVERT(int, file_is_a_directory) FROM sys.dm_os_file_exists(%s)"
                                    .formatted(SuspendStatements.text(folder)),
                            1)
                    .getFirst()));
        } catch (SQLException e) {
            if (e.getErrorCode() > 0) {
                // The server answered, with a refusal: the session is good.
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Those of the databases that some session has suspended. */
    List<String> suspendedOf(List<String> databases) throws SQLException {
        return connection.rows(SuspendStatements.suspended(), 4).stream()
                .map(List::getFirst)
                .filter(databases::contains)
                .toList();
    }

    /** Whether this session has suspended all of them without a break, for as long as we know. */
    boolean holds(List<String> databases, Duration since) {
        try {
            var holding = new LinkedHashSet<String>();
            for (var row : connection.rows(SuspendStatements.suspended(), 4)) {
                if (Long.parseLong(row.get(1)) + TICK_MILLIS >= since.toMillis()
                        && yes(row.get(2))
                        && number(row.get(3)) == identity.number() % 256) {
                    holding.add(row.get(0));
                }
            }
            return holding.containsAll(databases);
        } catch (SQLException | NumberFormatException e) {
            // Whatever the reason, a session that cannot answer proves nothing.
            return false;
        }
    }

    /** Whether that session's batch is waiting. */
    boolean waits(SessionIdentity other) throws SQLException {
        return !connection
                .rows(
                        "SELECT session_id FROM sys.dm_exec_requests WHERE session_id = %d AND wait_type = 'WAITFOR'"
                                .formatted(other.number()),
                        1)
                .isEmpty();
    }

    void execute(String sql) throws SQLException {
        connection.execute(sql);
    }

    void executeUntilItEnds(String sql) {
        connection.executeUntilItEnds(sql);
    }

    void cancel() throws SQLException {
        connection.cancel();
    }

    /** What a file of the server has, up to one byte more than the maximum. */
    Optional<byte[]> fileOfServer(String file, int bytesMaximum) throws SQLException {
        return connection.bytes("SELECT SUBSTRING(BulkColumn, 1, %d) FROM OPENROWSET(BULK %s, SINGLE_BLOB) AS metadata"
                .formatted(bytesMaximum + 1, SuspendStatements.text(file)));
    }

    /** The server lets the writers of whatever it had suspended go on. */
    @Override
    public void close() {
        connection.close();
    }

    private static boolean yes(String value) {
        return value.equals("1");
    }

    private static int number(String value) throws SQLException {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new SQLException("the server answers '%s' in place of a number".formatted(value), e);
        }
    }

    private static long seconds(Duration duration) {
        return Math.max(1, Math.ceilDiv(duration.toMillis(), MILLIS_PER_SECOND));
    }
}
