package io.tidemark.provider.ebs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.aws.RecordedAws;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * Writes down what is asked and answered, a line of JSON an exchange, so that it can be given away: without signatures and
 * tokens, account numbers made zero, content of blocks left out.
 */
final class RecordingHttp implements SdkHttpClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> SECRET = Set.of("authorization", "x-amz-security-token");
    private static final String ACCOUNT = "\\b[0-9]{12}\\b";
    private static final String NO_ACCOUNT = "000000000000";
    private static final String BLOCK = "application/octet-stream";

    private final SdkHttpClient inner;
    private final Path log;

    /** @param log begun anew */
    RecordingHttp(SdkHttpClient inner, Path log) throws IOException {
        this.inner = inner;
        this.log = log;
        Files.deleteIfExists(log);
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        var prepared = inner.prepareRequest(request);
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                var answered = prepared.call();
                var body = new byte[0];
                if (answered.responseBody().isPresent()) {
                    try (var stream = answered.responseBody().get()) {
                        body = stream.readAllBytes();
                    }
                }
                write(request, answered, body);
                return HttpExecuteResponse.builder()
                        .response(answered.httpResponse())
                        .responseBody(AbortableInputStream.create(new ByteArrayInputStream(body)))
                        .build();
            }

            @Override
            public void abort() {
                prepared.abort();
            }
        };
    }

    private void write(HttpExecuteRequest request, HttpExecuteResponse answered, byte[] answer) throws IOException {
        SdkHttpRequest http = request.httpRequest();
        var body = new byte[0];
        if (request.contentStreamProvider().isPresent()) {
            try (var stream = request.contentStreamProvider().get().newStream()) {
                body = stream.readAllBytes();
            }
        }
        var query = http.encodedQueryParameters().map(text -> "?" + text).orElse("");
        var path = http.encodedPath().isEmpty() ? "/" : http.encodedPath();
        var line = JSON.createObjectNode();
        line.put("method", http.method().name()).put("target", redacted(path + query));
        headers(line.putObject("headers"), http.headers());
        line.put("body", text(http.firstMatchingHeader("Content-Type").orElse(""), body));
        line.put("status", answered.httpResponse().statusCode());
        headers(line.putObject("answerHeaders"), answered.httpResponse().headers());
        var type = answered.httpResponse().firstMatchingHeader("Content-Type").orElse("");
        line.put("answer", text(type, answer));
        synchronized (this) {
            Files.writeString(
                    log, JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private static void headers(ObjectNode into, Map<String, List<String>> headers) {
        headers.forEach((name, values) -> {
            var lower = name.toLowerCase(Locale.ROOT);
            into.put(lower, SECRET.contains(lower) ? "redacted" : redacted(String.join(",", values)));
        });
    }

    private static String text(String type, byte[] body) {
        return type.startsWith(BLOCK) ? "" : redacted(new String(body, StandardCharsets.UTF_8));
    }

    private static String redacted(String text) {
        return text.replaceAll(ACCOUNT, NO_ACCOUNT);
    }

    /** What the published models find wrong in a log; only where they are at hand. */
    static List<String> violations(Path log) throws IOException {
        var found = new ArrayList<String>();
        for (var text : Files.readAllLines(log)) {
            var line = JSON.readTree(text);
            var headers = new LinkedHashMap<String, String>();
            line.path("headers")
                    .properties()
                    .forEach(entry ->
                            headers.put(entry.getKey(), entry.getValue().asText()));
            var answers = new LinkedHashMap<String, String>();
            line.path("answerHeaders")
                    .properties()
                    .forEach(entry ->
                            answers.put(entry.getKey(), entry.getValue().asText()));
            var request = new HttpRequest(
                    line.path("method").asText(),
                    line.path("target").asText(),
                    headers,
                    line.path("body").asText().getBytes(StandardCharsets.UTF_8));
            var answer = HttpAnswer.text(
                    line.path("status").asInt(),
                    answers.getOrDefault("content-type", ""),
                    answers,
                    line.path("answer").asText());
            found.addAll(RecordedAws.violations(request, answer));
        }
        return found;
    }

    @Override
    public void close() {
        inner.close();
    }
}
