package io.tidemark.provider.fakecloud.aws;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.PublishedModels;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A service as its vendor publishes it: botocore's {@code service-2.json}.
 */
public final class ServiceModel {
    private static final String EC2 = "aws/ec2-ebs-subset.service-2.json";
    private static final String EBS = "aws/ebs/service-2.json";

    final Map<String, Operation> operations = new HashMap<>();
    private final Map<String, Shape> shapes = new HashMap<>();

    /**
     * @param name of the operation
     * @param requestUri template of rest services
     * @param status of a success
     * @param input shape of the request, or the empty text
     * @param output shape of the answer, or the empty text
     * @param errors shapes that the operation may answer in place of its output
     */
    record Operation(String name, String requestUri, int status, String input, String output, Set<String> errors) {}

    /** One member of a structure, or the members of a list. */
    record Member(
            String name,
            String shape,
            @Nullable String locationName,
            @Nullable String queryName,
            String location) {}

    /** A shape; what its type does not have is empty or absent. */
    record Shape(
            String name,
            String type,
            Map<String, Member> members,
            @Nullable Member element,
            Set<String> required,
            Set<String> enumeration,
            @Nullable Double minimum,
            @Nullable Double maximum,
            @Nullable Pattern pattern,
            @Nullable String payload,
            int errorStatus) {}

    private ServiceModel(JsonNode root) {
        root.path("operations")
                .properties()
                .forEach(entry -> operations.put(entry.getKey(), operation(entry.getValue())));
        root.path("shapes")
                .properties()
                .forEach(entry -> shapes.put(entry.getKey(), shape(entry.getKey(), entry.getValue())));
    }

    /** Whether both models are at hand. */
    public static boolean available() {
        return PublishedModels.available(EC2, EBS);
    }

    /** The model of EC2's snapshots and volumes; only where {@link #available}. */
    static ServiceModel ec2() {
        return new ServiceModel(PublishedModels.read(EC2));
    }

    /** The model of EBS direct; only where {@link #available}. */
    static ServiceModel ebs() {
        return new ServiceModel(PublishedModels.read(EBS));
    }

    Shape shape(String name) {
        Shape shape = shapes.get(name);
        if (shape == null) {
            throw new IllegalStateException("the model has no shape " + name);
        }
        return shape;
    }

    @Nullable
    Shape errorShape(String name) {
        Shape shape = shapes.get(name);
        return shape == null || shape.errorStatus() == 0 ? null : shape;
    }

    private static Operation operation(JsonNode node) {
        var errors = new LinkedHashSet<String>();
        node.path("errors").forEach(error -> errors.add(error.path("shape").asText()));
        return new Operation(
                node.path("name").asText(),
                node.path("http").path("requestUri").asText(),
                node.path("http").path("responseCode").asInt(200),
                node.path("input").path("shape").asText(""),
                node.path("output").path("shape").asText(""),
                errors);
    }

    private static Shape shape(String name, JsonNode node) {
        var members = new LinkedHashMap<String, Member>();
        node.path("members")
                .properties()
                .forEach(entry -> members.put(entry.getKey(), member(entry.getKey(), entry.getValue())));
        var required = new LinkedHashSet<String>();
        node.path("required").forEach(member -> required.add(member.asText()));
        var enumeration = new LinkedHashSet<String>();
        node.path("enum").forEach(value -> enumeration.add(value.asText()));
        return new Shape(
                name,
                node.path("type").asText(),
                members,
                node.has("member") ? member("member", node.get("member")) : null,
                required,
                enumeration,
                node.has("min") ? node.get("min").doubleValue() : null,
                node.has("max") ? node.get("max").doubleValue() : null,
                node.has("pattern") ? Pattern.compile(node.get("pattern").asText()) : null,
                text(node, "payload"),
                node.path("error").path("httpStatusCode").asInt(0));
    }

    private static Member member(String name, JsonNode node) {
        return new Member(
                name,
                node.path("shape").asText(),
                text(node, "locationName"),
                text(node, "queryName"),
                node.path("location").asText(""));
    }

    private static @Nullable String text(JsonNode node, String field) {
        return node.has(field) ? node.get(field).asText() : null;
    }
}
