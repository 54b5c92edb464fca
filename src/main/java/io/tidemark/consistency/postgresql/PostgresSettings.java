package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How to reach one server.
 *
 * @param socketFolder folder of the server's Unix socket; then {@code host} is not used
 * @param passwordFile its first line is the password; read at each connection, never kept
 * @param statementLimit longest time {@code pg_backup_start} may wait for its checkpoint
 * @param lagLimit of a standby: how far it may be behind
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
        Duration statementLimit,
        Duration lagLimit) {
    static final String KIND = "postgresql";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 5432;
    /** A database that everyone has and nobody drops. */
    private static final String DATABASE_DEFAULT = "postgres";

    private static final String USER_DEFAULT = "tidemark";
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** An immediate checkpoint of a large, busy server takes tens of seconds. */
    private static final long STATEMENT_MILLIS_DEFAULT = 60_000;

    private static final List<String> SSL_MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    /** Of a standby that keeps up, some milliseconds; more than this is behind. */
    private static final long LAG_MILLIS_DEFAULT = 10_000;

    private static final String SSL_MODE_DEFAULT = "prefer";

    static final List<Setting> ALL = List.of(
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.text("database", DATABASE_DEFAULT, "the database to connect to; nothing in it is read"),
            Setting.text("host", HOST_DEFAULT, "name or address of the server; excludes socketFolder"),
            Setting.millis("maxLagMillis", LAG_MILLIS_DEFAULT, "of a standby: how far it may be behind"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the server, also in the name of its Unix socket"),
            Setting.text("socketFolder", "", "folder of the server's Unix socket; excludes host"),
            Setting.text("sslMode", SSL_MODE_DEFAULT, "one of " + String.join(", ", SSL_MODES)),
            Setting.millis(
                    "statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT, "longest wait for the checkpoint of the start"),
            Setting.text("user", USER_DEFAULT, "role to log in as"));

    static PostgresSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        settings.exclude("socketFolder", "host", "the server is reached by one of them");
        var host = settings.text("host", HOST_DEFAULT);
        if (host.startsWith("/")) {
            throw settings.bad("host", "is a path: the folder of a Unix socket is named by socketFolder=" + host);
        }
        return new PostgresSettings(
                host,
                settings.port(PORT_DEFAULT),
                settings.path("socketFolder"),
                settings.text("database", DATABASE_DEFAULT),
                settings.text("user", USER_DEFAULT),
                settings.path("passwordFile"),
                settings.word("sslMode", SSL_MODES, SSL_MODE_DEFAULT),
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT),
                settings.millis("maxLagMillis", LAG_MILLIS_DEFAULT));
    }

    /** {@code 127.0.0.1:5432/postgres}. */
    String subject() {
        return socketFolder
                .map(folder -> "%s/.s.PGSQL.%d/%s".formatted(folder, port, database))
                .orElseGet(() -> "%s:%d/%s".formatted(host.contains(":") ? "[" + host + "]" : host, port, database));
    }
}
