package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * How to reach one server.
 *
 * @param socketFolder folder of the server's Unix socket; then {@code host} is not used
 * @param passwordFile its first line is the password; read at each connection, never kept
 * @param statementLimit longest time {@code pg_backup_start} may wait for its checkpoint
 */
record PostgresSettings(
        String host,
        int port,
        Optional<Path> socketFolder,
        String database,
        String user,
        Optional<Path> passwordFile,
        String sslMode,
        Duration connectLimit,
        Duration statementLimit) {
    static final String KIND = "postgresql";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 5432;
    private static final int PORT_MAXIMUM = 65_535;
    /** A database that everyone has and nobody drops. */
    private static final String DATABASE_DEFAULT = "postgres";

    private static final String USER_DEFAULT = "tidemark";
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** An immediate checkpoint of a large, busy server takes tens of seconds. */
    private static final long STATEMENT_MILLIS_DEFAULT = 60_000;

    private static final long MILLIS_MINIMUM = 100;
    private static final long MILLIS_MAXIMUM = 600_000;
    private static final int TEXT_MAXIMUM = 255;
    private static final List<String> SSL_MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    private static final List<String> KNOWN = List.of(
            "connectTimeoutMillis",
            "database",
            "host",
            "passwordFile",
            "port",
            "socketFolder",
            "sslMode",
            "statementTimeoutMillis",
            "user");

    static PostgresSettings of(QuiescerSpec spec) throws ConsistencyException {
        for (var name : new TreeSet<>(spec.settings().keySet())) {
            if (!KNOWN.contains(name)) {
                throw bad(name, "is not known, known are " + String.join(", ", KNOWN));
            }
        }
        var socketFolder = path(spec, "socketFolder");
        if (socketFolder.isPresent() && spec.settings().containsKey("host")) {
            throw bad("socketFolder", "excludes host: the server is reached by one of them");
        }
        var sslMode = spec.settings().getOrDefault("sslMode", "prefer");
        if (!SSL_MODES.contains(sslMode)) {
            throw bad("sslMode", "is %s, one of %s is allowed".formatted(sslMode, String.join(", ", SSL_MODES)));
        }
        return new PostgresSettings(
                text(spec, "host", HOST_DEFAULT),
                (int) number(spec, "port", PORT_DEFAULT, 1, PORT_MAXIMUM),
                socketFolder,
                text(spec, "database", DATABASE_DEFAULT),
                text(spec, "user", USER_DEFAULT),
                path(spec, "passwordFile"),
                sslMode,
                millis(spec, "connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                millis(spec, "statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT));
    }

    /** {@code 127.0.0.1:5432/postgres}. */
    String subject() {
        return socketFolder
                .map(folder -> "%s/.s.PGSQL.%d/%s".formatted(folder, port, database))
                .orElseGet(() -> "%s:%d/%s".formatted(host.contains(":") ? "[" + host + "]" : host, port, database));
    }

    private static Duration millis(QuiescerSpec spec, String name, long otherwise) throws ConsistencyException {
        return Duration.ofMillis(number(spec, name, otherwise, MILLIS_MINIMUM, MILLIS_MAXIMUM));
    }

    private static String text(QuiescerSpec spec, String name, String otherwise) throws ConsistencyException {
        var value = spec.settings().getOrDefault(name, otherwise);
        if (value.isBlank() || value.length() > TEXT_MAXIMUM || value.chars().anyMatch(Character::isISOControl)) {
            throw bad(name, "is not 1 to %d printable characters".formatted(TEXT_MAXIMUM));
        }
        return value;
    }

    private static Optional<Path> path(QuiescerSpec spec, String name) throws ConsistencyException {
        if (!spec.settings().containsKey(name)) {
            return Optional.empty();
        }
        var path = Path.of(text(spec, name, ""));
        if (!path.isAbsolute()) {
            throw bad(name, "is not an absolute path: " + path);
        }
        return Optional.of(path);
    }

    private static long number(QuiescerSpec spec, String name, long otherwise, long minimum, long maximum)
            throws ConsistencyException {
        var value = spec.settings().get(name);
        if (value == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= minimum && number <= maximum) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw bad(name, "is not a number: " + value);
        }
        throw bad(name, "is %s, %d to %d allowed".formatted(value, minimum, maximum));
    }

    private static ConsistencyException bad(String name, String reason) {
        return new ConsistencyException(new ConsistencyError.BadQuiescerSetting(KIND, name, reason));
    }
}
