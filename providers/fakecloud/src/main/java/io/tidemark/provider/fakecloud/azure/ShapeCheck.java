package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.azure.Specification.Part;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A value held against a schema: that of Swagger 2.0, which must know every property, or JSON schema as templates of
 * ARM have it, which does not mind more. What an extensible enumeration holds is only looked at by the latter.
 */
final class ShapeCheck {
    /** Which rules hold. */
    enum Rules {
        REQUEST,
        ANSWER,
        TEMPLATE
    }

    private static final Map<String, Pattern> PATTERNS = new ConcurrentHashMap<>();
    private static final String ALL_OF = "allOf";

    private final Specification specification;
    private final Rules rules;
    private final List<String> findings;

    ShapeCheck(Specification specification, Rules rules, List<String> findings) {
        this.specification = specification;
        this.rules = rules;
        this.findings = findings;
    }

    void check(Part schema, JsonNode value, String at) {
        var shape = specification.resolved(schema);
        var node = shape.node();
        if (value.isNull()) {
            if (!node.path("x-nullable").asBoolean() && rules != Rules.TEMPLATE) {
                findings.add(at + " is null");
            }
            return;
        }
        if (node.has("oneOf")) {
            oneOf(shape, value, at);
        }
        if (rules == Rules.TEMPLATE && node.has(ALL_OF)) {
            node.get(ALL_OF).forEach(each -> check(shape.child(each), value, at));
        }
        switch (node.path("type").asText(node.has("properties") || node.has(ALL_OF) ? "object" : "")) {
            case "object" -> object(shape, value, at);
            case "array" -> array(shape, value, at);
            case "string" -> string(node, value, at);
            case "integer", "number" -> number(node, value, at);
            case "boolean" -> found(!value.isBoolean(), at, "no boolean", value);
            default -> {}
        }
    }

    /** Exactly one, as the keyword says; what is wrong is told of the first, for the other is ARM's expression. */
    private void oneOf(Part shape, JsonNode value, String at) {
        int fitting = 0;
        List<String> ofFirst = List.of();
        for (var each : shape.node().get("oneOf")) {
            var inner = new ArrayList<String>();
            new ShapeCheck(specification, rules, inner).check(shape.child(each), value, at);
            fitting += inner.isEmpty() ? 1 : 0;
            ofFirst = ofFirst.isEmpty() ? inner : ofFirst;
        }
        if (fitting == 0) {
            findings.addAll(ofFirst);
        }
        found(fitting > 1, at, fitting + " of its forms fit", value);
    }

    private void object(Part shape, JsonNode value, String at) {
        if (!value.isObject()) {
            found(true, at, "no object", value);
            return;
        }
        var known = new LinkedHashMap<String, Part>();
        var others = collect(shape, known, value, at);
        for (var each : value.properties()) {
            var property = known.get(each.getKey());
            var inner = at + "/" + each.getKey();
            if (property != null) {
                found(rules == Rules.REQUEST && isReadOnly(property), inner, "only read, and is sent", each.getValue());
                check(property, each.getValue(), inner);
            } else if (others != null && others.node().isObject()) {
                check(others, each.getValue(), inner);
            } else if (others == null
                    ? rules != Rules.TEMPLATE && !known.isEmpty()
                    : !others.node().asBoolean()) {
                findings.add(inner + " is unknown");
            }
        }
    }

    /** All properties, those too that come by allOf; answers what others may be like. */
    private @Nullable Part collect(Part shape, Map<String, Part> known, JsonNode value, String at) {
        Part others = null;
        var node = shape.node();
        if (rules != Rules.TEMPLATE) {
            for (var each : node.path(ALL_OF)) {
                var more = collect(specification.resolved(shape.child(each)), known, value, at);
                others = more == null ? others : more;
            }
        }
        for (var each : node.path("properties").properties()) {
            known.put(each.getKey(), shape.child(each.getValue()));
        }
        for (var each : node.path("required")) {
            var property = known.get(each.asText());
            boolean notOurs = rules == Rules.REQUEST && property != null && isReadOnly(property);
            found(!value.has(each.asText()) && !notOurs, at + "/" + each.asText(), "missing", value);
        }
        return node.has("additionalProperties") ? shape.child(node.get("additionalProperties")) : others;
    }

    private boolean isReadOnly(Part property) {
        return property.node().path("readOnly").asBoolean()
                || specification.resolved(property).node().path("readOnly").asBoolean();
    }

    private void array(Part shape, JsonNode value, String at) {
        if (!value.isArray()) {
            found(true, at, "no array", value);
            return;
        }
        int index = 0;
        for (var each : value) {
            if (shape.node().has("items")) {
                check(shape.child(shape.node().get("items")), each, at + "/" + index++);
            }
        }
    }

    private void string(JsonNode node, JsonNode value, String at) {
        if (!value.isTextual()) {
            found(true, at, "no text", value);
            return;
        }
        var text = value.asText();
        if (node.has("enum") && !node.path("x-ms-enum").path("modelAsString").asBoolean()) {
            boolean isListed = false;
            for (var each : node.get("enum")) {
                isListed |= each.asText().equals(text);
            }
            found(!isListed, at, "none of " + node.get("enum"), value);
        }
        if (node.has("pattern")) {
            var pattern = PATTERNS.computeIfAbsent(node.get("pattern").asText(), Pattern::compile);
            found(!pattern.matcher(text).find(), at, "not of the form " + pattern, value);
        }
        found(text.length() < node.path("minLength").asInt(0), at, "too short", value);
        found(text.length() > node.path("maxLength").asInt(Integer.MAX_VALUE), at, "too long", value);
        found(node.path("format").asText().equals("date-time") && !isTime(text), at, "no time", value);
    }

    private static boolean isTime(String text) {
        try {
            return OffsetDateTime.parse(text).getYear() > 0;
        } catch (DateTimeException e) {
            return false;
        }
    }

    private void number(JsonNode node, JsonNode value, String at) {
        boolean isWhole = node.path("type").asText().equals("integer");
        if (isWhole ? !value.isIntegralNumber() : !value.isNumber()) {
            found(true, at, isWhole ? "no whole number" : "no number", value);
            return;
        }
        var number = value.decimalValue();
        found(
                node.has("minimum") && number.compareTo(node.get("minimum").decimalValue()) < 0,
                at,
                "below " + node.path("minimum"),
                value);
        found(
                node.has("maximum") && number.compareTo(node.get("maximum").decimalValue()) > 0,
                at,
                "above " + node.path("maximum"),
                value);
        found(
                node.path("format").asText().equals("int32")
                        && number.abs().compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) > 0,
                at,
                "over 32 bits",
                value);
    }

    private void found(boolean isWrong, String at, String what, JsonNode value) {
        if (isWrong) {
            findings.add("%s: %s: %s".formatted(at, what, value));
        }
    }
}
