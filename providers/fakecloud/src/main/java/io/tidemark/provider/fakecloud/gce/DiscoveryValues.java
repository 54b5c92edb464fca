package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Finding;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Severity;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** Values of one body against their schemas. */
final class DiscoveryValues {
    private static final Map<String, Pattern> PATTERNS = new ConcurrentHashMap<>();
    private static final Map<String, Integer> BITS = Map.of("int32", 31, "uint32", 32, "int64", 63, "uint64", 64);
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,40}");

    private final DiscoveryModel model;
    private final String method;
    private final boolean isRequest;
    private final List<Finding> findings;

    DiscoveryValues(DiscoveryModel model, String method, boolean isRequest, List<Finding> findings) {
        this.model = model;
        this.method = method;
        this.isRequest = isRequest;
        this.findings = findings;
    }

    void object(String schemaName, String where, JsonNode value) {
        object(model.schema(schemaName), where, value);
    }

    private void object(JsonNode schema, String where, JsonNode value) {
        if (!value.isObject()) {
            wrong(where, "is no object");
            return;
        }
        JsonNode known = schema.path("properties");
        JsonNode others = schema.path("additionalProperties");
        value.properties().forEach(entry -> {
            String at = where.isEmpty() ? entry.getKey() : where + "." + entry.getKey();
            JsonNode property = known.path(entry.getKey());
            if (!property.isMissingNode()) {
                value(property, at, entry.getValue());
            } else if (!others.isMissingNode()) {
                value(others, at, entry.getValue());
            } else {
                wrong(at, "is unknown");
            }
        });
        if (isRequest) {
            required(known, where, value);
        }
    }

    private void required(JsonNode known, String where, JsonNode value) {
        known.properties().forEach(entry -> {
            for (JsonNode of : entry.getValue().path("annotations").path("required")) {
                if (of.asText().equals("compute." + method) && !value.has(entry.getKey())) {
                    wrong(where.isEmpty() ? entry.getKey() : where + "." + entry.getKey(), "is required");
                }
            }
        });
    }

    private void value(JsonNode schema, String where, JsonNode value) {
        if (isRequest && schema.path("readOnly").asBoolean()) {
            findings.add(new Finding(Severity.WARNING, where + " is output only"));
        }
        if (value.isNull()) {
            wrong(where, "is null");
            return;
        }
        String ref = schema.path("$ref").textValue();
        if (ref != null) {
            object(ref, where, value);
            return;
        }
        switch (schema.path("type").asText()) {
            case "object" -> object(schema, where, value);
            case "array" -> array(schema, where, value);
            case "string" -> {
                if (value.isTextual()) {
                    text(schema, where, value.textValue(), findings);
                } else {
                    wrong(where, "is no text: " + value);
                }
            }
            case "boolean" -> expect(value.isBoolean(), where, "is no truth value: " + value);
            case "integer" -> {
                if (value.isIntegralNumber()) {
                    text(schema, where, value.asText(), findings);
                } else {
                    wrong(where, "is no whole number: " + value);
                }
            }
            case "number" -> expect(value.isNumber(), where, "is no number: " + value);
            default -> expect(schema.path("type").asText().equals("any"), where, "has an unknown type");
        }
    }

    private void array(JsonNode schema, String where, JsonNode value) {
        if (!value.isArray()) {
            wrong(where, "is no list");
            return;
        }
        for (int index = 0; index < value.size(); index++) {
            value(schema.path("items"), where + "[" + index + "]", value.get(index));
        }
    }

    private void expect(boolean right, String where, String what) {
        if (!right) {
            wrong(where, what);
        }
    }

    private void wrong(String where, String what) {
        findings.add(DiscoveryCheck.error(where.isEmpty() ? "body" : where, what));
    }

    /** A value as text, of a body or of a parameter: enumeration, pattern, format. */
    static void text(JsonNode schema, String where, String value, List<Finding> findings) {
        JsonNode allowed = schema.path("enum");
        if (allowed.isArray()) {
            boolean found = false;
            for (JsonNode each : allowed) {
                found |= each.asText().equals(value);
            }
            if (!found) {
                findings.add(DiscoveryCheck.error(where, "is none of its values: " + value));
            }
        }
        String pattern = schema.path("pattern").textValue();
        if (pattern != null
                && !PATTERNS.computeIfAbsent(pattern, Pattern::compile)
                        .matcher(value)
                        .matches()) {
            findings.add(DiscoveryCheck.error(where, "is not of its form: " + value));
        }
        String type = schema.path("type").asText();
        if (type.equals("boolean") && !value.equals("true") && !value.equals("false")) {
            findings.add(DiscoveryCheck.error(where, "is no truth value: " + value));
        }
        String format = schema.path("format").asText();
        if (!isOfFormat(format, value)
                || (type.equals("integer") && !INTEGER.matcher(value).matches())) {
            findings.add(DiscoveryCheck.error(where, "is no %s: %s".formatted(format, value)));
        }
    }

    private static boolean isOfFormat(String format, String value) {
        return switch (format) {
            case "int32", "uint32", "int64", "uint64" -> isInteger(format, value);
            case "byte" -> isBase64(value);
            case "google-datetime", "date-time" -> isTime(value);
            default -> true;
        };
    }

    private static boolean isInteger(String format, String value) {
        if (!INTEGER.matcher(value).matches()) {
            return false;
        }
        var number = new BigInteger(value);
        boolean signOk = number.signum() >= 0 || !format.startsWith("u");
        return signOk && number.bitLength() <= BITS.getOrDefault(format, 0);
    }

    private static boolean isBase64(String value) {
        try {
            var unused = Base64.getDecoder().decode(value.replace('-', '+').replace('_', '/'));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isTime(String value) {
        try {
            var unused = OffsetDateTime.parse(value);
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }
}
