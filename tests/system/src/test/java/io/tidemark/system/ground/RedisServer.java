package io.tidemark.system.ground;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A Redis of Debian's package on loopback and on a Unix socket, with its data in a folder. */
public final class RedisServer implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final long ASK_EVERY_MILLIS = 20;
    private static final int ANSWER_MILLIS = 60_000;

    private final Process process;
    private final int port;
    private final Path data;
    private final Watchdog.Undo undo;

    private RedisServer(Process process, int port, Path data, Watchdog.Undo undo) {
        this.process = process;
        this.port = port;
        this.data = data;
        this.undo = undo;
    }

    /** Starts and waits until what is in the folder is loaded. */
    public static RedisServer start(Path data, String... settings) throws IOException {
        Files.createDirectories(data);
        int port = freePort();
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
        var log = Files.createTempFile("redis", ".log");
        var process = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        var undo = Watchdog.get().remember("kill -KILL %d; rm -f '%s'".formatted(process.pid(), log));
        var server = new RedisServer(process, port, data, undo);
        try {
            server.awaitStart(log);
        } catch (IOException e) {
            process.destroyForcibly();
            undo.close();
            throw e;
        } finally {
            Files.delete(log);
        }
        return server;
    }

    private void awaitStart(Path log) throws IOException {
        long started = System.nanoTime();
        while (true) {
            try (var client = connect()) {
                // Refused while it loads.
                client.dbSize();
                return;
            } catch (JedisException e) {
                boolean late = System.nanoTime() - started > START_LIMIT.toNanos();
                if (!process.isAlive() || late) {
                    throw new IOException("server did not start: " + Files.readString(log), e);
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
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
        return new Jedis("127.0.0.1", port, ANSWER_MILLIS);
    }

    /** As if the power had gone: nothing is written at the end. */
    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("server in %s did not stop within %s".formatted(data, STOP_LIMIT));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Files.deleteIfExists(socket(data));
        undo.close();
    }
}
