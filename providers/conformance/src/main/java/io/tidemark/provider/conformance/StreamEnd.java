package io.tidemark.provider.conformance;

/** The storages that streams go between. */
public enum StreamEnd {
    SOURCE,
    TARGET
}
