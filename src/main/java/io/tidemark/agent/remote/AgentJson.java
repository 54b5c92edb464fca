package io.tidemark.agent.remote;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.Readiness;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Commands and answers as JSON: records by the names of their components, the cases of sealed types by their simple name
 * in {@code is}. What a newer side says more than this one knows is passed over; a case that it does not know is refused.
 */
final class AgentJson {
    private static final List<Class<?>> SEALED = List.of(
            AgentCommand.class, AgentFailure.class, ProviderError.class, ConsistencyError.class, Readiness.class);

    private static final JsonMapper MAPPER = mapper();

    private AgentJson() {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "is")
    private interface Named {}

    private static JsonMapper mapper() {
        var builder = JsonMapper.builder()
                .addModules(new Jdk8Module(), new JavaTimeModule())
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);
        for (var sealed : SEALED) {
            builder.addMixIn(sealed, Named.class);
            cases(sealed).forEach(one -> builder.registerSubtypes(new NamedType(one, one.getSimpleName())));
        }
        return builder.build();
    }

    /** The records at the ends of a sealed type. */
    private static Stream<Class<?>> cases(Class<?> type) {
        return type.isSealed()
                ? Arrays.stream(type.getPermittedSubclasses()).flatMap(AgentJson::cases)
                : Stream.of(type);
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    static String text(JsonNode node) {
        return node.toString();
    }

    /** @throws IllegalArgumentException with one phrase, where it is none */
    static JsonNode parse(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** @throws IllegalArgumentException with one phrase, where it is none of the type */
    static <T> T read(JsonNode node, Class<T> type) {
        try {
            var value = MAPPER.treeToValue(node, type);
            if (value == null) {
                throw new IllegalArgumentException("no %s".formatted(type.getSimpleName()));
            }
            return value;
        } catch (JacksonException e) {
            throw new IllegalArgumentException("no %s: %s".formatted(type.getSimpleName(), e.getOriginalMessage()), e);
        }
    }
}
