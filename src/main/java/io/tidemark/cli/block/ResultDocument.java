package io.tidemark.cli.block;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The one JSON object a command prints last. Written by hand: loading a JSON library would double the start time. */
final class ResultDocument {
    private final Map<String, String> fields = new LinkedHashMap<>();

    ResultDocument put(String name, String text) {
        fields.put(name, quoted(text));
        return this;
    }

    ResultDocument put(String name, long number) {
        fields.put(name, Long.toString(number));
        return this;
    }

    ResultDocument put(String name, boolean value) {
        fields.put(name, Boolean.toString(value));
        return this;
    }

    ResultDocument putSeconds(String name, double seconds) {
        fields.put(name, String.format(Locale.ROOT, "%.3f", seconds));
        return this;
    }

    ResultDocument put(String name, List<ResultDocument> documents) {
        fields.put(
                name, documents.stream().map(ResultDocument::toString).toList().toString());
        return this;
    }

    ResultDocument put(String name, ResultDocument document) {
        fields.put(name, document.toString());
        return this;
    }

    @Override
    public String toString() {
        var text = new StringBuilder("{");
        fields.forEach((name, value) -> text.append(text.length() > 1 ? "," : "")
                .append(quoted(name))
                .append(':')
                .append(value));
        return text.append('}').toString();
    }

    private static String quoted(String text) {
        var quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append("\\u%04x".formatted((int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
