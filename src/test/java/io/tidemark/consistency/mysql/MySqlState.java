package io.tidemark.consistency.mysql;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is in a server, between its sessions. Locks: the backup lock waits for DDL and then holds it; the global read lock
 * waits for writes, then for tables in use, then for commits, a whole {@code lock_wait_timeout} each, and what it got
 * before a wait failed it keeps, as {@code sql_reload.cc} does.
 */
final class MySqlState {
    private static final long LOOK_EVERY_MILLIS = 20;

    final Map<String, String> variables = new HashMap<>(Map.of(
            "version", "8.0.36",
            "version_comment", "MySQL Community Server - GPL",
            "innodb_flush_log_at_trx_commit", "1",
            "log_bin", "ON"));
    final Map<String, String> tables = new TreeMap<>(Map.of("InnoDB", "12"));
    final Set<String> rights =
            new HashSet<>(Set.of("BACKUP_ADMIN", "log_status", "SHOW VIEW", "PROCESS", "metadata_locks", "RELOAD"));
    /** Connection, user and seconds of statements that run. */
    final List<List<@Nullable String>> running = new ArrayList<>();

    final List<List<@Nullable String>> files = new ArrayList<>();
    String channels = "0";
    boolean redoLog = true;
    boolean performanceSchema = true;
    boolean ndb;
    boolean groupReplication;
    boolean locksListed = true;

    private boolean ddlRuns;
    private boolean tableInUse;
    private int backupLocks;
    private final Map<Integer, Set<String>> locks = new HashMap<>();

    /** An answer of error, with the server's own number. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        final int code;
        final String state;

        Refused(int code, String state, String message) {
            super(message);
            this.code = code;
            this.state = state;
        }
    }

    private Refused denied(String right) {
        return new Refused(
                1227,
                "42000",
                "Access denied; you need (at least one of) the %s privilege(s) for this operation".formatted(right));
    }

    private static Refused tableDenied(String table) {
        return new Refused(
                1142, "42000", "SELECT command denied to user 'tidemark'@'localhost' for table '%s'".formatted(table));
    }

    String version() {
        return variables.getOrDefault("version", "");
    }

    synchronized void ddlRuns(boolean runs) {
        ddlRuns = runs;
    }

    synchronized void tableInUse(boolean inUse) {
        tableInUse = inUse;
    }

    /** Whether a statement that drops a table would go on now. */
    synchronized boolean letsDdl() {
        return locks.isEmpty();
    }

    /** Whether a commit would go on now. */
    synchronized boolean letsCommits() {
        return locks.values().stream().noneMatch(of -> of.contains("GLOBAL"));
    }

    /** How often the backup lock was given. */
    synchronized int backupLocks() {
        return backupLocks;
    }

    synchronized void sessionEnded(int session) {
        locks.remove(session);
    }

    /** As somebody's UNLOCK in a server that loses a lock: the session lives on without it. */
    synchronized void loseLocks() {
        locks.clear();
    }

    void execute(int session, String sql, long lockWaitSeconds, BooleanSupplier connected) {
        switch (sql) {
            case "LOCK INSTANCE FOR BACKUP" -> {
                require("BACKUP_ADMIN");
                await(() -> !ddlRuns, lockWaitSeconds, connected);
                lock(session, "BACKUP LOCK");
            }
            case "UNLOCK INSTANCE" -> {
                require("BACKUP_ADMIN");
                unlock(session, Set.of("BACKUP LOCK"));
            }
            case "FLUSH TABLES WITH READ LOCK" -> {
                require("RELOAD");
                await(() -> !ddlRuns, lockWaitSeconds, connected);
                lock(session, "GLOBAL");
                try {
                    await(() -> !tableInUse, lockWaitSeconds, connected);
                } finally {
                    lock(session, "COMMIT");
                }
            }
            case "UNLOCK TABLES" -> unlock(session, Set.of("GLOBAL", "COMMIT"));
            case "FLUSH LOCAL ENGINE LOGS" -> require("RELOAD");
            default -> throw new Refused(1064, "42000", "You have an error in your SQL syntax near '" + sql + "'");
        }
    }

    private synchronized void lock(int session, String lock) {
        locks.computeIfAbsent(session, id -> new LinkedHashSet<>()).add(lock);
        if (lock.equals("BACKUP LOCK")) {
            backupLocks++;
        }
    }

    private synchronized void unlock(int session, Set<String> released) {
        var of = locks.get(session);
        if (of != null) {
            of.removeAll(released);
            if (of.isEmpty()) {
                locks.remove(session);
            }
        }
    }

    private void require(String right) {
        if (!rights.contains(right)) {
            throw denied(right);
        }
    }

    private void await(BooleanSupplier condition, long seconds, BooleanSupplier connected) {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (true) {
            synchronized (this) {
                if (condition.getAsBoolean()) {
                    return;
                }
            }
            if (System.nanoTime() - deadline >= 0 || !connected.getAsBoolean()) {
                throw new Refused(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction");
            }
            FakeMySql.sleep(LOOK_EVERY_MILLIS);
        }
    }

    /** How many columns an answer without rows has. */
    static int columns(String sql) {
        return sql.startsWith("SHOW") || sql.startsWith("SELECT ENGINE") ? 2 : sql.startsWith("SELECT ID") ? 3 : 1;
    }

    synchronized List<List<@Nullable String>> query(int session, String sql) {
        if (sql.startsWith("SHOW GLOBAL VARIABLES")) {
            return pairs(variables);
        }
        if (sql.startsWith("SHOW GLOBAL STATUS")) {
            return pairs(Map.of("Innodb_redo_log_enabled", redoLog ? "ON" : "OFF"));
        }
        if (sql.equals("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")) {
            return one(variables.get("innodb_flush_log_at_trx_commit"));
        }
        var table = sql.replaceFirst(".*? FROM (\\S+).*", "$1");
        return switch (table) {
            case "information_schema.ENGINES" -> ndb ? one("1") : List.of();
            case "information_schema.PLUGINS" -> groupReplication ? one("1") : List.of();
            case "information_schema.USER_PRIVILEGES" -> rights.contains("SHOW VIEW") ? one("1") : List.of();
            case "information_schema.TABLES" -> tables();
            case "information_schema.INNODB_METRICS" -> {
                require("PROCESS");
                yield one("1");
            }
            case "information_schema.FILES" -> {
                require("PROCESS");
                yield List.copyOf(files);
            }
            case "performance_schema.processlist" -> longest(sql);
            case "performance_schema.log_status" -> logStatus();
            case "performance_schema.metadata_locks" -> listed(session);
            default -> throw new Refused(1146, "42S02", "Table '%s' doesn't exist".formatted(table));
        };
    }

    private List<List<@Nullable String>> tables() {
        boolean shown = rights.contains("SHOW VIEW");
        return shown ? pairs(tables) : List.of();
    }

    /** Without PROCESS a user sees its own statements alone: here it has none. */
    private List<List<@Nullable String>> longest(String sql) {
        if (!performanceSchema) {
            return List.of();
        }
        if (sql.contains("ID = CONNECTION_ID()")) {
            return one("1");
        }
        if (!rights.contains("PROCESS")) {
            return List.of();
        }
        long atLeast = Long.parseLong(sql.replaceFirst(".*TIME >= (\\d+).*", "$1"));
        return running.stream()
                .filter(row -> Long.parseLong(String.valueOf(row.get(2))) >= atLeast)
                .limit(1)
                .toList();
    }

    private List<List<@Nullable String>> logStatus() {
        if (!rights.contains("log_status")) {
            throw tableDenied("log_status");
        }
        require("BACKUP_ADMIN");
        if (!performanceSchema) {
            return List.of();
        }
        return List.of(List.of("uuid-1", "binlog.000007", "4711", "uuid-1:1-9,\nuuid-2:1-3", "18866", channels));
    }

    private List<List<@Nullable String>> listed(int session) {
        if (!rights.contains("metadata_locks")) {
            throw tableDenied("metadata_locks");
        }
        if (!performanceSchema) {
            throw new Refused(3182, "HY000", "'ps_current_thread_id': The Performance Schema is not enabled.");
        }
        var rows = new ArrayList<List<@Nullable String>>();
        if (locksListed) {
            locks.getOrDefault(session, Set.of()).forEach(lock -> rows.add(List.of(lock)));
        }
        return rows;
    }

    private static List<List<@Nullable String>> one(@Nullable String value) {
        var row = new ArrayList<@Nullable String>();
        row.add(value);
        return List.of(row);
    }

    private static List<List<@Nullable String>> pairs(Map<String, String> map) {
        var rows = new ArrayList<List<@Nullable String>>();
        map.forEach((name, value) -> rows.add(List.of(name, value)));
        return rows;
    }
}
