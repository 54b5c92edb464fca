package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.domain.OperationId;
import io.tidemark.security.AdminTokenFile;
import io.tidemark.security.ApiTokens;
import io.tidemark.site.TestSite;
import io.tidemark.telemetry.Metrics;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.validation.ResponseValidator;
import io.vertx.openapi.validation.ValidatableResponse;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** A site behind its API on a free port, and a client that holds every answer against the OpenAPI file. */
final class ApiClient implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    static final long BODY_BYTES_MAXIMUM = 64 * 1_024;

    final TestSite site;
    final ApiServer server;
    final Metrics metrics = new Metrics();
    final String token;
    /** Operations that were answered, for the test that none is left out. */
    final Set<String> answered = new TreeSet<>();

    private final Vertx vertx = Vertx.vertx();
    private final OpenAPIContract contract;
    private final ResponseValidator validator;
    private final RouteIndex routes = new RouteIndex(Contract.read(), false);
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    ApiClient(TestSite site, Path folder) throws Exception {
        this(site, folder, settings(Duration.ofSeconds(30)));
    }

    ApiClient(TestSite site, Path folder, ApiSettings settings) throws Exception {
        this.site = site;
        var tokens = new ApiTokens(site.store.tokens(), new SecureRandom(), InstantSource.system());
        token = AdminTokenFile.read(AdminTokenFile.ensure(folder, tokens)).reveal();
        server = ApiServer.start(settings, site.control, tokens, metrics);
        contract =
                Contract.load(vertx).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        validator = ResponseValidator.create(vertx, contract);
    }

    static ApiSettings settings(Duration requestTimeout) {
        return new ApiSettings(
                "127.0.0.1",
                0,
                Optional.empty(),
                Optional.empty(),
                BODY_BYTES_MAXIMUM,
                requestTimeout,
                false,
                "0.0.0-test",
                "f".repeat(64));
    }

    record Reply(int status, Map<String, String> headers, String text) {
        JsonNode json() {
            try {
                return MAPPER.readTree(text);
            } catch (Exception e) {
                throw new AssertionError("not JSON: " + text, e);
            }
        }

        String location() {
            return Objects.requireNonNull(headers.get("location"), "no Location in the answer");
        }

        Reply is(int expected) {
            assertThat(status).as(text).isEqualTo(expected);
            return this;
        }
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    Reply get(String path) throws Exception {
        return call("GET", path, Optional.empty(), Map.of());
    }

    Reply delete(String path) throws Exception {
        return call("DELETE", path, Optional.empty(), Map.of());
    }

    Reply post(String path, String body) throws Exception {
        return call("POST", path, bytes(body), Map.of());
    }

    Reply post(String path, String body, String key) throws Exception {
        return call("POST", path, bytes(body), Map.of("Idempotency-Key", key));
    }

    Reply post(String path) throws Exception {
        return call("POST", path, Optional.empty(), Map.of());
    }

    Reply put(String path, String body) throws Exception {
        return call("PUT", path, bytes(body), Map.of());
    }

    private static Optional<byte[]> bytes(String body) {
        return Optional.of(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    Reply call(String method, String path, Optional<byte[]> body, Map<String, String> headers) throws Exception {
        var request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(60))
                .method(
                        method,
                        body.isPresent()
                                ? HttpRequest.BodyPublishers.ofByteArray(body.orElseThrow())
                                : HttpRequest.BodyPublishers.noBody());
        var all = new HashMap<String, String>();
        all.put("Authorization", "Bearer " + token);
        if (body.isPresent()) {
            all.put("Content-Type", "application/json");
        }
        all.putAll(headers);
        all.forEach((name, value) -> {
            if (!value.isEmpty()) {
                request.header(name, value);
            }
        });
        var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        var replyHeaders = new HashMap<String, String>();
        response.headers().map().forEach((name, values) -> replyHeaders.put(name, values.getFirst()));
        var reply = new Reply(response.statusCode(), replyHeaders, response.body());
        holdAgainstContract(method, path, reply);
        return reply;
    }

    private void holdAgainstContract(String method, String path, Reply reply) throws Exception {
        String operationId;
        try {
            operationId = routes.find(method, path.split("\\?", 2)[0]).operationId();
        } catch (ProblemException noSuchRoute) {
            assertThat(reply.headers().get("content-type")).isEqualTo(Problem.MEDIA_TYPE);
            return;
        }
        answered.add(operationId);
        String type = reply.headers().getOrDefault("content-type", "");
        if (reply.status() >= 400 && !(operationId.equals("getReady") && reply.status() == 503)) {
            assertThat(type).as(reply.text()).isEqualTo(Problem.MEDIA_TYPE);
        }
        String shown = type.equals(Problem.MEDIA_TYPE) ? "application/json" : type.split(";", 2)[0];
        if (shown.equals(OperationStream.MEDIA_TYPE) || shown.equals("text/plain")) {
            // The validator reads JSON alone.
            return;
        }
        var response = reply.text().isEmpty()
                ? ValidatableResponse.create(reply.status(), reply.headers())
                : ValidatableResponse.create(reply.status(), reply.headers(), Buffer.buffer(reply.text()), shown);
        try {
            validator
                    .validate(response, operationId)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(
                    "answer %d of %s is not as the OpenAPI file says: %s"
                            .formatted(reply.status(), operationId, reply.text()),
                    e);
        }
    }

    /** Follows an accepted operation to its end. */
    JsonNode ended(Reply accepted) throws Exception {
        accepted.is(202);
        site.awaitEnd(new OperationId(accepted.json().get("id").asText()));
        return get(accepted.location()).is(200).json();
    }

    JsonNode succeeded(Reply accepted) throws Exception {
        var operation = ended(accepted);
        assertThat(operation.get("state").asText()).as(operation.toString()).isEqualTo("SUCCEEDED");
        return operation.get("result");
    }

    HttpClient raw() {
        return client;
    }

    @Override
    public void close() {
        server.close();
        site.close();
        metrics.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
