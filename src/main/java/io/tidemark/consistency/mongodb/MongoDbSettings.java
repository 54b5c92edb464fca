package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ApplicationPlaces;
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
 * How to reach one mongod.
 *
 * @param user empty: a server without access control
 * @param passwordFile its first line is the password; read at each connection, never kept
 * @param authSource the database that knows the user
 * @param chosenTls what the user wrote; see {@link #tls}
 * @param caFile certificates, of the server or its authority, to trust in place of Java's own
 * @param answerLimit longest wait for the answer to a command that only asks
 * @param flushLimit longest time of the checkpoint before the hold
 * @param router a mongos of the sharded cluster that the server is part of
 * @param locks whether writers are held by the lock of the server
 */
record MongoDbSettings(
        String host,
        int port,
        Optional<String> user,
        Optional<Path> passwordFile,
        String authSource,
        Optional<String> chosenTls,
        Optional<Path> caFile,
        Duration connectLimit,
        Duration answerLimit,
        Duration flushLimit,
        boolean locks,
        Optional<Router> router) {
    static final String KIND = "mongodb";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 27_017;
    private static final String AUTH_SOURCE_DEFAULT = "admin";
    /** A name, or an address: the driver would read more hosts, a port or options from what else stands here. */
    private static final Pattern HOST =
            Pattern.compile("[A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?");
    /** A server that does not accept within this is down or unreachable. */
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** Commands that ask are answered from memory. */
    private static final long ANSWER_MILLIS_DEFAULT = 5_000;
    /** The server takes a checkpoint every 60 s itself, so one takes less where it keeps up with its writers. */
    private static final long FLUSH_MILLIS_DEFAULT = 60_000;

    private static final String ON = "on";
    private static final String OFF = "off";
    private static final List<String> SWITCH = List.of(ON, OFF);

    private static final String JOURNAL = "journal";
    static final String FSYNC_LOCK = "fsyncLock";

    /** Name or address of a mongos, which is reached as the server is. */
    record Router(String host, int port) {}

    private static final Pattern ROUTER = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\]):([0-9]{1,5})");
    private static final int PORT_MAXIMUM = 65_535;

    static final List<Setting> ALL = List.of(
            Setting.millis("answerTimeoutMillis", ANSWER_MILLIS_DEFAULT, "longest wait for each answer"),
            Setting.text("authSource", AUTH_SOURCE_DEFAULT, "the database that knows the user"),
            Setting.secretFile("caFile", "PEM certificates to trust in place of Java's; needs tls on"),
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.millis(
                    "flushTimeoutMillis",
                    FLUSH_MILLIS_DEFAULT,
                    "longest checkpoint before the hold; of a member of a replica set with mode=fsyncLock alone"),
            Setting.text("host", HOST_DEFAULT, "name or address of one mongod; no other is looked for"),
            Setting.text(
                    "mode",
                    JOURNAL,
                    "journal: holds nobody, and has what was journaled; fsyncLock: holds all writers, and has all that was"
                            + " acknowledged"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the server"),
            Setting.text(
                    "router",
                    "",
                    "host:port of a mongos of its sharded cluster: refused while the balancer does not rest"),
            Setting.text("tls", "", "on or off; without it off for addresses of this host, else on"),
            Setting.text("user", "", "needs passwordFile; without it no login. By SCRAM-SHA-256 alone"));

    static MongoDbSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        var host = settings.text("host", HOST_DEFAULT);
        if (!HOST.matcher(host).matches()) {
            throw settings.bad("host", "is not one name or address: " + host);
        }
        Optional<String> tls = settings.has("tls") ? Optional.of(settings.word("tls", SWITCH, OFF)) : Optional.empty();
        var caFile = settings.path("caFile");
        if (caFile.isPresent() && !tls.orElse(OFF).equals(ON)) {
            throw settings.bad("caFile", "needs tls: on");
        }
        if (settings.has("user") != settings.has("passwordFile")) {
            throw settings.has("user")
                    ? settings.bad("user", "needs passwordFile: the server takes no user without a password")
                    : settings.bad("passwordFile", "needs user");
        }
        return new MongoDbSettings(
                host,
                settings.port(PORT_DEFAULT),
                settings.has("user") ? Optional.of(settings.text("user", "")) : Optional.empty(),
                settings.path("passwordFile"),
                settings.text("authSource", AUTH_SOURCE_DEFAULT),
                tls,
                caFile,
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("answerTimeoutMillis", ANSWER_MILLIS_DEFAULT),
                settings.millis("flushTimeoutMillis", FLUSH_MILLIS_DEFAULT),
                settings.word("mode", List.of(JOURNAL, FSYNC_LOCK), JOURNAL).equals(FSYNC_LOCK),
                router(settings));
    }

    private static Optional<Router> router(QuiescerSettings settings) throws ConsistencyException {
        if (!settings.has("router")) {
            return Optional.empty();
        }
        var matched = ROUTER.matcher(settings.text("router", ""));
        if (!matched.matches() || Integer.parseInt(matched.group(2)) > PORT_MAXIMUM) {
            throw settings.bad("router", "is host:port of one mongos, such as 127.0.0.1:27017");
        }
        var host = matched.group(1).replace("[", "").replace("]", "");
        return Optional.of(new Router(host, Integer.parseInt(matched.group(2))));
    }

    /** The same login, at a mongos. */
    MongoDbSettings at(Router other) {
        return new MongoDbSettings(
                other.host(),
                other.port(),
                user,
                passwordFile,
                authSource,
                chosenTls,
                caFile,
                connectLimit,
                answerLimit,
                flushLimit,
                false,
                Optional.empty());
    }

    /** {@code 127.0.0.1:27017}. */
    String subject() {
        return "%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port);
    }

    /** Whether the server is on this host; asks the host's resolver where a name is given. */
    boolean local() {
        return ApplicationPlaces.isLocal(host);
    }

    /** As the user wrote it; else none on this host, and with the server's name checked to any other. */
    boolean tls() {
        return chosenTls.map(ON::equals).orElseGet(() -> !local());
    }
}
