package io.tidemark.consistency.mysql;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A server as it describes itself.
 *
 * @param variables by name; one that the server does not have is missing
 * @param tablesByEngine tables of users; empty where the user may see no table at all, not even the server's own
 * @param redoLog whether InnoDB writes one
 * @param cluster whether it is a node of an NDB cluster
 * @param groupMember whether it may be a member of a replication group
 */
record MySqlServer(
        Map<String, String> variables,
        Optional<Map<String, String>> tablesByEngine,
        boolean redoLog,
        boolean cluster,
        boolean groupMember) {
    /** {@code performance_schema.processlist} is not older. */
    static final int VERSION_MINIMUM = 8_00_22;
    /** The newest major version whose manual was read; since 2026 it is the year's. */
    static final int VERSION_MAJOR_MAXIMUM = 26;

    private static final Pattern VERSION = Pattern.compile("(\\d{1,2})\\.(\\d{1,2})\\.(\\d{1,2}).*");
    private static final int PARTS = 100;

    /** Recovered from their own log, or without rows of their own after a restart. */
    private static final Set<String> NEED_NO_LOCK =
            Set.of("INNODB", "MEMORY", "BLACKHOLE", "FEDERATED", "PERFORMANCE_SCHEMA");
    /** Closed, and so written out, by the global read lock. */
    private static final Set<String> CLOSED_BY_LOCK = Set.of("MYISAM", "MRG_MYISAM", "CSV", "ARCHIVE");

    MySqlServer {
        variables = Map.copyOf(variables);
    }

    Optional<String> variable(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
    }

    String version() {
        return variable("version").orElse("unknown");
    }

    /** Why its freeze would prove nothing; empty when it is fit. */
    Optional<String> unfit() {
        var comment = variable("version_comment").orElse("");
        if (version().contains("MariaDB") || comment.contains("MariaDB")) {
            return Optional.of("server is MariaDB %s, which is frozen by kind mariadb".formatted(version()));
        }
        var number = versionNumber();
        if (number.isEmpty()
                || number.getAsInt() < VERSION_MINIMUM
                || number.getAsInt() / PARTS / PARTS > VERSION_MAJOR_MAXIMUM) {
            return Optional.of(
                    "server is MySQL %s, supported are 8.0.22 to %d".formatted(version(), VERSION_MAJOR_MAXIMUM));
        }
        if (variable("wsrep_on").isPresent()) {
            return Optional.of("server is built for a Galera cluster (it has wsrep_on), whose other nodes write to it"
                    + " past its locks: that is not supported");
        }
        if (cluster) {
            return Optional.of(
                    "server is a node of an NDB cluster, whose tables lie in the cluster's data nodes and not"
                            + " on these volumes");
        }
        if (!redoLog) {
            return Optional.of("InnoDB's redo log is switched off, so no copy of a running server can be recovered; say"
                    + " ALTER INSTANCE ENABLE INNODB REDO_LOG");
        }
        if (tablesByEngine.isEmpty()) {
            return Optional.of("tables are hidden from the account, so nobody knows whether their engines recover by"
                    + " themselves: grant SHOW VIEW ON *.*, to itself and not by a role");
        }
        if (groupMember && globalLockReason().isPresent()) {
            return Optional.of(
                    "server has Group Replication, whose group would stand behind a member's global read lock,"
                            + " which is needed: " + globalLockReason().get());
        }
        return Optional.empty();
    }

    private OptionalInt versionNumber() {
        var matcher = VERSION.matcher(version());
        if (!matcher.matches()) {
            return OptionalInt.empty();
        }
        int major = Integer.parseInt(matcher.group(1));
        int minor = Integer.parseInt(matcher.group(2));
        return OptionalInt.of((major * PARTS + minor) * PARTS + Integer.parseInt(matcher.group(3)));
    }

    /** Why every write has to be held; empty where the backup lock will do. */
    Optional<String> globalLockReason() {
        if (variable(MySqlSession.FLUSH_AT_COMMIT).orElse("1").equals("0")) {
            return Optional.of("with innodb_flush_log_at_trx_commit=0 an acknowledged commit may be in memory alone");
        }
        return ofEngines().entrySet().stream()
                .filter(engine -> !NEED_NO_LOCK.contains(engine.getKey()))
                .findFirst()
                .map(engine -> "%s tables are of engine %s, which no log of InnoDB recovers"
                        .formatted(engine.getValue(), engine.getKey()));
    }

    /** Engines of which nobody knows what a copy of them is good for, with how many tables there are. */
    Map<String, String> unknownEngines() {
        var unknown = ofEngines();
        unknown.keySet().removeIf(engine -> engine.equals("INNODB") || CLOSED_BY_LOCK.contains(engine));
        return unknown;
    }

    private Map<String, String> ofEngines() {
        var engines = new TreeMap<String, String>();
        tablesByEngine
                .orElse(Map.of())
                .forEach((engine, tables) -> engines.put(engine.toUpperCase(Locale.ROOT), tables));
        return engines;
    }
}
