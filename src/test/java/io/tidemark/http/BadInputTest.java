package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.site.TestSite;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must be refused: with the right status, the field, value and limit named, advice given, and nothing changed. */
class BadInputTest {
    private static final String GROUPS = "/v1/groups";

    @TempDir
    static Path folder;

    private static ApiClient api;

    @BeforeAll
    static void start() throws Exception {
        api = new ApiClient(TestSite.in(folder).recovered(), folder);
        api.site.addGroup("orders", "orders");
        api.post("/v1/peers", "{'id':'site-b','token':'tidemark-invitation-1'}").is(201);
        api.post(GROUPS, "{'id':'used','volumes':['memory:orders']}", "used-key")
                .is(201);
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @ParameterizedTest
    @MethodSource({"io.tidemark.http.BadInputCases#cases", "io.tidemark.http.BadLinkInputCases#cases"})
    void badInputIsRefusedWithAdviceAndChangesNothing(BadInputCases.Case bad) throws Exception {
        var before = stateOf(api);
        var body = bad.body().filter(bytes -> bytes.length > 0 || bad.name().equals("an empty body"));

        var reply = api.call(bad.method(), bad.path(), body, bad.headers());

        assertThat(reply.status()).as(reply.text()).isEqualTo(bad.status());
        assertThat(reply.headers()).containsEntry("content-type", Problem.MEDIA_TYPE);
        var problem = reply.json();
        assertThat(problem.get("status").asInt()).isEqualTo(bad.status());
        assertThat(problem.get("type").asText()).startsWith("https://tidemark.io/problems/");
        assertThat(problem.get("advice").asText()).isNotBlank();
        assertThat(problem.get("requestId").asText()).isEqualTo(reply.headers().get("x-request-id"));
        if (!bad.field().isEmpty()) {
            assertThat(problem.path("field").asText()).as(reply.text()).isEqualTo(bad.field());
            assertThat(problem.path("allowed").asText()).as(reply.text()).isNotBlank();
        }
        assertThat(reply.text()).contains(bad.says());
        assertThat(reply.text())
                .doesNotContain("Exception")
                .doesNotContain("io.tidemark")
                .doesNotContain("io.vertx");
        assertThat(stateOf(api)).isEqualTo(before);
    }

    private static Map<String, Object> stateOf(ApiClient api) throws Exception {
        var inventory = api.site.control.inventory();
        var state = new HashMap<String, Object>();
        state.put("volumes", inventory.volumes(Optional.empty(), 1_000).page().items());
        state.put("groups", inventory.groups(Optional.empty(), 1_000).items());
        state.put(
                "points",
                inventory
                        .recoveryPoints(Optional.empty(), Optional.empty(), 1_000)
                        .items());
        state.put("peers", inventory.peers(Optional.empty(), 1_000).items());
        state.put("links", inventory.links(Optional.empty(), 1_000).items());
        state.put(
                "operations",
                inventory
                        .operations(Optional.empty(), Optional.empty(), Optional.empty(), 1_000)
                        .items());
        state.put("snapshots", api.site.snapshotCount());
        return state;
    }

    @Test
    void whatIsNoHttpIsAnsweredAndTheConnectionClosed() throws Exception {
        for (var text : List.of("HELLO\r\n\r\n", "!!! ??? ***\r\n\r\n")) {
            assertThat(raw(text)).as(text).containsPattern("^HTTP/1\\.[01] 400").contains("application/problem+json");
        }
    }

    @Test
    void aBrokenPercentEncodingIsRefused() throws Exception {
        var text = "GET /v1/groups/a%2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

        assertThat(raw(text)).startsWith("HTTP/1.1 400").contains("application/problem+json");
    }

    @Test
    void headersPastTheirLimitAreRefused() throws Exception {
        var text = "GET /v1/health HTTP/1.1\r\nHost: a\r\nX-Long: " + "x".repeat(20_000) + "\r\n\r\n";

        assertThat(raw(text)).startsWith("HTTP/1.1 431").contains("malformed-request");
    }

    @Test
    void aBodyThatNeverComesEndsWithinTheRequestTimeout(@TempDir Path other) throws Exception {
        try (var slow =
                new ApiClient(TestSite.in(other).recovered(), other, ApiClient.settings(Duration.ofMillis(300)))) {
            var text = "POST /v1/volumes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + slow.token
                    + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";

            assertThat(raw(slow, text)).startsWith("HTTP/1.1 503").contains("request-too-slow");
        }
    }

    private static String raw(String text) throws Exception {
        return raw(api, text);
    }

    private static String raw(ApiClient client, String text) throws Exception {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), client.server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            InputStream answer = socket.getInputStream();
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
