package io.tidemark.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.openapi.contract.OpenAPIContract;
import java.io.IOException;

/** The OpenAPI file, as it is and as the router takes it. */
final class Contract {
    static final String RESOURCE = "/openapi/tidemark-v1.yaml";

    private Contract() {}

    /** The file itself. */
    static JsonObject read() {
        try (var file = Contract.class.getResourceAsStream(RESOURCE)) {
            if (file == null) {
                throw new IllegalStateException("resource %s is missing from the jar".formatted(RESOURCE));
            }
            return new JsonObject(new ObjectMapper().writeValueAsString(new YAMLMapper().readTree(file)));
        } catch (IOException damaged) {
            throw new IllegalStateException("resource %s cannot be read".formatted(RESOURCE), damaged);
        }
    }

    /** The router's library knows few media types and refuses a file with others: it is shown nearby ones. */
    static Future<OpenAPIContract> load(Vertx vertx) {
        return OpenAPIContract.from(vertx, (JsonObject) understood(read()));
    }

    private static Object understood(Object node) {
        if (node instanceof JsonObject object) {
            var copy = new JsonObject();
            object.forEach(field -> copy.put(mediaType(field.getKey()), understood(field.getValue())));
            return copy;
        }
        if (node instanceof JsonArray array) {
            var copy = new JsonArray();
            array.forEach(item -> copy.add(understood(item)));
            return copy;
        }
        return node;
    }

    private static String mediaType(String name) {
        return switch (name) {
            case Problem.MEDIA_TYPE -> "application/json";
            case OperationStream.MEDIA_TYPE -> "text/plain";
            default -> name;
        };
    }
}
