package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.consistency.mysqlprotocol.ServerAccess;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How to reach one server, and what is refused beside its global read lock.
 *
 * @param serverPublicKeyFile the server's RSA key, by which a password is sent where there is no TLS
 * @param longStatementLimit a statement that has run for as long is taken for one that will not end in time
 */
record MySqlSettings(ServerAccess access, Optional<Path> serverPublicKeyFile, Duration longStatementLimit) {
    static final String KIND = "mysql";

    /** Half of the default freeze limit is 5 s: what has run for 2 s will rarely end within the rest. */
    private static final long LONG_STATEMENT_MILLIS_DEFAULT = 2_000;

    private static final String PUBLIC_KEY_FILE = "serverPublicKeyFile";
    static final List<Setting> ALL = Stream.concat(
                    ServerAccess.SETTINGS.stream(),
                    Stream.of(
                            Setting.millis(
                                    "longStatementMillis",
                                    LONG_STATEMENT_MILLIS_DEFAULT,
                                    "a statement that runs for as long, in whole seconds, is in the way of the global"
                                            + " read lock: refused before it is asked for"),
                            Setting.secretFile(
                                    PUBLIC_KEY_FILE,
                                    "PEM file with the server's RSA key, for a password without TLS to another host;"
                                            + " a server on this host is asked for it")))
            .sorted((one, other) -> one.name().compareTo(other.name()))
            .toList();

    /** Plugins by which a password leaves this host in no readable form. */
    private static final String AUTHENTICATION = "mysql_native_password,caching_sha2_password";

    static MySqlSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        settings.exclude(PUBLIC_KEY_FILE, "socketFile", "a Unix socket needs no key");
        var access = ServerAccess.of(settings);
        if (access.chosenSslMode().filter(ServerAccess.TRUSTING::equals).isPresent()) {
            throw settings.bad(
                    "sslMode",
                    "is trust, by which the password would go in readable form to whoever answers: use verify-ca or"
                            + " verify-full, with caFile");
        }
        if (settings.has(PUBLIC_KEY_FILE)
                && !access.chosenSslMode().orElse(ServerAccess.PLAIN).equals(ServerAccess.PLAIN)) {
            throw settings.bad(PUBLIC_KEY_FILE, "needs sslMode disable: with TLS no key is asked for");
        }
        return new MySqlSettings(
                access,
                settings.path(PUBLIC_KEY_FILE),
                settings.millis("longStatementMillis", LONG_STATEMENT_MILLIS_DEFAULT));
    }

    /**
     * How a password of {@code caching_sha2_password} travels, when the server has not kept its hash since its start
     * (manual, "Caching SHA-2 Pluggable Authentication"): over a Unix socket as it is, which the server insists on; over
     * TLS as well; else encrypted for the server's RSA key. A server on this host is asked for that key; whoever could
     * answer in its place would have to have taken its port.
     */
    Map<String, String> driverOptions() {
        var options = new HashMap<String, String>();
        options.put("restrictedAuth", AUTHENTICATION);
        access.socketFile().ifPresent(file -> options.put("localSocket", file.toString()));
        if (serverPublicKeyFile.isPresent()) {
            options.put("serverRsaPublicKeyFile", serverPublicKeyFile.get().toString());
        } else if (access.socketFile().isEmpty()
                && access.local()
                && access.sslMode().equals(ServerAccess.PLAIN)) {
            options.put("allowPublicKeyRetrieval", "true");
        }
        return options;
    }
}
