package io.tidemark.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Answers as it was told and keeps what it was asked. */
final class ScriptedSite implements AutoCloseable {

    record Asked(String method, String path, String body, String token, String idempotencyKey) {}

    private record Answer(int status, String type, String body) {}

    private final Map<String, Deque<Answer>> answers = new HashMap<>();
    private final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    ScriptedSite() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::serve);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The last answer of a path is given again and again. */
    ScriptedSite on(String methodAndPath, int status, String body) {
        return on(methodAndPath, status, status < 400 ? "application/json" : "application/problem+json", body);
    }

    synchronized ScriptedSite on(String methodAndPath, int status, String type, String body) {
        answers.computeIfAbsent(methodAndPath, path -> new ArrayDeque<>()).add(new Answer(status, type, body));
        return this;
    }

    List<Asked> asked() {
        return asked;
    }

    Asked last() {
        return asked.getLast();
    }

    private synchronized void serve(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().toString();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        var headers = exchange.getRequestHeaders();
        asked.add(new Asked(
                exchange.getRequestMethod(),
                path,
                body,
                String.valueOf(headers.getFirst("Authorization")),
                String.valueOf(headers.getFirst("Idempotency-Key"))));
        var queue = answers.get(exchange.getRequestMethod() + " " + path);
        var answer = queue == null
                ? new Answer(
                        404, "application/problem+json", "{\"title\":\"Not scripted\",\"detail\":\"" + path + "\"}")
                : queue.size() > 1 ? queue.poll() : queue.getFirst();
        byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", answer.type());
        exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
