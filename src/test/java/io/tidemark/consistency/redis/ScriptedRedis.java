package io.tidemark.consistency.redis;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server that says what a test wants it to say, by the protocol of the real one. */
final class ScriptedRedis implements AutoCloseable {
    private final ServerSocket listener;
    private final List<Socket> connections = new CopyOnWriteArrayList<>();
    private final Map<String, String> info = new ConcurrentHashMap<>(Map.of(
            "redis_version", "7.0.15",
            "redis_mode", "standalone",
            "run_id", "one",
            "role", "master",
            "aof_enabled", "1",
            "aof_last_write_status", "ok",
            "aof_last_bgrewrite_status", "ok",
            "aof_buffer_length", "0",
            "aof_current_size", "100",
            "rdb_last_bgsave_status", "ok"));

    private final Map<String, String> refusals = new ConcurrentHashMap<>();
    private final Map<String, Runnable> after = new ConcurrentHashMap<>();
    private final List<String> heard = new CopyOnWriteArrayList<>();

    ScriptedRedis() throws IOException {
        listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        info.put("rdb_changes_since_last_save", "7");
        info.put("rdb_last_save_time", "1");
        info.put("master_repl_offset", "4711");
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    ScriptedRedis says(String name, String value) {
        info.put(name, value);
        return this;
    }

    /** Answers this command with an error: {@code CLIENT PAUSE}. */
    ScriptedRedis refuses(String command, String error) {
        refusals.put(command, error);
        return this;
    }

    /** What happens right after it has heard the command, before it answers. */
    ScriptedRedis upon(String command, Runnable action) {
        after.put(command, action);
        return this;
    }

    /** Commands without what only looks, in order. */
    List<String> heard() {
        return heard.stream()
                .filter(command -> !command.startsWith("INFO") && !command.startsWith("CONFIG"))
                .toList();
    }

    /** Ends every connection; new ones are taken. */
    void dropConnections() {
        for (var connection : connections) {
            try {
                connection.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
        connections.clear();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var connection = listener.accept();
                if (listener.isClosed()) {
                    connection.close();
                    return;
                }
                connections.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection;
                var in = new BufferedReader(
                        new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = in.readLine(); line != null; line = in.readLine()) {
                int count = Integer.parseInt(line.substring(1));
                var words = new ArrayList<String>();
                for (int index = 0; index < count; index++) {
                    var unused = in.readLine();
                    words.add(in.readLine());
                }
                var command = String.join(" ", words);
                heard.add(command);
                after.entrySet().stream()
                        .filter(entry -> command.startsWith(entry.getKey()))
                        .forEach(entry -> entry.getValue().run());
                connection.getOutputStream().write(answer(command).getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            // The other side is gone, or the test dropped it.
            return;
        }
    }

    private String answer(String command) {
        for (var refusal : refusals.entrySet()) {
            if (command.startsWith(refusal.getKey())) {
                return "-" + refusal.getValue() + "\r\n";
            }
        }
        if (command.startsWith("INFO")) {
            var text = new StringBuilder("# all\r\n");
            info.forEach(
                    (name, value) -> text.append(name).append(':').append(value).append("\r\n"));
            return "$%d\r\n%s\r\n".formatted(text.length(), text);
        }
        if (command.equals("CONFIG GET appendfsync")) {
            return "*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n";
        }
        return command.startsWith("CONFIG") ? "*0\r\n" : "+OK\r\n";
    }

    @Override
    public void close() throws IOException {
        listener.close();
        dropConnections();
    }
}
