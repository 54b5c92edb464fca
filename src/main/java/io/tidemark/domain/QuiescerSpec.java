package io.tidemark.domain;

import java.util.Map;
import java.util.Optional;

/**
 * One application to freeze, as its user wrote it.
 *
 * @param kind {@code postgresql}; on an agent's host {@code agent/postgresql}
 * @param settings by kind; secrets are never here, only the names of files that hold them
 */
public record QuiescerSpec(String kind, Map<String, String> settings) {
    public QuiescerSpec {
        settings = Map.copyOf(settings);
    }

    /** The agent on whose host it is; empty: on this host. */
    public Optional<String> agent() {
        int slash = kind.indexOf('/');
        return slash < 0 ? Optional.empty() : Optional.of(kind.substring(0, slash));
    }

    /** As its own host names it. */
    public QuiescerSpec onItsHost() {
        return new QuiescerSpec(kind.substring(kind.indexOf('/') + 1), settings);
    }
}
