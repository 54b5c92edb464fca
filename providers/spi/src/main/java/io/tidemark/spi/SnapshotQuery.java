package io.tidemark.spi;

import java.util.Optional;

/**
 * Which snapshots to list; only those taken through this SPI are ever listed.
 *
 * @param cursor from the page before; empty for the first page
 * @param limit 1 to 1000
 */
public record SnapshotQuery(
        Optional<VolumeId> volume, Optional<RecoveryPointId> recoveryPoint, Optional<String> cursor, int limit) {
    public static final int LIMIT_MAXIMUM = 1_000;

    public SnapshotQuery {
        if (limit < 1 || limit > LIMIT_MAXIMUM) {
            throw new IllegalArgumentException("limit is not 1 to %d: %d".formatted(LIMIT_MAXIMUM, limit));
        }
    }

    public static SnapshotQuery everything() {
        return new SnapshotQuery(Optional.empty(), Optional.empty(), Optional.empty(), LIMIT_MAXIMUM);
    }

    public static SnapshotQuery ofVolume(VolumeId volume) {
        return new SnapshotQuery(Optional.of(volume), Optional.empty(), Optional.empty(), LIMIT_MAXIMUM);
    }

    public static SnapshotQuery ofRecoveryPoint(RecoveryPointId recoveryPoint) {
        return new SnapshotQuery(Optional.empty(), Optional.of(recoveryPoint), Optional.empty(), LIMIT_MAXIMUM);
    }

    public SnapshotQuery after(String nextCursor) {
        return new SnapshotQuery(volume, recoveryPoint, Optional.of(nextCursor), limit);
    }
}
