package io.tidemark.cli;

import io.tidemark.client.Json;
import java.io.PrintWriter;
import java.util.Locale;

/** One document, a line a field. Shows every field there is, so that a newer site's fields are seen too. */
final class Sheet {
    private static final String INDENT = "  ";
    private static final int LABEL_WIDTH = 24;

    private Sheet() {}

    static void print(PrintWriter out, Json document) {
        print(out, document, "");
    }

    private static void print(PrintWriter out, Json document, String indent) {
        for (var field : document.fields().entrySet()) {
            var value = field.getValue();
            if (!value.missing()) {
                printField(out, label(field.getKey()), field.getKey(), value, indent);
            }
        }
    }

    /** Settings are shown by the names that are written: nobody finds {@code passwordFile} by {@code password file}. */
    private static void printSettings(PrintWriter out, Json settings, String indent) {
        settings.fields().forEach((name, value) -> printField(out, name, name, value, indent));
    }

    private static void printField(PrintWriter out, String shown, String name, Json value, String indent) {
        String label = indent + shown + ":";
        if (value.isObject() && name.equals("settings")) {
            if (!value.fields().isEmpty()) {
                out.println(label);
                printSettings(out, value, indent + INDENT);
            }
        } else if (value.isObject()) {
            if (!value.fields().isEmpty()) {
                out.println(label);
                print(out, value, indent + INDENT);
            }
        } else if (value.items().stream().anyMatch(Json::isObject)) {
            out.println(label);
            for (var item : value.items()) {
                out.println(indent + INDENT + "-");
                print(out, item, indent + INDENT + INDENT);
            }
        } else if (value.items().stream().anyMatch(item -> item.text().contains(" "))) {
            out.println(label);
            value.items().forEach(item -> out.println(indent + INDENT + "- " + item.text()));
        } else if (value.text().contains("\n")) {
            out.println(label);
            value.text().lines().forEach(line -> out.println(indent + INDENT + line));
        } else {
            String padding = " ".repeat(Math.max(1, LABEL_WIDTH - label.length()));
            out.println((label + padding + text(name, value)).stripTrailing());
        }
    }

    private static String text(String name, Json value) {
        if (value.raw() instanceof Iterable<?>) {
            return value.items().isEmpty()
                    ? "none"
                    : String.join(", ", value.items().stream().map(Json::text).toList());
        }
        if (value.isNumber() && name.endsWith("Bytes")) {
            return value.number() < 1024
                    ? value.number() + " B"
                    : "%s (%d)".formatted(Units.size(value.number()), value.number());
        }
        if (value.isNumber() && name.endsWith("Millis")) {
            return Units.millis(value.decimal());
        }
        return value.text();
    }

    /** {@code freezeWindowMillis} reads {@code freeze window}: the value carries the unit. */
    private static String label(String name) {
        String bare = name.replaceFirst("(?<=.)(Bytes|Millis)$", "");
        return bare.matches("[a-z]+([A-Z][a-z]*)+")
                ? bare.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT)
                : bare;
    }
}
