package io.tidemark.domain;

import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;

/**
 * Volumes that are snapshotted at one instant, and the databases on them.
 *
 * @param volumes 1 to 64
 * @param quiescers frozen in this order, thawed in reverse; at most 16
 * @param freezeFileSystems whether file systems mounted from the volumes are frozen for the cut
 * @param freezeLimit longest time anything of this group may stay frozen: 100 ms to 60 s
 * @param requireConsistency a recovery point that achieves less is deleted and the operation fails
 */
public record ConsistencyGroup(
        GroupId id,
        List<VolumeId> volumes,
        List<QuiescerSpec> quiescers,
        boolean freezeFileSystems,
        Duration freezeLimit,
        Consistency requireConsistency) {
    public static final int VOLUMES_MAXIMUM = 64;
    public static final int QUIESCERS_MAXIMUM = 16;
    public static final Duration FREEZE_LIMIT_MINIMUM = Duration.ofMillis(100);
    /** Windows VSS grants a writer 60 s in all; nothing sensible survives longer. */
    public static final Duration FREEZE_LIMIT_MAXIMUM = Duration.ofSeconds(60);
    /** The write-hold that Windows VSS grants. */
    public static final Duration FREEZE_LIMIT_DEFAULT = Duration.ofSeconds(10);

    public ConsistencyGroup {
        volumes = List.copyOf(volumes);
        quiescers = List.copyOf(quiescers);
        if (volumes.isEmpty() || volumes.size() > VOLUMES_MAXIMUM) {
            throw new IllegalArgumentException(
                    "group %s names %d volumes, 1 to %d allowed".formatted(id, volumes.size(), VOLUMES_MAXIMUM));
        }
        if (volumes.stream().distinct().count() != volumes.size()) {
            throw new IllegalArgumentException("group %s names a volume twice: %s".formatted(id, volumes));
        }
        if (quiescers.size() > QUIESCERS_MAXIMUM) {
            throw new IllegalArgumentException("group %s names %d quiescers, at most %d allowed"
                    .formatted(id, quiescers.size(), QUIESCERS_MAXIMUM));
        }
        if (freezeLimit.compareTo(FREEZE_LIMIT_MINIMUM) < 0 || freezeLimit.compareTo(FREEZE_LIMIT_MAXIMUM) > 0) {
            throw new IllegalArgumentException("freeze limit of group %s is %d ms, %d to %d allowed"
                    .formatted(
                            id,
                            freezeLimit.toMillis(),
                            FREEZE_LIMIT_MINIMUM.toMillis(),
                            FREEZE_LIMIT_MAXIMUM.toMillis()));
        }
    }
}
