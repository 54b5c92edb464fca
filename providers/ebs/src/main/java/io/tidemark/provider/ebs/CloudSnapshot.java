package io.tidemark.provider.ebs;

import java.time.Instant;
import java.util.Map;

/**
 * A snapshot as EC2 tells of it.
 *
 * @param state {@code pending}, {@code completed}, {@code error}, {@code recoverable}, {@code recovering}
 * @param progress 0 to 1
 * @param message why it is in error; else empty
 */
record CloudSnapshot(
        String id,
        String volume,
        long sizeBytes,
        String state,
        double progress,
        String message,
        String tier,
        Instant startedAt,
        Map<String, String> tags) {}
