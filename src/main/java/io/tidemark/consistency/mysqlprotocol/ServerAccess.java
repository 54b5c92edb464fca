package io.tidemark.consistency.mysqlprotocol;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to reach one server.
 *
 * @param socketFile the server's Unix socket; then {@code host} and {@code port} are not used
 * @param passwordFile its first line is the password; read at each connection, never kept
 * @param chosenSslMode what the user wrote; see {@link #sslMode}
 * @param caFile certificates, of the server or its authority, to trust in place of Java's own
 * @param statementLimit longest time a statement may wait for a lock before the application's writers are held
 */
public record ServerAccess(
        String host,
        int port,
        Optional<Path> socketFile,
        String user,
        Optional<Path> passwordFile,
        Optional<String> chosenSslMode,
        Optional<Path> caFile,
        Duration connectLimit,
        Duration statementLimit) {
    public static final String PLAIN = "disable";
    /** TLS with whoever answers. */
    public static final String TRUSTING = "trust";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 3306;
    private static final String USER_DEFAULT = "tidemark";
    /** The driver reads more than one host, and options, from what stands here: none of that gets through. */
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:%-]+");
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** New statements that change tables wait behind ours while it waits for old ones: not a minute. */
    private static final long STATEMENT_MILLIS_DEFAULT = 10_000;

    private static final String VERIFIED = "verify-full";
    private static final List<String> SSL_MODES = List.of(PLAIN, TRUSTING, "verify-ca", VERIFIED);
    public static final List<Setting> SETTINGS = List.of(
            Setting.secretFile(
                    "caFile", "PEM certificates to trust in place of Java's; needs sslMode verify-ca or verify-full"),
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.text("host", HOST_DEFAULT, "name or address of the server; excludes socketFile"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the server; excludes socketFile"),
            Setting.text("socketFile", "", "the server's Unix socket; excludes host, port and sslMode"),
            Setting.text(
                    "sslMode",
                    "",
                    "one of %s; without it %s for addresses of this host, else %s"
                            .formatted(String.join(", ", SSL_MODES), PLAIN, VERIFIED)),
            Setting.millis(
                    "statementTimeoutMillis",
                    STATEMENT_MILLIS_DEFAULT,
                    "longest wait for a lock before the writers are held"),
            Setting.text("user", USER_DEFAULT, "account to log in as"));

    /**
     * @param settings of a kind that knows all of {@link #SETTINGS}
     * @throws ConsistencyException BadQuiescerSetting
     */
    public static ServerAccess of(QuiescerSettings settings) throws ConsistencyException {
        settings.exclude("socketFile", "host", "the server is reached by one of them");
        settings.exclude("socketFile", "port", "the server is reached by one of them");
        settings.exclude("socketFile", "sslMode", "a Unix socket has no TLS");
        var host = settings.text("host", HOST_DEFAULT);
        if (!HOST.matcher(host).matches()) {
            throw settings.bad("host", "is not one name or address: " + host);
        }
        Optional<String> sslMode =
                settings.has("sslMode") ? Optional.of(settings.word("sslMode", SSL_MODES, PLAIN)) : Optional.empty();
        var caFile = settings.path("caFile");
        if (caFile.isPresent() && !sslMode.orElse(PLAIN).startsWith("verify")) {
            throw settings.bad("caFile", "needs sslMode verify-ca or verify-full");
        }
        return new ServerAccess(
                host,
                settings.port(PORT_DEFAULT),
                settings.path("socketFile"),
                settings.text("user", USER_DEFAULT),
                settings.path("passwordFile"),
                sslMode,
                caFile,
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT));
    }

    /** {@code 127.0.0.1:3306}, or the socket's path. */
    public String subject() {
        return socketFile.map(Path::toString).orElseGet(this::address);
    }

    public String address() {
        return "%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port);
    }

    /** Whether the server is on this host; asks the host's resolver where a name is given. */
    public boolean local() {
        return socketFile.isPresent() || ApplicationPlaces.isLocal(host);
    }

    /** As the user wrote it; else none on this host and the full one to any other. */
    public String sslMode() {
        return chosenSslMode.orElseGet(() -> local() ? PLAIN : VERIFIED);
    }
}
