package io.tidemark.provider.lvm;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What things are called on the storage. Identity is in tags, which LVM writes with the volume itself; the names of
 * volumes that we make are digests, for ours may be longer than LVM's and have slashes.
 */
final class LvmNames {
    static final String PROVIDER = "lvm";

    /** All of ours begin so. */
    static final String TAGS = "tidemark.";

    /** Of a volume that we made: its name. */
    static final String VOLUME = "tidemark.volume=";
    /** Its size: LVM's is a multiple of the group's extents. */
    static final String BYTES = "tidemark.bytes=";
    /** Of a snapshot: its volume's name, its recovery point, and milliseconds since 1970 of its cut. */
    static final String SNAPSHOT_OF = "tidemark.snapshot-of=";

    static final String POINT = "tidemark.point=";
    static final String CUT_AT = "tidemark.cut-at=";
    /** Of a snapshot that is not cut yet: an empty thin volume lies in its place. */
    static final String PLACEHOLDER = "tidemark.placeholder";
    /** Of a snapshot that has been cut if and only if its pool has its thin volume, or its store the mark. */
    static final String PREPARED = "tidemark.prepared";

    /** Of a classic volume that does not read as zeros yet. */
    static final String UNFINISHED = "tidemark.unfinished";

    static final String HOLD = "tidemark.hold=";
    /** Of a clone: the snapshot it was made from. */
    static final String CLONE_OF = "tidemark.clone-of=";
    /** Of what will take a volume's place: the name of the logical volume whose place that is. */
    static final String REPLACES = "tidemark.replaces=";
    /** Of what a rollback has put aside. */
    static final String REPLACED = "tidemark.replaced";

    /** Of a classic volume: the recovery point whose snapshot is being copied back to it; it is half of this, half of that. */
    static final String RESTORING = "tidemark.restoring=";
    /** Of the same: that LVM does not activate it by itself is on our account, and ends with it. */
    static final String NOT_ACTIVATED = "tidemark.not-activated";

    private static final String REPLACED_NAME = "tidemark-o-";
    private static final int DIGEST_CHARACTERS = 32;

    private LvmNames() {}

    /** Of a logical volume that is no snapshot and no part of something; empty where it has a name that no id can have. */
    static Optional<VolumeId> idOf(String group, LogicalVolume volume) {
        var name = volume.tag(VOLUME).orElse(group + "/" + volume.name());
        try {
            return Optional.of(VolumeId.of(PROVIDER, name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    static Optional<SnapshotId> snapshotIdOf(LogicalVolume volume) {
        try {
            return volume.tag(SNAPSHOT_OF)
                    .flatMap(of -> volume.tag(POINT)
                            .map(point -> new SnapshotId(VolumeId.of(PROVIDER, of), new RecoveryPointId(point))));
        } catch (IllegalArgumentException e) {
            // Somebody else's tags.
            return Optional.empty();
        }
    }

    static boolean isAhead(LogicalVolume volume) {
        return volume.tags().contains(PLACEHOLDER) || volume.tags().contains(PREPARED);
    }

    static String forVolume(VolumeId volume) {
        return "tidemark-v-" + digest(volume.value());
    }

    static String forSnapshot(SnapshotId snapshot) {
        return "tidemark-s-" + digest(snapshot.toString());
    }

    static String forReplacement(String logicalVolume) {
        return "tidemark-r-" + digest(logicalVolume);
    }

    static String forReplaced(String logicalVolume) {
        return REPLACED_NAME + digest(logicalVolume);
    }

    static boolean isReplaced(String logicalVolume) {
        return logicalVolume.startsWith(REPLACED_NAME);
    }

    static String cloneOf(SnapshotId snapshot) {
        // '@' is not allowed in tags.
        return CLONE_OF + snapshot.volume().name() + "#" + snapshot.recoveryPoint();
    }

    /** Name of a device of the device mapper: hyphens of either name are doubled. */
    static String mapped(String group, String logicalVolume) {
        return group.replace("-", "--") + "-" + logicalVolume.replace("-", "--");
    }

    private static String digest(String text) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha256).substring(0, DIGEST_CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
