package io.tidemark.security;

import java.time.Instant;
import java.util.List;

/** Keeps hashes of API tokens; never the tokens. */
public interface TokenStore {
    record Known(String sha256Hex, String name) {}

    /** Adds it, or gives the name a new token. */
    void add(String sha256Hex, String name, Instant createdAt);

    List<Known> all();
}
