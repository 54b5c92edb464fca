package io.tidemark.control.document;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** JSON texts that Tidemark itself wrote, or that were checked against the API's schemas. */
public final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static String write(JsonNode document) {
        try {
            return MAPPER.writeValueAsString(document);
        } catch (JsonProcessingException impossible) {
            throw new AssertionError("a tree always has a text", impossible);
        }
    }

    /** @throws IllegalArgumentException when it is not an object */
    public static ObjectNode object(String text) {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode object) {
                return object;
            }
            throw new IllegalArgumentException("not a JSON object");
        } catch (JsonProcessingException malformed) {
            throw new IllegalArgumentException("not JSON: " + malformed.getOriginalMessage(), malformed);
        }
    }

    /** The text of a field that must be there. */
    public static String text(ObjectNode object, String field) {
        var value = object.get(field);
        if (value == null || !value.isTextual()) {
            throw new IllegalArgumentException("field %s is missing or no text".formatted(field));
        }
        return value.textValue();
    }

    public static Optional<String> optionalText(ObjectNode object, String field) {
        var value = object.get(field);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(value.asText());
    }
}
