package io.tidemark.domain;

import java.util.Map;

/**
 * One application to freeze, as its user wrote it.
 *
 * @param kind {@code postgresql}
 * @param settings by kind; secrets are never here, only the names of files that hold them
 */
public record QuiescerSpec(String kind, Map<String, String> settings) {
    public QuiescerSpec {
        settings = Map.copyOf(settings);
    }
}
