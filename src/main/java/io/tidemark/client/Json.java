package io.tidemark.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value as it came, without binding: a client must be able to show fields that it does not know. Built on the
 * streaming parser alone, because binding would double the time a command takes to start.
 */
public final class Json {
    /** Deeper documents are refused; the API's own are at most 6 deep. */
    private static final int DEPTH_MAXIMUM = 64;

    private static final JsonFactory FACTORY = new JsonFactory();
    private static final Json MISSING = new Json(null);

    /** {@link Map}, {@link List}, {@link String}, {@link Number}, {@link Boolean} or null. */
    private final @Nullable Object value;

    private Json(@Nullable Object value) {
        this.value = value;
    }

    /** Wraps maps, lists, texts, numbers and truth values; whatever else there is as its text. */
    public static Json of(@Nullable Object value) {
        return value == null ? MISSING : new Json(value);
    }

    /** @throws IOException when the text is not one JSON value */
    public static Json parse(String text) throws IOException {
        try (var parser = FACTORY.createParser(text)) {
            var json = read(parser);
            if (parser.nextToken() != null) {
                throw new IOException("more than one JSON value");
            }
            return json;
        }
    }

    /** Reads one value; the parser may be for another notation, for example YAML. */
    public static Json read(JsonParser parser) throws IOException {
        if (parser.nextToken() == null) {
            return MISSING;
        }
        return of(readValue(parser, 0));
    }

    private static @Nullable Object readValue(JsonParser parser, int depth) throws IOException {
        if (depth > DEPTH_MAXIMUM) {
            throw new IOException("nested deeper than " + DEPTH_MAXIMUM);
        }
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> fields = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    if (fields.containsKey(name)) {
                        throw new IOException("field %s is there twice".formatted(name));
                    }
                    fields.put(name, readValue(parser, depth + 1));
                }
                yield fields;
            }
            case START_ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(readValue(parser, depth + 1));
                }
                yield items;
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            case null, default -> parser.getText();
        };
    }

    /** The value at a path of field names, or a missing one. */
    public Json at(String... path) {
        @Nullable Object here = value;
        for (var name : path) {
            here = here instanceof Map<?, ?> fields ? fields.get(name) : null;
        }
        return of(here);
    }

    /** Not there, or null. */
    public boolean missing() {
        return value == null;
    }

    public boolean isObject() {
        return value instanceof Map;
    }

    /** Scalars as text, objects and lists as compact JSON; empty when missing. */
    public String text() {
        return switch (value) {
            case null -> "";
            case Map<?, ?> fields -> compact();
            case List<?> items -> compact();
            default -> value.toString();
        };
    }

    public Optional<String> optional() {
        return missing() ? Optional.empty() : Optional.of(text());
    }

    /** @return 0 when it is not a number */
    public long number() {
        return value instanceof Number number ? number.longValue() : 0;
    }

    /** @return 0 when it is not a number */
    public double decimal() {
        return value instanceof Number number ? number.doubleValue() : 0;
    }

    public boolean isNumber() {
        return value instanceof Number;
    }

    public boolean truth() {
        return Boolean.TRUE.equals(value);
    }

    /** Empty when it is not a list. */
    public List<Json> items() {
        return value instanceof List<?> list ? list.stream().map(Json::of).toList() : List.of();
    }

    /** In order; empty when it is not an object. */
    public Map<String, Json> fields() {
        Map<String, Json> fields = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, field) -> fields.put(String.valueOf(name), of(field)));
        }
        return fields;
    }

    public @Nullable Object raw() {
        return value;
    }

    public String compact() {
        return write(false);
    }

    public String pretty() {
        return write(true);
    }

    private String write(boolean indented) {
        var text = new StringWriter();
        try (var generator = FACTORY.createGenerator(text)) {
            if (indented) {
                generator.setPrettyPrinter(new DefaultPrettyPrinter());
            }
            writeValue(generator, value);
        } catch (IOException e) {
            throw new AssertionError("a StringWriter does not fail", e);
        }
        return text.toString();
    }

    private static void writeValue(JsonGenerator generator, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> generator.writeNull();
            case Map<?, ?> fields -> {
                generator.writeStartObject();
                for (var field : fields.entrySet()) {
                    generator.writeFieldName(String.valueOf(field.getKey()));
                    writeValue(generator, field.getValue());
                }
                generator.writeEndObject();
            }
            case List<?> items -> {
                generator.writeStartArray();
                for (var item : items) {
                    writeValue(generator, item);
                }
                generator.writeEndArray();
            }
            case Json json -> writeValue(generator, json.value);
            case Boolean truth -> generator.writeBoolean(truth);
            case Integer number -> generator.writeNumber(number);
            case Long number -> generator.writeNumber(number);
            case Double number -> generator.writeNumber(number);
            case Number number -> generator.writeNumber(number.toString());
            default -> generator.writeString(value.toString());
        }
    }

    @Override
    public String toString() {
        return compact();
    }
}
