package io.tidemark.provider.fakecloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * One exchange with a cloud, as a log keeps it: a line of JSON. Content of blobs is left out of it, and what is secret
 * is for the writer to take away.
 */
public record RecordedExchange(HttpRequest request, HttpAnswer answer) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONTENT = "application/octet-stream";

    /**
     * Adds it to a log.
     *
     * @param redacted of every text that is written: addresses, values of headers, bodies
     */
    public void append(Path log, UnaryOperator<String> redacted) throws IOException {
        var line = JSON.createObjectNode();
        var target = request.path + (request.query.isEmpty() ? "" : "?" + request.query);
        line.put("method", request.method).put("target", redacted.apply(target));
        put(line.putObject("headers"), request.headers, redacted);
        line.put("body", text(request.headers.getOrDefault("content-type", ""), request.body, redacted));
        line.put("status", answer.status);
        put(line.putObject("answerHeaders"), answer.headers, redacted);
        line.put("answer", text(answer.contentType, answer.body, redacted));
        Files.writeString(
                log, JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static void put(ObjectNode into, Map<String, String> headers, UnaryOperator<String> redacted) {
        headers.forEach((name, value) -> into.put(name, redacted.apply(value)));
    }

    private static String text(String type, byte[] body, UnaryOperator<String> redacted) {
        return type.startsWith(CONTENT) ? "" : redacted.apply(new String(body, StandardCharsets.UTF_8));
    }

    /** All of a log. */
    public static List<RecordedExchange> read(Path log) throws IOException {
        var all = new ArrayList<RecordedExchange>();
        for (var text : Files.readAllLines(log)) {
            var line = JSON.readTree(text);
            var answers = headers(line.path("answerHeaders"));
            all.add(new RecordedExchange(
                    new HttpRequest(
                            line.path("method").asText(),
                            line.path("target").asText(),
                            headers(line.path("headers")),
                            line.path("body").asText().getBytes(StandardCharsets.UTF_8)),
                    HttpAnswer.text(
                            line.path("status").asInt(),
                            answers.entrySet().stream()
                                    .filter(each -> each.getKey().equalsIgnoreCase("content-type"))
                                    .map(Map.Entry::getValue)
                                    .findFirst()
                                    .orElse(""),
                            answers,
                            line.path("answer").asText())));
        }
        return all;
    }

    private static Map<String, String> headers(JsonNode told) {
        var headers = new LinkedHashMap<String, String>();
        told.properties()
                .forEach(entry -> headers.put(entry.getKey(), entry.getValue().asText()));
        return headers;
    }
}
