package io.tidemark.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A request that has passed the checks of the OpenAPI file, taken off the event loop's objects.
 *
 * @param body empty object where there was none
 */
record ApiRequest(
        String operationId,
        Map<String, String> path,
        Map<String, String> query,
        Optional<String> idempotencyKey,
        ObjectNode body) {
    static final int LIMIT_DEFAULT = 100;

    ApiRequest {
        path = Map.copyOf(path);
        query = Map.copyOf(query);
    }

    String inPath(String name) {
        var value = path.get(name);
        if (value == null) {
            throw new IllegalStateException("path of %s has no %s".formatted(operationId, name));
        }
        return value;
    }

    Optional<String> inQuery(String name) {
        return Optional.ofNullable(query.get(name));
    }

    int limit() {
        return inQuery("limit").map(Integer::parseInt).orElse(LIMIT_DEFAULT);
    }

    Optional<String> cursor() {
        return inQuery("cursor");
    }

    String text(String field) {
        return Json.text(body, field);
    }

    Optional<String> optionalText(String field) {
        return Json.optionalText(body, field);
    }

    /** Equal for requests that ask the same, however their JSON is laid out. */
    String hash() {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(operationId.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) '\n');
            digest.update(new TreeMap<>(path).toString().getBytes(StandardCharsets.UTF_8));
            digest.update((byte) '\n');
            digest.update(sorted(body).toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java has SHA-256", impossible);
        }
    }

    /** Recursion is bounded by {@link RequestBody#DEPTH_MAXIMUM}. */
    private static JsonNode sorted(JsonNode node) {
        if (node instanceof ObjectNode object) {
            var names = new TreeMap<String, JsonNode>();
            object.properties().forEach(field -> names.put(field.getKey(), sorted(field.getValue())));
            var result = Json.object();
            names.forEach(result::set);
            return result;
        }
        if (node.isArray()) {
            var result = Json.object().putArray("items");
            node.forEach(item -> result.add(sorted(item)));
            return result;
        }
        return node;
    }
}
