package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to reach one server, and which of its databases to suspend.
 *
 * @param databases by name; empty: all of users that are online and written to
 * @param copyOnly whether the suspension leaves the base of differential backups alone
 * @param metadataFolder of the server, in its own words; empty: its default folder for backups
 * @param chosenSslMode what the user wrote; see {@link #sslMode}
 * @param trustStore certificates to trust in place of Java's own
 * @param statementLimit longest time a statement may take while the writers are not held
 */
record SqlServerSettings(
        String host,
        int port,
        String user,
        Optional<Path> passwordFile,
        List<String> databases,
        boolean copyOnly,
        Optional<String> metadataFolder,
        Optional<String> chosenSslMode,
        Optional<Path> trustStore,
        Duration connectLimit,
        Duration statementLimit) {
    static final String KIND = "sqlserver";
    static final String PLAIN = "disable";
    static final String TRUSTING = "trust";
    static final String STRICT = "strict";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 1433;
    private static final String USER_DEFAULT = "tidemark";
    private static final String COPY_ONLY = "copyOnly";
    private static final String FULL = "full";
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:%-]+");
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;

    private static final long STATEMENT_MILLIS_DEFAULT = 10_000;
    /** Error 925 of the server: a snapshot backup takes no more. */
    static final int DATABASES_MAXIMUM = 64;

    private static final String VERIFIED = "verify-full";
    private static final List<String> SSL_MODES = List.of(PLAIN, TRUSTING, VERIFIED, STRICT);
    static final List<Setting> ALL = List.of(
            Setting.text("backupMode", COPY_ONLY, "copyOnly; or full, which is the base of later differential backups"),
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.text(
                    "databases",
                    "",
                    "to suspend together, several with a semicolon, 255 characters at most; without it all of users, up to 64"),
            Setting.text("host", HOST_DEFAULT, "name or address of the server"),
            Setting.text(
                    "metadataFolder",
                    "",
                    "folder, as the server names it, for the file of the metadata backup; without it the server's"
                            + " default folder for backups"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the server; a named instance has one too"),
            Setting.text(
                    "sslMode",
                    "",
                    "one of %s; without it %s for addresses of this host, else %s"
                            .formatted(String.join(", ", SSL_MODES), PLAIN, VERIFIED)),
            Setting.millis("statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT, "longest wait for any other answer"),
            Setting.secretFile(
                    "trustStoreFile",
                    "PKCS #12 or JKS file without a password, of certificates to trust in place of Java's; needs sslMode"
                            + " verify-full or strict"),
            Setting.text("user", USER_DEFAULT, "SQL login"));

    SqlServerSettings {
        databases = List.copyOf(databases);
    }

    static SqlServerSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        var host = settings.text("host", HOST_DEFAULT);
        if (!HOST.matcher(host).matches()) {
            throw settings.bad("host", "is not one name or address: " + host);
        }
        Optional<String> sslMode =
                settings.has("sslMode") ? Optional.of(settings.word("sslMode", SSL_MODES, PLAIN)) : Optional.empty();
        var trustStore = settings.path("trustStoreFile");
        if (trustStore.isPresent() && !List.of(VERIFIED, STRICT).contains(sslMode.orElse(PLAIN))) {
            throw settings.bad("trustStoreFile", "needs sslMode verify-full or strict");
        }
        Optional<String> folder =
                settings.has("metadataFolder") ? Optional.of(settings.text("metadataFolder", "")) : Optional.empty();
        return new SqlServerSettings(
                host,
                settings.port(PORT_DEFAULT),
                settings.text("user", USER_DEFAULT),
                settings.path("passwordFile"),
                databases(settings),
                settings.word("backupMode", List.of(COPY_ONLY, FULL), COPY_ONLY).equals(COPY_ONLY),
                folder,
                sslMode,
                trustStore,
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT));
    }

    private static List<String> databases(QuiescerSettings settings) throws ConsistencyException {
        if (!settings.has("databases")) {
            return List.of();
        }
        var names = Arrays.stream(settings.text("databases", "").split(";", -1))
                .map(String::strip)
                .toList();
        if (names.contains("") || names.stream().distinct().count() < names.size()) {
            throw settings.bad("databases", "has an empty name, or one twice");
        }
        return names;
    }

    /** {@code 127.0.0.1:1433}, with the databases where they are named. */
    String subject() {
        var address = "%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port);
        return databases.isEmpty() ? address : address + "/" + String.join(";", databases);
    }

    /** Whether the server is on this host; asks the host's resolver where a name is given. */
    boolean local() {
        return ApplicationPlaces.isLocal(host);
    }

    /** As the user wrote it; else none on this host and the full one to any other. */
    String sslMode() {
        return chosenSslMode.orElseGet(() -> local() ? PLAIN : VERIFIED);
    }
}
