package io.tidemark.control;

import io.tidemark.domain.LinkId;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;

/**
 * What work needs for itself, or shares with others that only read it.
 *
 * @param key kind and id of the object
 */
public record Claim(String key, boolean exclusive) {
    public static Claim alone(VolumeId volume) {
        return new Claim("volume " + volume, true);
    }

    /** To write it in place for as long as a user wants; recovery points of it are taken meanwhile. */
    public static Claim writing(VolumeId volume) {
        return new Claim("writes of volume " + volume, true);
    }

    public static Claim alone(SnapshotId snapshot) {
        return new Claim("snapshot " + snapshot, true);
    }

    public static Claim alone(LinkId link) {
        return new Claim("link " + link, true);
    }

    public static Claim alone(RecoveryPointId point) {
        return new Claim("recovery point " + point, true);
    }

    public static Claim shared(RecoveryPointId point) {
        return new Claim("recovery point " + point, false);
    }
}
