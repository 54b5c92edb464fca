package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.PublishedModels;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Documents of JSON that point at parts of each other by {@code $ref}. Safe for several threads. */
final class Specification {
    static final String FOLDER = "azure/";
    private static final String ARM_SCHEMAS = "https://schema.management.azure.com/schemas/common/";

    private final Map<String, JsonNode> documents = new ConcurrentHashMap<>();
    private final Map<String, Part> parts = new ConcurrentHashMap<>();

    /** @param document its file, from the models' folder on: what its references are relative to */
    record Part(JsonNode node, String document) {
        Part child(JsonNode child) {
            return new Part(child, document);
        }
    }

    Part document(String file) {
        return new Part(documents.computeIfAbsent(file, PublishedModels::read), file);
    }

    /** Follows references until there is none. */
    Part resolved(Part part) {
        var at = part;
        while (at.node().has("$ref")) {
            at = target(at.node().get("$ref").asText(), at.document());
        }
        return at;
    }

    private Part target(String reference, String from) {
        return parts.computeIfAbsent(from + " " + reference, key -> {
            int mark = reference.indexOf('#');
            var file = file(reference.substring(0, mark), from);
            var whole = document(file);
            var found = whole.node().at(reference.substring(mark + 1));
            if (found.isMissingNode()) {
                throw new IllegalStateException("%s names %s, which is not there".formatted(from, reference));
            }
            return new Part(found, file);
        });
    }

    private static String file(String name, String from) {
        if (name.isEmpty()) {
            return from;
        }
        if (name.startsWith(ARM_SCHEMAS)) {
            return FOLDER + "arm-schemas/" + name.substring(ARM_SCHEMAS.length());
        }
        return Path.of(from).resolveSibling(name).normalize().toString();
    }
}
