package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.jdbc.FakeJdbc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A SQL Server as far as the quiescer knows one, at the level of JDBC: sessions, and which of them has suspended what. A
 * suspension ends by the statement, by a metadata backup of the same session, and with its session. It was written from
 * the manual; no real server was to be had.
 */
final class FakeSqlServer {
    private static final Pattern GROUP = Pattern.compile("\\[((?:[^\\]]|\\]\\])+)\\]");
    private static final Pattern BACKUP = Pattern.compile("BACKUP (DATABASE|GROUP) (.*) TO DISK = N'([^']+)'.*");
    private static final Pattern KEEPER = Pattern.compile(
            "(?s).*dm_os_sys_info\\) \\+ (\\d+);.*session_id = (\\d+) AND login_time.*'([^']+)', 126.*");

    final Map<String, Database> databases = new TreeMap<>();
    final Set<String> rights = new HashSet<>(ServerDescription.ASKED);
    final Map<String, byte[]> files = new HashMap<>();
    final List<String> heard = new ArrayList<>();
    final Set<String> folders = new HashSet<>(Set.of("/backups"));
    String password = "";
    int majorVersion = 16;
    int build = 4_165;
    int engineEdition = 3;
    String backupFolder = "/backups";
    boolean keepersNeverWait;
    /** Their batches wait for ever, as on a server whose clock of ticks stands still. */
    boolean keepersNeverEnd;
    /** What a suspension takes once it has its locks. */
    long suspendMillis;
    /** Of the session that suspended last, when it did. */
    int lockMillisAtSuspend;
    /** How many are let in yet. */
    int loginsLeft = Integer.MAX_VALUE;

    Properties properties = new Properties();

    private final Map<Integer, Session> sessions = new LinkedHashMap<>();
    private final Map<String, SQLException> failures = new LinkedHashMap<>();
    private final Set<String> silent = new HashSet<>();
    private int lastSession = 299;

    static final class Database {
        String state = "ONLINE";
        boolean readOnly;
        boolean primary = true;
        boolean mayAlter = true;
        boolean mayBackUp = true;
        /** Somebody's backup or ALTER DATABASE, which a suspension waits for. */
        boolean locked;

        final List<String> paths = new ArrayList<>();
        int suspendedBy;
        long suspendedNanos;
        boolean copyOnly;
        boolean writesFrozen = true;
        boolean backedUp;
    }

    FakeSqlServer() {
        databases.put("orders", new Database());
        databases.put("it's]odd", new Database());
    }

    Database database(String name) {
        return Objects.requireNonNull(databases.get(name), name);
    }

    Connection connect(Properties properties) throws SQLException {
        if (!properties.getProperty("password", "").equals(password)) {
            throw new SQLException(
                    "Login failed for user '%s'.".formatted(properties.getProperty("user")), "S0001", 18456);
        }
        synchronized (this) {
            if (loginsLeft-- == 0) {
                throw new SQLException("The maximum number of connections has been reached.", "S0001", 17809);
            }
            this.properties = properties;
            var session = new Session(++lastSession);
            sessions.put(session.number, session);
            return FakeJdbc.connection(session);
        }
    }

    /** Statements that contain this fail; the session goes on. */
    synchronized void fail(String part, String message, int error) {
        failures.put(part, new SQLException(message, "S0001", error));
    }

    /** Statements that contain this are never answered. */
    synchronized void silence(String part) {
        silent.add(part);
    }

    synchronized void killAll() {
        List.copyOf(sessions.values()).forEach(Session::close);
    }

    /** Whether a write to it would wait. */
    synchronized boolean holdsWriters(String database) {
        return database(database).suspendedBy != 0;
    }

    synchronized int sessions() {
        return sessions.size();
    }

    /** What somebody else's session may do as well: {@code ALTER DATABASE ... OFF}. */
    synchronized void resume(String database) {
        database(database).suspendedBy = 0;
    }

    synchronized boolean heard(String part) {
        return heard.stream().anyMatch(sql -> sql.contains(part));
    }

    private final class Session implements FakeJdbc.Session {
        private final int number;
        private final String loginTime;
        private int lockMillis = 10_000;
        private int networkMillis = 10_000;
        private boolean waits;
        private boolean cancelled;

        Session(int number) {
            this.number = number;
            this.loginTime = "2026-11-27T07:00:00." + number;
        }

        @Override
        public void networkTimeout(int millis) {
            networkMillis = millis;
        }

        @Override
        public void queryTimeout(int seconds) {
            if (seconds < 1) {
                throw new IllegalArgumentException("no limit at all");
            }
        }

        @Override
        public void cancel() {
            synchronized (FakeSqlServer.this) {
                cancelled = true;
                FakeSqlServer.this.notifyAll();
            }
        }

        /** Its locks go with it. */
        @Override
        public void close() {
            synchronized (FakeSqlServer.this) {
                sessions.remove(number);
                databases.values().stream()
                        .filter(database -> database.suspendedBy == number)
                        .forEach(database -> database.suspendedBy = 0);
                FakeSqlServer.this.notifyAll();
            }
        }

        private boolean lives() {
            return sessions.get(number) == this;
        }

        @Override
        public List<List<Object>> execute(String sql) throws SQLException {
            synchronized (FakeSqlServer.this) {
                heard.add(sql);
                if (!lives()) {
                    throw new SQLException("Connection reset");
                }
                if (silent.stream().anyMatch(sql::contains)) {
                    pause(networkMillis, () -> lives());
                    close();
                    throw new SQLException("Read timed out");
                }
                for (var failure : failures.entrySet()) {
                    if (sql.contains(failure.getKey())) {
                        throw failure.getValue();
                    }
                }
                return answer(sql);
            }
        }

        private List<List<Object>> answer(String sql) throws SQLException {
            if (sql.contains("KILL ")) {
                return keep(sql);
            }
            if (sql.startsWith("SET LOCK_TIMEOUT ")) {
                lockMillis = Integer.parseInt(sql.substring("SET LOCK_TIMEOUT ".length()));
                return List.of();
            }
            if (sql.contains("SUSPEND_FOR_SNAPSHOT_BACKUP = ON")) {
                return suspend(sql);
            }
            if (sql.contains("SUSPEND_FOR_SNAPSHOT_BACKUP = OFF")) {
                return resume(sql);
            }
            if (sql.startsWith("BACKUP ")) {
                return backUp(sql);
            }
            return select(sql);
        }

        private List<List<Object>> suspend(String sql) throws SQLException {
            lockMillisAtSuspend = lockMillis;
            for (var name : names(sql)) {
                var database = database(name);
                pause(lockMillis, () -> database.locked && lives());
                if (database.locked) {
                    throw new SQLException("Lock request time out period exceeded.", "S0001", 1222);
                }
                pause(suspendMillis, () -> lives());
                if (database.suspendedBy != 0) {
                    throw new SQLException("Database is already suspended.", "S0001", 3000);
                }
                database.suspendedBy = number;
                database.suspendedNanos = System.nanoTime();
                database.copyOnly = sql.contains("MODE = COPY_ONLY");
            }
            return List.of();
        }

        private List<List<Object>> resume(String sql) throws SQLException {
            for (var name : names(sql)) {
                if (database(name).suspendedBy == 0) {
                    throw new SQLException("Database is not suspended.", "S0001", 3001);
                }
                database(name).suspendedBy = 0;
            }
            return List.of();
        }

        private List<List<Object>> backUp(String sql) throws SQLException {
            Matcher backup = BACKUP.matcher(sql);
            if (!backup.matches() || !sql.contains("WITH METADATA_ONLY, FORMAT")) {
                throw new SQLException("Incorrect syntax near BACKUP.", "S0001", 102);
            }
            var names = names(backup.group(2));
            for (var name : names) {
                if (database(name).suspendedBy != number) {
                    throw new SQLException("Database is not suspended by this session.", "S0001", 3002);
                }
            }
            write(backup.group(3), ("metadata of " + names).getBytes(StandardCharsets.UTF_8));
            names.forEach(name -> {
                database(name).suspendedBy = 0;
                database(name).backedUp = true;
            });
            return List.of();
        }

        private void write(String path, byte[] bytes) throws SQLException {
            files.put(path, bytes);
            try {
                var folder = Path.of(path).getParent();
                if (folder != null && Files.isDirectory(folder)) {
                    Files.write(Path.of(path), bytes);
                }
            } catch (IOException e) {
                throw new SQLException("Cannot open backup device.", "S0001", 3201);
            }
        }

        /** The batch of the keeper, step by step. */
        private List<List<Object>> keep(String sql) throws SQLException {
            var batch = KEEPER.matcher(sql);
            if (!batch.matches()) {
                throw new SQLException("Incorrect syntax near KILL.", "S0001", 102);
            }
            int watched = Integer.parseInt(batch.group(2));
            waits = !keepersNeverWait;
            long millis = keepersNeverEnd ? Integer.MAX_VALUE : Integer.parseInt(batch.group(1));
            pause(millis, () -> lives() && !cancelled && sessions.containsKey(watched));
            waits = false;
            if (cancelled || !lives()) {
                throw new SQLException("The query was canceled.");
            }
            var session = sessions.get(watched);
            if (session != null && session.loginTime.equals(batch.group(3))) {
                session.close();
            }
            return List.of();
        }

        private List<List<Object>> select(String sql) throws SQLException {
            if (sql.contains("@@SPID")) {
                return List.of(List.of(Integer.toString(number), loginTime));
            }
            if (sql.contains("'ProductMajorVersion'")) {
                return List.of(Arrays.asList(
                        Integer.toString(majorVersion),
                        majorVersion + ".0." + build + ".4",
                        Integer.toString(engineEdition),
                        "Developer Edition (64-bit)",
                        backupFolder));
            }
            if (sql.contains("FROM sys.databases")) {
                return databases.entrySet().stream().map(this::described).toList();
            }
            if (sql.contains("HAS_PERMS_BY_NAME(NULL")) {
                return List.of(ServerDescription.ASKED.stream()
                        .map(right -> (Object) flag(rights.contains(right)))
                        .toList());
            }
            return views(sql);
        }

        private List<List<Object>> views(String sql) throws SQLException {
            if (sql.contains("sys.master_files")) {
                return databases.entrySet().stream()
                        .flatMap(each ->
                                each.getValue().paths.stream().map(path -> List.<Object>of(each.getKey(), path)))
                        .toList();
            }
            if (sql.contains("dm_os_file_exists")) {
                return List.of(List.of(flag(folders.stream().anyMatch(sql::contains))));
            }
            if (sql.contains("dm_server_suspend_status")) {
                return databases.entrySet().stream()
                        .filter(each -> each.getValue().suspendedBy != 0)
                        .map(each -> List.<Object>of(
                                each.getKey(),
                                Long.toString((System.nanoTime() - each.getValue().suspendedNanos) / 1_000_000),
                                flag(each.getValue().writesFrozen),
                                Integer.toString(each.getValue().suspendedBy % 256)))
                        .toList();
            }
            if (sql.contains("dm_exec_requests")) {
                return sessions.values().stream()
                        .filter(session -> session.waits && sql.contains("session_id = " + session.number + " "))
                        .map(session -> List.<Object>of(Integer.toString(session.number)))
                        .toList();
            }
            if (sql.contains("OPENROWSET")) {
                return files.entrySet().stream()
                        .filter(file -> sql.contains(file.getKey()))
                        .map(file -> List.<Object>of(file.getValue()))
                        .toList();
            }
            throw new SQLException("Incorrect syntax near '%s'.".formatted(sql), "S0001", 102);
        }

        private List<Object> described(Map.Entry<String, Database> each) {
            var database = each.getValue();
            return List.of(
                    each.getKey(),
                    database.state,
                    "FULL",
                    flag(database.readOnly),
                    flag(database.primary),
                    flag(database.mayAlter),
                    flag(database.mayBackUp));
        }
    }

    private static String flag(boolean yes) {
        return yes ? "1" : "0";
    }

    private static List<String> names(String sql) {
        return GROUP.matcher(sql)
                .results()
                .map(name -> name.group(1).replace("]]", "]"))
                .toList();
    }

    private interface Condition {
        boolean holds();
    }

    /** Waits while the condition holds, for that long at most, without keeping others out. */
    private void pause(long millis, Condition condition) throws SQLException {
        long ends = System.nanoTime() + millis * 1_000_000;
        try {
            while (condition.holds() && System.nanoTime() < ends) {
                wait(Math.max(1, Math.min(5, (ends - System.nanoTime()) / 1_000_000)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException("interrupted");
        }
    }
}
