package io.tidemark.consistency.redis;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to reach one server, and what to do where it keeps no append-only file.
 *
 * @param socket the server's Unix socket; then {@code host} and {@code port} are not used
 * @param user of the ACL; empty: the default user
 * @param passwordFile its first line is the password; read at each connection, never kept
 * @param caFile PEM certificates that the server's must come from; empty: those that the Java runtime trusts
 * @param saveLimit longest wait for a rewrite or a save that is under way before writers are held
 * @param holdForSave whether writers may be held for as long as a save takes, where there is no append-only file
 */
record RedisSettings(
        String host,
        int port,
        Optional<Path> socket,
        Optional<String> user,
        Optional<Path> passwordFile,
        boolean tls,
        Optional<Path> caFile,
        Duration connectLimit,
        Duration answerLimit,
        Duration saveLimit,
        boolean holdForSave) {
    static final String KIND = "redis";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|::1");
    private static final int PORT_DEFAULT = 6379;
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** One thread serves all: a slow command of somebody else delays every answer. */
    private static final long ANSWER_MILLIS_DEFAULT = 5_000;
    /** Some gigabytes are rewritten within this. */
    private static final long SAVE_MILLIS_DEFAULT = 60_000;

    private static final List<String> SWITCH = List.of("on", "off");
    private static final String REFUSE = "refuse";
    private static final String HOLD = "holdForSave";
    static final List<Setting> ALL = List.of(
            Setting.millis("answerTimeoutMillis", ANSWER_MILLIS_DEFAULT, "longest wait for each answer"),
            Setting.secretFile("caFile", "PEM certificates to trust in place of Java's; needs tls on"),
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.text("host", HOST_DEFAULT, "name or address of the server; excludes socket"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the server; excludes socket"),
            Setting.millis(
                    "saveTimeoutMillis",
                    SAVE_MILLIS_DEFAULT,
                    "longest wait for a rewrite or a save that is under way, before the writers are held"),
            Setting.text("socket", "", "the server's Unix socket; excludes host, port and tls"),
            Setting.text("tls", "", "on or off; without it off for this host, else on"),
            Setting.text("user", "", "of the ACL, needs passwordFile; without it the default user"),
            Setting.text(
                    "withoutAppendOnlyFile",
                    REFUSE,
                    REFUSE + ", or " + HOLD + ": writers are held for as long as a save takes"));

    static RedisSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        settings.exclude("socket", "host", "the server is reached by one of them");
        settings.exclude("socket", "port", "the server is reached by one of them");
        settings.exclude("socket", "tls", "nothing leaves this host by it");
        var host = settings.text("host", HOST_DEFAULT);
        // A password, and all that is in the answers, would go readable to any other host.
        var usually = settings.has("socket") || LOOPBACK.matcher(host).matches() ? "off" : "on";
        boolean tls = settings.word("tls", SWITCH, usually).equals("on");
        if (settings.has("caFile") && !tls) {
            throw settings.bad("caFile", "needs tls: on");
        }
        if (settings.has("user") && !settings.has("passwordFile")) {
            throw settings.bad("user", "needs passwordFile: the server takes no user without a password");
        }
        return new RedisSettings(
                host,
                settings.port(PORT_DEFAULT),
                settings.path("socket"),
                settings.has("user") ? Optional.of(settings.text("user", "")) : Optional.empty(),
                settings.path("passwordFile"),
                tls,
                settings.path("caFile"),
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("answerTimeoutMillis", ANSWER_MILLIS_DEFAULT),
                settings.millis("saveTimeoutMillis", SAVE_MILLIS_DEFAULT),
                settings.word("withoutAppendOnlyFile", List.of(REFUSE, HOLD), REFUSE)
                        .equals(HOLD));
    }

    /** {@code 127.0.0.1:6379}, or the socket's path. */
    String subject() {
        return socket.map(Path::toString)
                .orElseGet(() -> "%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port));
    }
}
