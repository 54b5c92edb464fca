package io.tidemark.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.tidemark.policy.CostEstimate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;

/**
 * Prices by provider, as {@code config/prices.yaml} has them; whoever pays edits them.
 *
 * @param currency what they are in
 */
record PriceFile(String currency, Map<String, CostEstimate.Prices> prices) {
    private static final int BYTES_MAXIMUM = 64 << 10;
    private static final Set<String> KNOWN =
            Set.of("storageGibMonth", "copyGib", "egressGib", "readThousandBlocks", "writeThousandBlocks", "source");

    /** @throws IllegalArgumentException naming the file, the key and what is allowed */
    static PriceFile read(Path file) {
        try {
            if (Files.size(file) > BYTES_MAXIMUM) {
                throw new IllegalArgumentException("%s has more than %d bytes".formatted(file, BYTES_MAXIMUM));
            }
            return of(file, new YAMLMapper().readTree(Files.readString(file)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("%s is no YAML: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new IllegalArgumentException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static PriceFile of(Path file, JsonNode root) {
        var prices = new TreeMap<String, CostEstimate.Prices>();
        root.path("providers").properties().forEach(entry -> {
            var section = entry.getValue();
            section.fieldNames().forEachRemaining(name -> {
                if (!KNOWN.contains(name)) {
                    throw new IllegalArgumentException("%s: providers.%s.%s is no price; those are %s"
                            .formatted(
                                    file,
                                    entry.getKey(),
                                    name,
                                    KNOWN.stream().sorted().toList()));
                }
            });
            var read = new Section(file, entry.getKey(), section);
            prices.put(
                    entry.getKey(),
                    new CostEstimate.Prices(
                            read.price("storageGibMonth"),
                            read.price("copyGib"),
                            read.price("egressGib"),
                            read.price("readThousandBlocks"),
                            read.price("writeThousandBlocks")));
        });
        return new PriceFile(root.path("currency").asText("USD"), prices);
    }

    private record Section(Path file, String provider, JsonNode prices) {
        OptionalDouble price(String name) {
            var found = prices.path(name);
            if (found.isMissingNode() || found.isNull()) {
                return OptionalDouble.empty();
            }
            if (!found.isNumber() || found.doubleValue() < 0) {
                throw new IllegalArgumentException("%s: providers.%s.%s is %s; a price is a number, at least 0"
                        .formatted(file, provider, name, found));
            }
            return OptionalDouble.of(found.doubleValue());
        }
    }
}
