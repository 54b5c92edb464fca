package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.Jedis;

/** A Redis of Debian's package on loopback and on a Unix socket, with its data in a folder. */
public final class RedisServer implements AutoCloseable {
    private static final int ANSWER_MILLIS = 60_000;

    private final ServerProcess process;
    private final int port;
    private final Path data;

    private RedisServer(ServerProcess process, int port, Path data) {
        this.process = process;
        this.port = port;
        this.data = data;
    }

    /** Starts and waits until what is in the folder is loaded. */
    public static RedisServer start(Path data, String... settings) throws IOException {
        Files.createDirectories(data);
        return ServerProcess.onFreePort(port -> start(port, data, settings));
    }

    private static RedisServer start(int port, Path data, String... settings) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                data.toString(),
                "--unixsocket",
                socket(data).toString(),
                "--save",
                ""));
        command.addAll(List.of(settings));
        // Refused while it loads.
        var process = ServerProcess.start("redis", command, "TERM", () -> {
            try (var client = connect(port)) {
                client.dbSize();
            }
        });
        return new RedisServer(process, port, data);
    }

    public int port() {
        return port;
    }

    public Path data() {
        return data;
    }

    public long pid() {
        return process.pid();
    }

    public Path socket() {
        return socket(data);
    }

    /** A socket's path has 107 bytes at most, so it is not in a deep folder; its name is this folder's alone. */
    private static Path socket(Path data) {
        return Path.of(
                "/run",
                "tidemark-test-%d-%08x.sock".formatted(ProcessHandle.current().pid(), data.hashCode()));
    }

    public Jedis connect() {
        return connect(port);
    }

    private static Jedis connect(int port) {
        return new Jedis("127.0.0.1", port, ANSWER_MILLIS);
    }

    /** As if the power had gone: nothing is written at the end. */
    @Override
    public void close() throws IOException {
        process.stop("KILL");
        Files.deleteIfExists(socket(data));
    }
}
