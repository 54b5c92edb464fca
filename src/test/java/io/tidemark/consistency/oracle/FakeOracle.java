package io.tidemark.consistency.oracle;

import io.tidemark.consistency.jdbc.FakeJdbc;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;

/**
 * An Oracle database as far as the quiescer knows one, at the level of JDBC: backup mode belongs to the database and
 * outlives its sessions. It was written from the manual; no real server was to be had.
 */
final class FakeOracle {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd:HH:mm:ss");

    final List<String> heard = new ArrayList<>();
    /** The longest that each statement might have taken, in seconds, as it was said last. */
    final Map<String, Integer> limits = new HashMap<>();

    final List<DataFile> dataFiles = new ArrayList<>();
    final Map<String, String> columns = new HashMap<>(Map.of(
            "VERSION", "19.0.0.0.0",
            "PARALLEL", "NO",
            "STARTUP_TIME", "2026-11-01:00:00:00",
            "DATABASE_ROLE", "PRIMARY",
            "OPEN_MODE", "READ WRITE",
            "LOG_MODE", "ARCHIVELOG",
            "CON_ID", "1",
            "BANNER", "Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production"));
    String archive = "/archive";
    String redoLog = "/data/redo01.log";
    String password = "";
    boolean unreachable;

    private final Map<String, SQLException> failures = new LinkedHashMap<>();
    private final Map<String, Runnable> hooks = new LinkedHashMap<>();
    private final Set<String> silent = new HashSet<>();
    private final Set<Session> sessions = new HashSet<>();
    private long change = 1_000;

    static final class DataFile {
        final String path;
        boolean readOnly;
        boolean active;
        long change;
        String since = "";

        DataFile(String path) {
            this.path = path;
        }
    }

    FakeOracle() {
        dataFiles.add(new DataFile("/data/system01.dbf"));
        dataFiles.add(new DataFile("/data/users01.dbf"));
        var seed = new DataFile("/data/pdbseed/system01.dbf");
        seed.readOnly = true;
        dataFiles.add(seed);
    }

    Connection connect(Properties properties) throws SQLException {
        if (unreachable) {
            throw new SQLException(
                    "ORA-12541: Cannot connect. No listener at host 127.0.0.1 port 1521.", "66000", 12541);
        }
        if (!properties.getProperty("password", "").equals(password)) {
            throw new SQLException("ORA-01017: invalid username/password; logon denied", "72000", 1017);
        }
        var session = new Session();
        sessions.add(session);
        return FakeJdbc.connection(session);
    }

    void fail(String part, String message, int error) {
        failures.put(part, new SQLException(message, "42000", error));
    }

    void silence(String part) {
        silent.add(part);
    }

    /** Before a statement that contains this, once. */
    void upon(String part, Runnable hook) {
        hooks.put(part, hook);
    }

    void killAll() {
        sessions.clear();
    }

    int sessions() {
        return sessions.size();
    }

    boolean inBackupMode() {
        return dataFiles.stream().anyMatch(file -> file.active);
    }

    boolean heard(String part) {
        return heard.stream().anyMatch(sql -> sql.contains(part));
    }

    private String column(String name) {
        return Objects.requireNonNull(columns.get(name), name);
    }

    /** What any account with the right may say. */
    void begin(String since) throws SQLException {
        if (inBackupMode()) {
            throw new SQLException(
                    "ORA-01146: cannot start online backup - file 1 is already in backup", "72000", 1146);
        }
        change++;
        dataFiles.stream().filter(file -> !file.readOnly).forEach(file -> {
            file.active = true;
            file.change = change;
            file.since = since;
        });
    }

    void end() throws SQLException {
        if (!inBackupMode()) {
            throw new SQLException(
                    "ORA-01142: cannot end online backup - none of the files are in backup", "72000", 1142);
        }
        dataFiles.forEach(file -> file.active = false);
    }

    static String now() {
        return LocalDateTime.now(ZoneId.systemDefault()).format(TIME);
    }

    private static String nextSecond(String time) {
        return LocalDateTime.parse(time, TIME).plusSeconds(1).format(TIME);
    }

    private final class Session implements FakeJdbc.Session {
        private int limitSeconds;

        @Override
        public void networkTimeout(int millis) {
            if (millis < 1) {
                throw new IllegalArgumentException("no limit at all");
            }
        }

        @Override
        public void queryTimeout(int seconds) {
            if (seconds < 1) {
                throw new IllegalArgumentException("no limit at all");
            }
            limitSeconds = seconds;
        }

        @Override
        public void cancel() {
            throw new UnsupportedOperationException("nothing runs in another thread");
        }

        @Override
        public void close() {
            sessions.remove(this);
        }

        @Override
        public List<List<Object>> execute(String sql) throws SQLException {
            heard.add(sql);
            limits.put(sql, limitSeconds);
            for (var part : List.copyOf(hooks.keySet())) {
                var hook = sql.contains(part) ? hooks.remove(part) : null;
                if (hook != null) {
                    hook.run();
                }
            }
            if (!sessions.contains(this)) {
                throw new SQLException("ORA-17002: I/O error: Connection reset", "08006", 17002);
            }
            if (silent.stream().anyMatch(sql::contains)) {
                close();
                throw FakeJdbc.timedOut();
            }
            for (var failure : failures.entrySet()) {
                if (sql.contains(failure.getKey())) {
                    throw failure.getValue();
                }
            }
            return switch (sql) {
                case "ALTER DATABASE BEGIN BACKUP" -> {
                    begin(now());
                    yield List.of();
                }
                case "ALTER DATABASE END BACKUP" -> {
                    end();
                    yield List.of();
                }
                default -> select(sql);
            };
        }

        private List<List<Object>> select(String sql) throws SQLException {
            if (sql.contains("FROM V$INSTANCE")) {
                return List.of(List.of(column("VERSION"), "orcl", column("STARTUP_TIME"), column("PARALLEL")));
            }
            if (sql.contains("CURRENT_SCN")) {
                change++;
                var scn = Long.toString(change);
                var now = now();
                return List.of(List.of(now, nextSecond(now), scn, "900"));
            }
            if (sql.contains("FROM V$DATABASE")) {
                return List.of(List.of(
                        "ORCL",
                        "1234567890",
                        column("OPEN_MODE"),
                        column("DATABASE_ROLE"),
                        column("LOG_MODE"),
                        column("CON_ID"),
                        "1"));
            }
            if (sql.contains("FROM V$VERSION")) {
                return List.of(List.of(column("BANNER")));
            }
            if (sql.contains("FROM V$DATAFILE")) {
                return dataFiles.stream()
                        .map(file -> List.<Object>of(file.path))
                        .toList();
            }
            if (sql.contains("FROM V$LOGFILE")) {
                return List.of(List.of(redoLog));
            }
            if (sql.contains("FROM V$CONTROLFILE")) {
                return List.of(List.of("/data/control01.ctl"));
            }
            if (sql.contains("FROM V$ARCHIVE_DEST")) {
                return List.of(List.of(archive));
            }
            if (sql.contains("FROM V$BACKUP")) {
                return dataFiles.stream()
                        .map(file -> List.<Object>of(
                                file.active ? "ACTIVE" : "NOT ACTIVE", Long.toString(file.change), file.since))
                        .toList();
            }
            throw new SQLException("ORA-00942: table or view does not exist", "42000", 942);
        }
    }
}
