package io.tidemark.http;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which operation a request is for, known before its token and body are looked at: paths and methods that do not exist
 * are refused first, and with the methods that do.
 */
final class RouteIndex {
    private static final Set<String> METHODS = Set.of("get", "put", "post", "delete");
    private final List<PathTemplate> templates = new ArrayList<>();

    /**
     * @param open whether it answers without a token
     * @param queryNames parameters it knows
     * @param takesBody whether it may carry a body
     * @param offers media types of its answers, problems apart
     */
    record Route(String operationId, boolean open, Set<String> queryNames, boolean takesBody, Set<String> offers) {}

    private record PathTemplate(List<String> segments, Map<String, Route> byMethod) {
        boolean matches(List<String> path) {
            if (path.size() != segments.size()) {
                return false;
            }
            for (int index = 0; index < path.size(); index++) {
                boolean parameter = segments.get(index).startsWith("{");
                if (parameter ? path.get(index).isEmpty() : !segments.get(index).equals(path.get(index))) {
                    return false;
                }
            }
            return true;
        }
    }

    RouteIndex(JsonObject contract, boolean metricsOpen) {
        var paths = contract.getJsonObject("paths");
        for (var path : paths.fieldNames()) {
            var item = paths.getJsonObject(path);
            var byMethod = new TreeMap<String, Route>();
            for (var method : item.fieldNames()) {
                if (METHODS.contains(method)) {
                    var route = route(contract, item, item.getJsonObject(method), metricsOpen);
                    byMethod.put(method.toUpperCase(Locale.ROOT), route);
                }
            }
            templates.add(new PathTemplate(segments(path), byMethod));
        }
    }

    private static Route route(JsonObject contract, JsonObject path, JsonObject operation, boolean metricsOpen) {
        var names = new HashSet<String>();
        for (var holder : List.of(path, operation)) {
            for (var parameter : holder.getJsonArray("parameters", new JsonArray())) {
                var resolved = resolved(contract, (JsonObject) parameter);
                if (resolved.getString("in").equals("query")) {
                    names.add(resolved.getString("name"));
                }
            }
        }
        var offers = new HashSet<String>();
        var responses = operation.getJsonObject("responses");
        for (var status : responses.fieldNames()) {
            if (status.startsWith("2")) {
                offers.addAll(resolved(contract, responses.getJsonObject(status))
                        .getJsonObject("content", new JsonObject())
                        .fieldNames());
            }
        }
        String operationId = operation.getString("operationId");
        var security = operation.getJsonArray("security");
        boolean open = (security != null && security.isEmpty()) || (metricsOpen && operationId.equals("getMetrics"));
        return new Route(
                operationId, open, Set.copyOf(names), operation.containsKey("requestBody"), Set.copyOf(offers));
    }

    private static JsonObject resolved(JsonObject contract, JsonObject node) {
        String reference = node.getString("$ref");
        return reference == null ? node : SchemaErrors.referenced(contract, reference);
    }

    private static List<String> segments(String path) {
        return List.of(path.split("/", -1));
    }

    /**
     * @param path not decoded
     * @throws ProblemException no such path, or not this method
     */
    Route find(String method, String path) throws ProblemException {
        var segments = segments(path);
        Optional<PathTemplate> found = templates.stream()
                .filter(template -> template.matches(segments))
                .findFirst();
        if (found.isEmpty()) {
            throw new ProblemException(Problems.noSuchPath(path));
        }
        var byMethod = found.orElseThrow().byMethod();
        var route = byMethod.get(method);
        if (route == null) {
            throw new ProblemException(Problems.methodNotAllowed(
                    method, path, byMethod.keySet().stream().collect(Collectors.joining(", "))));
        }
        return route;
    }

    /** Ids of all operations. */
    Set<String> operationIds() {
        return templates.stream()
                .flatMap(template -> template.byMethod().values().stream())
                .map(Route::operationId)
                .collect(Collectors.toUnmodifiableSet());
    }
}
