package io.tidemark.provider.image;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/**
 * How volumes and snapshots are called on disk. A volume's name is its entry in the folder with {@code /} written as
 * {@code +}; neither {@code +} nor {@code @} is a letter of volume names, and no volume's name starts with a dot, so no
 * two names meet. The longest entry has 237 bytes; file systems allow 255.
 */
final class ImageNames {
    static final String PROVIDER = "image";

    private ImageNames() {}

    static String entry(VolumeId volume) {
        return volume.name().replace('/', '+');
    }

    /** The volume that an entry of the folder is, if its name is one that {@link #entry} gives. */
    static Optional<VolumeId> volume(String entry) {
        if (entry.indexOf('/') >= 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(VolumeId.of(PROVIDER, entry.replace('+', '/')));
        } catch (IllegalArgumentException e) {
            // Somebody else's file: names of volumes have a narrower form.
            return Optional.empty();
        }
    }

    static String entry(SnapshotId snapshot) {
        return entry(snapshot.volume()) + "@" + snapshot.recoveryPoint().value();
    }

    static Optional<SnapshotId> snapshot(String entry) {
        int at = entry.indexOf('@');
        if (at < 0) {
            return Optional.empty();
        }
        try {
            var recoveryPoint = new RecoveryPointId(entry.substring(at + 1));
            return volume(entry.substring(0, at)).map(volume -> new SnapshotId(volume, recoveryPoint));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
