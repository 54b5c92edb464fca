package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One request, taken apart.
 *
 * @param operation as the discovery document calls it: {@code regionDisks.insert}
 * @param location {@code global}, {@code aggregated}, {@code zones/europe-west3-a} or {@code regions/europe-west3}
 * @param name of the resource; empty where the call is about the collection
 */
record GceCall(
        String operation,
        String project,
        String location,
        String collection,
        String name,
        String verb,
        Map<String, String> query,
        JsonNode body) {
    private static final Pattern PATH = Pattern.compile("/compute/v1/projects/([^/]+)/"
            + "(global|aggregated|zones/[^/]+|regions/[^/]+)/([A-Za-z]+)(?:/([^/]+))?(?:/([A-Za-z]+))?");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What befalls the call, and who decides how long it stays unseen. */
    record Fate(Fault fault, FaultScript script) {
        boolean is(Fault other) {
            return fault == other;
        }
    }

    static @Nullable GceCall of(HttpRequest request) {
        var matched = PATH.matcher(HttpRequest.decoded(request.path));
        if (!matched.matches()) {
            return null;
        }
        String third = matched.group(4) == null ? "" : matched.group(4);
        String fourth = matched.group(5) == null ? "" : matched.group(5);
        boolean ofCollection = request.method.equals("POST") && fourth.isEmpty() && !third.isEmpty();
        String name = ofCollection ? "" : third;
        String verb = verb(request.method, matched.group(2), name, ofCollection ? third : fourth);
        String resource = resource(matched.group(2), matched.group(3));
        JsonNode body;
        try {
            body = JSON.readTree(request.body);
        } catch (IOException e) {
            return null;
        }
        return new GceCall(
                resource + "." + verb,
                matched.group(1),
                matched.group(2),
                matched.group(3),
                name,
                verb,
                request.queryFields(),
                body);
    }

    private static String verb(String method, String location, String name, String action) {
        if (!action.isEmpty()) {
            return action;
        }
        return switch (method) {
            case "GET" -> name.isEmpty() ? (location.equals("aggregated") ? "aggregatedList" : "list") : "get";
            case "DELETE" -> "delete";
            case "PATCH" -> "patch";
            default -> "insert";
        };
    }

    private static String resource(String location, String collection) {
        String kind = location.replaceFirst("/.*", "");
        if (collection.equals("operations")) {
            return switch (kind) {
                case "zones" -> "zoneOperations";
                case "regions" -> "regionOperations";
                default -> "globalOperations";
            };
        }
        boolean regional = kind.equals("regions") && !collection.equals("resourcePolicies");
        return regional ? "region" + Character.toUpperCase(collection.charAt(0)) + collection.substring(1) : collection;
    }

    CallKind kind() {
        return switch (verb) {
            case "insert" -> CallKind.CREATE;
            case "list", "aggregatedList" -> CallKind.LIST;
            case "get", "testIamPermissions", "wait" -> CallKind.READ;
            default -> CallKind.CHANGE;
        };
    }

    /** From {@code projects} on, as links end. */
    String path() {
        String collectionPath = "projects/%s/%s/%s".formatted(project, location, collection);
        return name.isEmpty() ? collectionPath : collectionPath + "/" + name;
    }

    /** A text of the body, or nothing. */
    String text(String field) {
        return body.path(field).asText("");
    }
}
