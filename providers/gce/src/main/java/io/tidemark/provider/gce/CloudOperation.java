package io.tidemark.provider.gce;

import java.time.Instant;

/**
 * Work that Google has taken on.
 *
 * @param done whether it is at its end, good or bad
 * @param errorCode empty: none so far
 * @param endedAt by Google's clock; the epoch: not told
 */
record CloudOperation(String name, boolean done, String errorCode, String errorMessage, Instant endedAt) {}
