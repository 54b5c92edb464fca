package io.tidemark.provider.gce;

/**
 * Work that Google has taken on.
 *
 * @param done whether it is at its end, good or bad
 * @param errorCode empty: none so far
 */
record CloudOperation(String name, boolean done, String errorCode, String errorMessage) {}
