package io.tidemark.spi;

/**
 * Names one snapshot: {@code provider:name@rp-...}; one recovery point has at most one snapshot of a volume, so the
 * name is known before the snapshot is taken, and asking twice makes one.
 */
public record SnapshotId(VolumeId volume, RecoveryPointId recoveryPoint) {

    /** @throws IllegalArgumentException when the text is not {@code volume@recovery-point} */
    public static SnapshotId parse(String text) {
        int at = text.indexOf('@');
        if (at < 0) {
            throw new IllegalArgumentException("snapshot id is not of the form volume@recovery-point: " + text);
        }
        return new SnapshotId(new VolumeId(text.substring(0, at)), new RecoveryPointId(text.substring(at + 1)));
    }

    @Override
    public String toString() {
        return volume + "@" + recoveryPoint;
    }
}
