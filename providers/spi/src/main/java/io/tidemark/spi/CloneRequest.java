package io.tidemark.spi;

/**
 * A writable volume from a snapshot. Asking twice for the same snapshot and name gives the one clone.
 *
 * @param name the new volume, of the same provider
 */
public record CloneRequest(SnapshotId snapshot, VolumeId name) {
    public CloneRequest {
        if (!snapshot.volume().provider().equals(name.provider())) {
            throw new IllegalArgumentException("clone %s is not of the provider of %s".formatted(name, snapshot));
        }
    }
}
