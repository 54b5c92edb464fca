package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.PublishedModels;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Google's discovery document of Compute Engine, cut to disks and what belongs to them (../shared/cloud-models/gce):
 * which methods there are, with which parameters, and what a request's and an answer's JSON may hold.
 *
 * <p>Immutable; safe for several threads.
 */
public final class DiscoveryModel {
    private static final String V1 = "gce/compute.v1.disks-subset.discovery.json";
    private static final String BETA = "gce/compute.beta.disks-subset.discovery.json";
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\+?([A-Za-z]+)}");

    private final JsonNode schemas;
    private final JsonNode everywhere;
    /** By what is the same for all requests of a method: HTTP's method and how many slashes the path has. */
    private final Map<String, List<Method>> byShape = new HashMap<>();

    private final Map<String, Method> byId = new HashMap<>();

    /** How much a finding weighs: the real service bears what is only a warning. */
    public enum Severity {
        ERROR,
        WARNING
    }

    /** One thing in a request or an answer that the document does not allow. */
    public record Finding(Severity severity, String text) {}

    /**
     * A method of the document.
     *
     * @param id without the service's name: {@code snapshots.insert}
     * @param request the schema of the body; null: it has none
     */
    record Method(
            String id,
            String httpMethod,
            Pattern path,
            List<String> names,
            JsonNode parameters,
            @Nullable String request,
            @Nullable String response) {}

    /** A request's method, and what stands in its path. */
    record Match(Method method, Map<String, String> path) {}

    private DiscoveryModel(JsonNode document) {
        schemas = document.path("schemas");
        everywhere = document.path("parameters");
        String base = "/" + document.path("servicePath").asText();
        for (JsonNode resource : document.path("resources")) {
            for (JsonNode each : resource.path("methods")) {
                var method = method(base, each);
                String shape =
                        shape(method.httpMethod(), base + each.path("path").asText());
                byShape.computeIfAbsent(shape, key -> new ArrayList<>()).add(method);
                byId.put(method.id(), method);
            }
        }
    }

    public static boolean available() {
        return PublishedModels.available(V1);
    }

    /** The document of version 1. */
    public static DiscoveryModel v1() {
        return new DiscoveryModel(PublishedModels.read(V1));
    }

    /** The document of the beta version, which some recordings are of. */
    public static DiscoveryModel beta() {
        return new DiscoveryModel(PublishedModels.read(BETA));
    }

    private static Method method(String base, JsonNode told) {
        var names = new ArrayList<String>();
        var pattern = new StringBuilder(Pattern.quote(base));
        String path = told.path("path").asText();
        Matcher matcher = PLACEHOLDER.matcher(path);
        int end = 0;
        while (matcher.find()) {
            pattern.append(Pattern.quote(path.substring(end, matcher.start()))).append("([^/]+)");
            names.add(matcher.group(1));
            end = matcher.end();
        }
        pattern.append(Pattern.quote(path.substring(end)));
        return new Method(
                told.path("id").asText().replaceFirst("^compute\\.", ""),
                told.path("httpMethod").asText(),
                Pattern.compile(pattern.toString()),
                names,
                told.path("parameters"),
                told.path("request").path("$ref").textValue(),
                told.path("response").path("$ref").textValue());
    }

    private static String shape(String httpMethod, String path) {
        return httpMethod + path.chars().filter(each -> each == '/').count();
    }

    /** What method a request is of; empty where the document has none such. */
    Optional<Match> match(String httpMethod, String path) {
        for (var method : byShape.getOrDefault(shape(httpMethod, path), List.of())) {
            Matcher matcher = method.path().matcher(path);
            if (matcher.matches()) {
                var found = new HashMap<String, String>();
                for (int index = 0; index < method.names().size(); index++) {
                    found.put(method.names().get(index), matcher.group(index + 1));
                }
                return Optional.of(new Match(method, found));
            }
        }
        return Optional.empty();
    }

    /** @throws IllegalArgumentException if there is none of that name */
    Method method(String id) {
        Method method = byId.get(id);
        if (method == null) {
            throw new IllegalArgumentException("the document has no method " + id);
        }
        return method;
    }

    JsonNode schema(String name) {
        return schemas.path(name);
    }

    /** Of a method or, as {@code alt} and {@code fields}, of all. */
    Optional<JsonNode> parameter(Method method, String name) {
        JsonNode own = method.parameters().path(name);
        JsonNode found = own.isMissingNode() ? everywhere.path(name) : own;
        return found.isMissingNode() ? Optional.empty() : Optional.of(found);
    }
}
