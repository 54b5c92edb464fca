package io.tidemark.consistency.redis;

import io.tidemark.consistency.CaFile;
import io.tidemark.consistency.PasswordFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSocketFactory;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** One connection, and the few commands a quiescer says on it. Owned by one thread. */
final class RedisSession implements AutoCloseable {
    private final Connection connection;
    /** An answer that was not awaited to its end would be taken for the next command's. */
    private boolean lost;

    private RedisSession(Connection connection) {
        this.connection = connection;
    }

    /** @throws IOException where the server does not answer, or refuses: one line without secrets */
    static RedisSession open(RedisSettings settings) throws IOException {
        var config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) settings.connectLimit().toMillis())
                .socketTimeoutMillis((int) settings.answerLimit().toMillis())
                // It would need a right more, and tells the server nothing it needs.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
        var password = "";
        if (settings.passwordFile().isPresent()) {
            settings.user().ifPresent(config::user);
            password = PasswordFile.read(settings.passwordFile().get());
            config.password(password);
        }
        Optional<SSLSocketFactory> trusted =
                settings.tls() ? Optional.of(trusted(settings.caFile())) : Optional.empty();
        try {
            var connection = new Connection(new RedisSockets(settings, trusted), config.build());
            connection.connect();
            return new RedisSession(connection);
        } catch (JedisException e) {
            throw withoutSecret(failed(e), password);
        }
    }

    /** A server that does not know AUTH answers with what it was told. */
    private static IOException withoutSecret(IOException e, String password) {
        var message = String.valueOf(e.getMessage());
        return password.isEmpty() || !message.contains(password)
                ? e
                : new IOException(message.replace(password, "***"));
    }

    private static SSLSocketFactory trusted(Optional<Path> caFile) throws IOException {
        return caFile.isPresent()
                ? CaFile.trusting(caFile.get()).getSocketFactory()
                : (SSLSocketFactory) SSLSocketFactory.getDefault();
    }

    /** The server as it describes itself, at this moment. */
    ServerState state() throws IOException {
        var lines = new HashMap<String, String>();
        for (var section : new String[] {"server", "persistence", "replication"}) {
            // One section each: versions before 7.0 take no more.
            text(Protocol.Command.INFO, section)
                    .lines()
                    .filter(line -> line.contains(":"))
                    .forEach(line ->
                            lines.put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(':') + 1)));
        }
        return new ServerState(lines);
    }

    /** What {@code CONFIG GET} answers; empty where the user may not ask, or the version does not know the name. */
    Optional<String> configured(String name) throws IOException {
        try {
            refuseWhenLost();
            connection.sendCommand(Protocol.Command.CONFIG, "GET", name);
            var answer = connection.getMultiBulkReply();
            return answer.size() == 2 ? Optional.of(answer.get(1)) : Optional.empty();
        } catch (JedisDataException e) {
            // The server answered, with a refusal: the connection is good.
            return Optional.empty();
        } catch (JedisException e) {
            lost = true;
            throw failed(e);
        }
    }

    /** Holds every client that writes, until the limit is over or {@link #unpause}. Zero holds nobody. */
    void pause(Duration limit) throws IOException {
        expectOk("PAUSE", Long.toString(limit.toMillis()), "WRITE");
    }

    void unpause() throws IOException {
        expectOk("UNPAUSE");
    }

    private void expectOk(String... arguments) throws IOException {
        var answer = text(Protocol.Command.CLIENT, arguments);
        if (!answer.equals("OK")) {
            throw new IOException("server answered CLIENT %s with %s".formatted(arguments[0], answer));
        }
    }

    /** Begins a save in the background. */
    void save() throws IOException {
        var unused = text(Protocol.Command.BGSAVE);
    }

    /** From now on an answer is awaited no longer than this. */
    void answerWithin(Duration limit) {
        connection.setSoTimeout((int) Math.max(1, limit.toMillis()));
    }

    private String text(Protocol.Command command, String... arguments) throws IOException {
        try {
            refuseWhenLost();
            connection.sendCommand(command, arguments);
            return String.valueOf(connection.getStatusCodeReply());
        } catch (JedisException e) {
            lost = lost || !(e instanceof JedisDataException);
            throw failed(e);
        }
    }

    private void refuseWhenLost() throws IOException {
        if (lost) {
            throw new IOException("the connection to the server was lost");
        }
    }

    /** The library's message and its cause's, one line. */
    private static IOException failed(JedisException e) {
        var message = String.valueOf(e.getMessage());
        var cause = e.getCause() == null ? "" : String.valueOf(e.getCause().getMessage());
        if (!message.contains(cause)) {
            message += ": " + cause;
        }
        return new IOException(message.lines().findFirst().orElse("no answer"), e);
    }

    @Override
    public void close() {
        try {
            connection.forceDisconnect();
        } catch (IOException | JedisException e) {
            // The socket is closed by then, which is all that matters.
            return;
        }
    }

    /** What {@code INFO} said, by name. */
    record ServerState(Map<String, String> lines) {
        ServerState {
            lines = Map.copyOf(lines);
        }

        String text(String name) {
            return lines.getOrDefault(name, "");
        }

        boolean yes(String name) {
            return text(name).equals("1");
        }

        /** -1 where the server does not say. */
        long number(String name) {
            try {
                return Long.parseLong(text(name));
            } catch (NumberFormatException e) {
                return -1;
            }
        }

        boolean keepsAppendOnlyFile() {
            return yes("aof_enabled");
        }

        boolean forked() {
            return yes("rdb_bgsave_in_progress") || yes("aof_rewrite_in_progress") || yes("aof_rewrite_scheduled");
        }
    }
}
