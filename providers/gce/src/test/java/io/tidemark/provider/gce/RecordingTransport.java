package io.tidemark.provider.gce;

import com.google.api.client.http.ByteArrayContent;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpResponse;
import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.LowLevelHttpRequest;
import com.google.api.client.http.LowLevelHttpResponse;
import com.google.api.client.testing.http.MockLowLevelHttpResponse;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.gce.RecordedGce;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes down what is asked and answered, a line of JSON an exchange, so that it can be given away: without credentials,
 * the project's name and numbers replaced. What is not of the API, such as asking for a token, is not written.
 */
final class RecordingTransport extends HttpTransport {
    /** Set by whoever sends the request anew. */
    private static final Set<String> NOT_PASSED_ON = Set.of("content-type", "content-length", "accept-encoding");

    private static final Gson JSON = new Gson();

    private final HttpTransport inner;
    private final Path log;
    private final String project;

    /** @param log begun anew */
    RecordingTransport(HttpTransport inner, Path log, String project) throws IOException {
        this.inner = inner;
        this.log = log;
        this.project = project;
        Files.deleteIfExists(log);
    }

    @Override
    public boolean supportsMethod(String method) throws IOException {
        return inner.supportsMethod(method);
    }

    @Override
    protected LowLevelHttpRequest buildRequest(String method, String url) {
        var headers = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
        return new LowLevelHttpRequest() {
            @Override
            public void addHeader(String name, String value) {
                headers.put(name, value);
            }

            @Override
            public LowLevelHttpResponse execute() throws IOException {
                var body = new ByteArrayOutputStream();
                if (getStreamingContent() != null) {
                    getStreamingContent().writeTo(body);
                }
                return exchanged(method, url, headers, body.toByteArray());
            }
        };
    }

    private LowLevelHttpResponse exchanged(String method, String url, Map<String, String> headers, byte[] body)
            throws IOException {
        var content = body.length == 0 ? null : new ByteArrayContent("application/json", body);
        var request = inner.createRequestFactory()
                .buildRequest(method, new GenericUrl(URI.create(url).toURL(), true), content);
        headers.forEach((name, value) -> {
            if (!NOT_PASSED_ON.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                request.getHeaders().set(name, List.of(value));
            }
        });
        request.setThrowExceptionOnExecuteError(false).setNumberOfRetries(0);
        HttpResponse answered = request.execute();
        try {
            var text = answered.parseAsString();
            write(method, URI.create(url), body, answered, text);
            var told = new MockLowLevelHttpResponse()
                    .setStatusCode(answered.getStatusCode())
                    .setContentType(answered.getContentType())
                    .setContent(text);
            var retryAfter = answered.getHeaders().getRetryAfter();
            return retryAfter == null ? told : told.addHeader("Retry-After", retryAfter);
        } finally {
            answered.disconnect();
        }
    }

    private void write(String method, URI url, byte[] body, HttpResponse answered, String answer) throws IOException {
        if (!url.getRawPath().startsWith("/compute/")) {
            return;
        }
        var line = new JsonObject();
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        line.addProperty("method", method);
        line.addProperty("target", redacted(url.getRawPath() + query));
        line.addProperty("body", redacted(new String(body, StandardCharsets.UTF_8)));
        line.addProperty("status", answered.getStatusCode());
        line.addProperty("contentType", answered.getContentType());
        line.addProperty("answer", redacted(answer));
        synchronized (this) {
            Files.writeString(log, JSON.toJson(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    /** Names of projects, their numbers, and whose account it is. */
    private String redacted(String text) {
        return text.replace(project, "the-project")
                .replaceAll("projects/[0-9]+", "projects/0")
                .replaceAll("[A-Za-z0-9._-]+@[A-Za-z0-9.-]+", "somebody@example.com");
    }

    /** What the discovery document finds wrong in a log; only where it is at hand. */
    static List<String> violations(Path log) throws IOException {
        var found = new ArrayList<String>();
        for (var text : Files.readAllLines(log)) {
            var line = JsonParser.parseString(text).getAsJsonObject();
            var request = new HttpRequest(
                    line.get("method").getAsString(),
                    line.get("target").getAsString(),
                    Map.of("content-type", "application/json"),
                    line.get("body").getAsString().getBytes(StandardCharsets.UTF_8));
            var answer = HttpAnswer.text(
                    line.get("status").getAsInt(),
                    line.get("contentType").getAsString(),
                    Map.of(),
                    line.get("answer").getAsString());
            found.addAll(RecordedGce.violations(request, answer));
        }
        return found;
    }
}
