package io.tidemark.spi;

import java.time.Instant;

/**
 * Immutable point-in-time image of one volume.
 *
 * @param sizeBytes size of the image at the cut; as {@link Volume#sizeBytes} where the volume is files
 * @param createdAt wall clock of the host that cut it; for people, never for order
 */
public record Snapshot(SnapshotId id, long sizeBytes, Instant createdAt) {}
