package io.tidemark.http;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.OutputUnit;
import io.vertx.openapi.validation.SchemaValidationException;
import io.vertx.openapi.validation.ValidatorException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the OpenAPI validator found, as a problem that names field, value and limit. The validator answers texts and
 * JSON pointers; this is where they are understood, and nowhere else.
 */
final class SchemaErrors {
    private static final Pattern PARAMETER = Pattern.compile("(path|query|header|cookie) parameter ([A-Za-z-]+)");
    private static final Pattern MISSING = Pattern.compile("required property \"([^\"]+)\"");
    /** Keywords that only say that something inside is wrong. */
    private static final Set<String> WRAPPERS =
            Set.of("properties", "$ref", "allOf", "items", "additionalProperties", "propertyNames");

    private static final int LISTED_NAMES_MAXIMUM = 20;

    private final JsonObject contract;

    /** @param contract the raw OpenAPI file */
    SchemaErrors(JsonObject contract) {
        this.contract = contract;
    }

    /**
     * @param operation the operation's part of the file
     * @param values gives what was sent: by JSON pointer for the body, by name for parameters
     */
    Problem problem(ValidatorException failure, JsonObject operation, JsonObject path, Sent values) {
        String message = Optional.ofNullable(failure.getMessage()).orElse("");
        var parameter = PARAMETER.matcher(message);
        if (parameter.find()) {
            return parameterProblem(failure, operation, path, parameter.group(2), values);
        }
        if (failure instanceof SchemaValidationException schema && schema.getOutputUnit() != null) {
            var bodySchema = bodySchema(operation);
            return worst(schema.getOutputUnit())
                    .map(error -> bodyProblem(error, bodySchema, values))
                    .orElseGet(() ->
                            Problems.invalid("body", "", "does not match its schema", "the OpenAPI file describes it"));
        }
        return Problems.invalid("body", "", "is missing", "a JSON object as the OpenAPI file describes it");
    }

    /** What was sent. */
    interface Sent {
        String parameter(String name);

        String inBody(String pointer);
    }

    private Problem parameterProblem(
            ValidatorException failure, JsonObject operation, JsonObject path, String name, Sent values) {
        var schema = parameterSchema(operation, path, name);
        String allowed = "a right value";
        String reason = "is not a right value";
        var worst = failure instanceof SchemaValidationException detailed && detailed.getOutputUnit() != null
                ? worst(detailed.getOutputUnit())
                : Optional.<OutputUnit>empty();
        if (worst.isPresent() && schema != null) {
            allowed = allowed(schema, worst.orElseThrow().getKeywordLocation());
            reason = phrase(worst.orElseThrow().getError());
        } else if (schema != null) {
            allowed = limits(expanded(schema));
        }
        return Problems.invalid(name, values.parameter(name), reason, allowed);
    }

    private Problem bodyProblem(OutputUnit error, @Nullable JsonObject schema, Sent values) {
        String pointer = error.getInstanceLocation();
        String keyword = lastSegment(error.getKeywordLocation());
        String field = field(pointer);
        var missing = MISSING.matcher(error.getError());
        if (keyword.equals("required") && missing.find()) {
            String name = field.equals("body") ? missing.group(1) : field + "." + missing.group(1);
            return Problems.invalid(name, "", "is missing", "a value of that name");
        }
        if (keyword.equals("additionalProperties") && schema != null) {
            return Problems.invalid(
                    field, values.inBody(pointer), "is not known", names(schema, error.getKeywordLocation()));
        }
        String allowed = schema == null ? "the OpenAPI file describes it" : allowed(schema, error.getKeywordLocation());
        return Problems.invalid(field, values.inBody(pointer), phrase(error.getError()), allowed);
    }

    /** The innermost error that is not a mere consequence of another. */
    private static Optional<OutputUnit> worst(OutputUnit unit) {
        var errors = new ArrayList<OutputUnit>();
        collect(unit, errors);
        var causes = errors.stream()
                .filter(error -> !WRAPPERS.contains(lastSegment(error.getKeywordLocation())))
                .toList();
        List<OutputUnit> wanted = causes.isEmpty() ? errors : causes;
        if (causes.isEmpty()) {
            wanted = errors.stream()
                    .filter(error -> lastSegment(error.getKeywordLocation()).equals("additionalProperties"))
                    .toList();
        }
        return wanted.stream()
                .max(Comparator.comparingInt(error -> error.getKeywordLocation().length()))
                .or(() -> errors.stream().findFirst());
    }

    private static void collect(OutputUnit unit, List<OutputUnit> into) {
        if (unit.getKeywordLocation() != null && unit.getError() != null && unit.getInstanceLocation() != null) {
            into.add(unit);
        }
        if (unit.getErrors() != null) {
            unit.getErrors().forEach(inner -> collect(inner, into));
        }
    }

    private static String lastSegment(String pointer) {
        return pointer.substring(pointer.lastIndexOf('/') + 1);
    }

    /** {@code #/quiescers/0/kind} as {@code quiescers[0].kind}. */
    private static String field(String pointer) {
        var name = new StringBuilder();
        for (var segment : pointer.split("/", -1)) {
            if (segment.equals("#") || segment.isEmpty()) {
                continue;
            }
            if (segment.chars().allMatch(Character::isDigit)) {
                name.append('[').append(segment).append(']');
            } else {
                name.append(name.isEmpty() ? "" : ".").append(segment);
            }
        }
        return name.isEmpty() ? "body" : name.toString();
    }

    private static String phrase(String error) {
        return "is not right: " + Character.toLowerCase(error.charAt(0)) + error.substring(1);
    }

    private String allowed(JsonObject schema, String keywordLocation) {
        return limits(expanded(at(schema, keywordLocation, 1)));
    }

    private String names(JsonObject schema, String keywordLocation) {
        var properties = at(schema, keywordLocation, 1).getJsonObject("properties", new JsonObject());
        return "one of "
                + properties.fieldNames().stream()
                        .sorted()
                        .limit(LISTED_NAMES_MAXIMUM)
                        .toList();
    }

    /** The schema that holds the keyword: follows the location, less its last segments, through references. */
    private JsonObject at(JsonObject schema, String keywordLocation, int lessSegments) {
        var segments = keywordLocation.split("/", -1);
        Object node = schema;
        for (int index = 1; index < segments.length - lessSegments; index++) {
            var segment = segments[index];
            if (node instanceof JsonObject object) {
                node = segment.equals("$ref")
                        ? referenced(contract, object.getString("$ref", ""))
                        : object.getValue(segment);
            } else if (node instanceof JsonArray array) {
                node = array.getValue(Integer.parseInt(segment));
            }
        }
        return node instanceof JsonObject found ? found : new JsonObject();
    }

    private JsonObject expanded(JsonObject schema) {
        var reference = schema.getString("$ref");
        return reference == null ? schema : referenced(contract, reference);
    }

    private static String limits(JsonObject schema) {
        var parts = new ArrayList<String>();
        add(parts, schema, "type", "%s");
        add(parts, schema, "enum", "one of %s");
        add(parts, schema, "minimum", "at least %s");
        add(parts, schema, "maximum", "at most %s");
        add(parts, schema, "multipleOf", "a multiple of %s");
        add(parts, schema, "minLength", "at least %s characters");
        add(parts, schema, "maxLength", "at most %s characters");
        add(parts, schema, "minItems", "at least %s items");
        add(parts, schema, "maxItems", "at most %s items");
        add(parts, schema, "uniqueItems", "each once");
        add(parts, schema, "maxProperties", "at most %s names");
        add(parts, schema, "pattern", "of the form %s");
        return parts.isEmpty() ? "the OpenAPI file describes it" : String.join(", ", parts);
    }

    private static void add(List<String> parts, JsonObject schema, String keyword, String phrase) {
        var limit = schema.getValue(keyword);
        if (limit != null) {
            parts.add(phrase.formatted(limit instanceof JsonArray list ? list.getList() : limit));
        }
    }

    private @Nullable JsonObject bodySchema(JsonObject operation) {
        var body = operation.getJsonObject("requestBody");
        return body == null
                ? null
                : expanded(body.getJsonObject("content")
                        .getJsonObject("application/json")
                        .getJsonObject("schema"));
    }

    private @Nullable JsonObject parameterSchema(JsonObject operation, JsonObject path, String name) {
        for (var holder : List.of(operation, path)) {
            for (var parameter : holder.getJsonArray("parameters", new JsonArray())) {
                var resolved = expanded((JsonObject) parameter);
                if (name.equalsIgnoreCase(resolved.getString("name"))) {
                    return resolved.getJsonObject("schema");
                }
            }
        }
        return null;
    }

    /** What {@code #/components/...} names in the file. */
    static JsonObject referenced(JsonObject contract, String reference) {
        JsonObject node = contract;
        for (var segment : reference.split("/", -1)) {
            if (!segment.equals("#")) {
                node = node.getJsonObject(segment, new JsonObject());
            }
        }
        return node;
    }
}
