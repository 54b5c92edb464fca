package io.tidemark.consistency.oracle;

import io.tidemark.consistency.PasswordFile;
import io.tidemark.consistency.jdbc.JdbcConnection;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;

/**
 * One connection, and the few statements a quiescer says on it. Owned by one thread. Source: Oracle Database Reference
 * (V$DATABASE, V$INSTANCE, V$BACKUP), SQL Language Reference (ALTER DATABASE).
 */
final class OracleSession implements AutoCloseable {
    private final JdbcConnection connection;

    private OracleSession(JdbcConnection connection) {
        this.connection = connection;
    }

    static OracleSession open(OracleSettings settings, JdbcConnection.Connector connector)
            throws SQLException, IOException {
        var connection = new JdbcConnection(connector.connect(properties(settings)));
        try {
            connection.limitStatements(settings.statementLimit());
            return new OracleSession(connection);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private static Properties properties(OracleSettings settings) throws IOException {
        var properties = new Properties();
        properties.setProperty(OracleDriver.ADDRESS, settings.address());
        properties.setProperty("user", settings.user());
        if (settings.passwordFile().isPresent()) {
            properties.setProperty(
                    "password", PasswordFile.read(settings.passwordFile().get()));
        }
        properties.setProperty(
                "oracle.net.CONNECT_TIMEOUT",
                Long.toString(settings.connectLimit().toMillis()));
        properties.setProperty(
                "oracle.jdbc.ReadTimeout",
                Long.toString(settings.connectLimit()
                        .plus(JdbcConnection.SOCKET_GRACE)
                        .toMillis()));
        properties.setProperty("v$session.program", "tidemark");
        properties.setProperty("oracle.net.ssl_server_dn_match", "true");
        settings.trustStoreFile().ifPresent(file -> {
            properties.setProperty("javax.net.ssl.trustStore", file.toString());
            properties.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
        });
        return properties;
    }

    void limitStatements(Duration limit) throws SQLException {
        connection.limitStatements(limit);
    }

    DatabaseDescription describe() throws SQLException {
        var instance = connection.row(
                "SELECT VERSION, INSTANCE_NAME, TO_CHAR(STARTUP_TIME, 'YYYY-MM-DD:HH24:MI:SS'), PARALLEL FROM V$INSTANCE",
                4);
        var database = connection.row(
                "SELECT NAME, TO_CHAR(DBID), OPEN_MODE, DATABASE_ROLE, LOG_MODE, SYS_CONTEXT('USERENV', 'CON_ID'),"
                        + " TO_CHAR(RESETLOGS_CHANGE#) FROM V$DATABASE",
                7);
        var banner = connection.row("SELECT MIN(BANNER) FROM V$VERSION WHERE BANNER LIKE 'Oracle%'", 1);
        return new DatabaseDescription(
                instance.get(0),
                banner.getFirst(),
                instance.get(1),
                instance.get(2),
                instance.get(3).equals("YES"),
                database.get(0),
                database.get(1),
                database.get(2),
                database.get(3),
                database.get(4).equals("ARCHIVELOG"),
                database.get(5).isEmpty() ? 0 : number(database.get(5)),
                database.get(6));
    }

    /** Where the database keeps what a copy of it needs: what each is called, by its path. */
    Map<String, String> files() throws SQLException {
        var files = new LinkedHashMap<String, String>();
        add(files, "SELECT NAME FROM V$DATAFILE WHERE NAME IS NOT NULL", "data file");
        add(files, "SELECT MEMBER FROM V$LOGFILE", "online redo log");
        add(files, "SELECT NAME FROM V$CONTROLFILE WHERE NAME IS NOT NULL", "control file");
        return files;
    }

    /** Folders of archived redo logs on this host. */
    List<String> archives() throws SQLException {
        return connection
                .rows(
                        "SELECT DESTINATION FROM V$ARCHIVE_DEST WHERE STATUS = 'VALID' AND TARGET = 'PRIMARY'"
                                + " AND DESTINATION IS NOT NULL",
                        1)
                .stream()
                .map(List::getFirst)
                .toList();
    }

    private void add(Map<String, String> files, String sql, String what) throws SQLException {
        connection.rows(sql, 1).forEach(row -> files.putIfAbsent(row.getFirst(), what));
    }

    /**
     * Where the server is now, by its own clock and zone, which those of its checkpoints are too.
     *
     * @param time in the form that RECOVER wants, whole seconds
     * @param nextSecond later than any checkpoint until now
     */
    record Position(String time, String nextSecond, String scn, String checkpoint) {}

    Position position() throws SQLException {
        var row = connection.row(
                "SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD:HH24:MI:SS'), TO_CHAR(SYSDATE + 1/86400, 'YYYY-MM-DD:HH24:MI:SS'),"
                        + " TO_CHAR(CURRENT_SCN), TO_CHAR(CHECKPOINT_CHANGE#) FROM V$DATABASE",
                4);
        return new Position(row.get(0), row.get(1), row.get(2), row.get(3));
    }

    /**
     * Which data files are in backup mode, and since which change.
     *
     * @param changes those at which backup mode began, of the files that are in it, in order
     * @param since when the first of them began
     */
    record BackupState(int files, int active, List<String> changes, String since) {
        BackupState {
            changes = List.copyOf(changes);
        }

        boolean none() {
            return active == 0;
        }
    }

    BackupState backupState() throws SQLException {
        var changes = new TreeSet<String>();
        int active = 0;
        int files = 0;
        var since = "";
        for (var row : connection.rows(
                "SELECT STATUS, TO_CHAR(CHANGE#), TO_CHAR(TIME, 'YYYY-MM-DD:HH24:MI:SS') FROM V$BACKUP"
                        + " WHERE STATUS IN ('ACTIVE', 'NOT ACTIVE')",
                3)) {
            files++;
            if (row.get(0).equals("ACTIVE")) {
                active++;
                changes.add(row.get(1));
                since = since.isEmpty() || row.get(2).compareTo(since) < 0 ? row.get(2) : since;
            }
        }
        return new BackupState(files, active, List.copyOf(changes), since);
    }

    void beginBackup() throws SQLException {
        connection.execute("ALTER DATABASE BEGIN BACKUP");
    }

    void endBackup() throws SQLException {
        connection.execute("ALTER DATABASE END BACKUP");
    }

    @Override
    public void close() {
        connection.close();
    }

    private static int number(String value) throws SQLException {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new SQLException("the server answers '%s' in place of a number".formatted(value), e);
        }
    }
}
