package io.tidemark.store;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.tidemark.domain.AgentId;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.PeerId;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.io.Serial;
import java.util.function.Function;

/** Domain records as JSON columns: ids as their text, durations and instants in ISO form, nothing lost. */
final class StoredJson {
    private static final ObjectMapper MAPPER = mapper();

    private StoredJson() {}

    private static ObjectMapper mapper() {
        var ids = new SimpleModule("ids");
        add(ids, VolumeId.class, VolumeId::new);
        add(ids, SnapshotId.class, SnapshotId::parse);
        add(ids, RecoveryPointId.class, RecoveryPointId::new);
        add(ids, GroupId.class, GroupId::new);
        add(ids, PeerId.class, PeerId::new);
        add(ids, AgentId.class, AgentId::new);
        add(ids, LinkId.class, LinkId::new);
        add(ids, OperationId.class, OperationId::new);
        return JsonMapper.builder()
                .addModules(ids, new Jdk8Module(), new JavaTimeModule())
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }

    private static <T> void add(SimpleModule module, Class<T> type, Function<String, T> parse) {
        module.addSerializer(type, new ToStringSerializer(type));
        module.addDeserializer(type, new FromText<>(type, parse));
    }

    private static final class FromText<T> extends StdDeserializer<T> {
        @Serial
        private static final long serialVersionUID = 1L;

        private final transient Function<String, T> parse;

        FromText(Class<T> type, Function<String, T> parse) {
            super(type);
            this.parse = parse;
        }

        @Override
        public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return parse.apply(parser.getText());
        }
    }

    static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException failure) {
            throw new AssertionError("a domain record has no JSON form: " + value.getClass(), failure);
        }
    }

    /** @throws StoreException when the text was not written by {@link #write} for this type */
    static <T> T read(String text, Class<T> type) {
        try {
            return MAPPER.readValue(text, type);
        } catch (JsonProcessingException | IllegalArgumentException failure) {
            throw new StoreException(
                    "stored %s is damaged: %s".formatted(type.getSimpleName(), failure.getMessage()), failure);
        }
    }
}
