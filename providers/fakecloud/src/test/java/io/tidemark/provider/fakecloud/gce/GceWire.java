package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Asks the fake in words, without a client of Google's. */
final class GceWire {
    static final String ZONE = "zones/europe-west3-a";
    static final String REGION = "regions/europe-west3";

    private final FakeGce cloud;

    GceWire(FakeGce cloud) {
        this.cloud = cloud;
    }

    /** An answer: its status, 0 where the connection was reset, and its JSON. */
    record Said(int status, JsonNode json) {
        String reason() {
            return json.path("error").path("errors").path(0).path("reason").asText();
        }
    }

    /** @param path from behind the project on */
    Said ask(String method, String path, String body) throws IOException {
        String target = "/compute/v1/projects/" + cloud.project() + "/" + path;
        byte[] bytes = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        HttpAnswer answer = cloud.handler().apply(new HttpRequest(method, target, Map.of(), bytes));
        return new Said(answer.status, new ObjectMapper().readTree(answer.body));
    }

    Said get(String path) throws IOException {
        return ask("GET", path, "");
    }

    Said post(String path, String body) throws IOException {
        return ask("POST", path, body);
    }

    Said delete(String path) throws IOException {
        return ask("DELETE", path, "");
    }

    Said snapshot(String name, String diskPath) throws IOException {
        return post("global/snapshots", "{'name': '%s', 'sourceDisk': '%s'}".formatted(name, diskPath));
    }

    String status(String path) throws IOException {
        return get(path).json().path("status").asText();
    }
}
