package io.tidemark.replication.protocol;

/**
 * What a synchronisation cost the source so far; see {@link io.tidemark.domain.SyncReport}.
 *
 * @param changedRangeSource at most 64 characters
 * @param durationMillis since the synchronisation began
 */
public record SyncCost(
        String changedRangeSource,
        long namedBytes,
        long readBytes,
        long comparedBytes,
        long changedBytes,
        long sentPayloadBytes,
        long sentWireBytes,
        long resumedBytes,
        long durationMillis) {
    public static final SyncCost NONE = new SyncCost("", 0, 0, 0, 0, 0, 0, 0, 0);
}
