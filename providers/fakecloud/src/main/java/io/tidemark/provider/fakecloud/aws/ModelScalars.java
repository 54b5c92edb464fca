package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.aws.ServiceModel.Shape;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.List;

/** Values that are one text on the wire: their types, enumerations, bounds, patterns. */
final class ModelScalars {
    private ModelScalars() {}

    /** Adds a finding for whatever is wrong with a value; times are written as ISO 8601. */
    static void check(Shape shape, String where, String value, List<String> findings) {
        switch (shape.type()) {
            case "boolean" -> {
                if (!value.equals("true") && !value.equals("false")) {
                    findings.add("%s is no boolean: %s".formatted(where, value));
                }
            }
            case "integer", "long" -> checkInteger(shape, where, value, findings);
            case "timestamp" -> checkTime(where, value, findings);
            case "string" -> checkText(shape, where, value, findings);
            case "structure", "list" ->
                findings.add("%s is one value, %s is a %s".formatted(where, shape.name(), shape.type()));
            default -> findings.add("%s has a type that is not known here: %s".formatted(where, shape.type()));
        }
    }

    static void checkInteger(Shape shape, String where, String value, List<String> findings) {
        try {
            long number = shape.type().equals("long") ? Long.parseLong(value) : Integer.parseInt(value);
            checkBounds(shape, where, (double) number, findings);
        } catch (NumberFormatException e) {
            findings.add("%s is no %s: %s".formatted(where, shape.type(), value));
        }
    }

    /** Bounds of the value of a number, of the length of a text, of the size of a list. */
    static void checkBounds(Shape shape, String where, double measure, List<String> findings) {
        Double minimum = shape.minimum();
        Double maximum = shape.maximum();
        if ((minimum != null && measure < minimum) || (maximum != null && measure > maximum)) {
            findings.add("%s is %s, allowed %s to %s".formatted(where, measure, minimum, maximum));
        }
    }

    private static void checkText(Shape shape, String where, String value, List<String> findings) {
        if (!shape.enumeration().isEmpty() && !shape.enumeration().contains(value)) {
            findings.add("%s is none of %s: %s".formatted(where, shape.name(), value));
        }
        checkBounds(shape, where, value.length(), findings);
        if (shape.pattern() != null && !shape.pattern().matcher(value).find()) {
            findings.add("%s does not match %s: %s".formatted(where, shape.pattern(), value));
        }
    }

    private static void checkTime(String where, String value, List<String> findings) {
        try {
            OffsetDateTime.parse(value);
        } catch (DateTimeException e) {
            findings.add("%s is no time: %s".formatted(where, value));
        }
    }
}
