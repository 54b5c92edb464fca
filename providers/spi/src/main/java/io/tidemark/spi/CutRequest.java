package io.tidemark.spi;

import java.util.List;

/**
 * Volumes of one provider to be cut for one recovery point.
 *
 * @param volumes 1 to 64, each once
 */
public record CutRequest(RecoveryPointId recoveryPoint, List<VolumeId> volumes) {
    public static final int VOLUMES_MAXIMUM = 64;

    public CutRequest {
        volumes = List.copyOf(volumes);
        if (volumes.isEmpty() || volumes.size() > VOLUMES_MAXIMUM) {
            throw new IllegalArgumentException(
                    "a cut takes 1 to %d volumes, not %d".formatted(VOLUMES_MAXIMUM, volumes.size()));
        }
        if (volumes.stream().distinct().count() != volumes.size()) {
            throw new IllegalArgumentException("a volume is named twice in one cut: " + volumes);
        }
    }
}
