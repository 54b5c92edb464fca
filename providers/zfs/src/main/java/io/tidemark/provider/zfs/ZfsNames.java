package io.tidemark.provider.zfs;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What things are called on the storage. A snapshot's own name tells its volume (as a digest) and its recovery point,
 * for a promotion moves snapshots to other volumes, whose properties they would inherit. User properties:
 * zfsprops(7).
 */
final class ZfsNames {
    static final String PROVIDER = "zfs";

    /** Of a volume that we made: its name. */
    static final String VOLUME = "tidemark:volume";
    /** Its size: that of ZFS is a multiple of the volume's blocks. */
    static final String BYTES = "tidemark:bytes";
    /** Of a clone: the id of the snapshot it was made from. */
    static final String CLONE_OF = "tidemark:clone-of";
    /** Of what takes a volume's place in a rollback: the name in ZFS of that volume. */
    static final String REPLACES = "tidemark:replaces";
    /** Its {@code guid}: the one thing that no renaming changes. */
    static final String INSTEAD_OF = "tidemark:instead-of";
    /** Of a volume that a rollback is about to put aside: its name in ZFS until then. */
    static final String PLACE = "tidemark:place";
    /** Of what a rollback has put aside: another one has its place, for good. */
    static final String REPLACED = "tidemark:replaced";
    /** Of a file system in a rollback: what its {@code canmount} is to be again, or {@link #MOUNTING_DEFAULT}. */
    static final String MOUNTING = "tidemark:canmount";

    static final String MOUNTING_DEFAULT = "default";
    /** Of where a snapshot is being received: {@link Arrival}. */
    static final String ARRIVING = "tidemark:arriving";
    /** Of a snapshot: its recovery point, and milliseconds since 1970 of its cut. */
    static final String POINT = "tidemark:point";

    static final String CUT_AT = "tidemark:cut-at";

    /** How user properties of ours begin. */
    static final String OWN_PROPERTY = "tidemark:";

    private static final String HOLD = "tidemark:";
    private static final String OURS = "tidemark-v-";
    private static final String REPLACEMENT = "tidemark-r-";
    private static final String BRANCH = "tidemark-o-";
    private static final String SNAPSHOT = "tidemark-";
    private static final String DELETED = "tidemark-g-";
    private static final int DIGEST_CHARACTERS = 32;

    private ZfsNames() {}

    static String forVolume(String parent, VolumeId volume) {
        return parent + "/" + OURS + digest(volume.value());
    }

    /** Behind the {@code @}: same for all snapshots of a volume, up to the recovery point. */
    static String forSnapshot(SnapshotId snapshot) {
        return prefix(snapshot.volume()) + snapshot.recoveryPoint();
    }

    private static String prefix(VolumeId volume) {
        return SNAPSHOT + digest(volume.value()) + "-";
    }

    /** Whether a snapshot's own name is one of this volume and recovery point. */
    static boolean names(String snapshot, VolumeId volume, RecoveryPointId point) {
        return snapshot.equals(forSnapshot(new SnapshotId(volume, point)));
    }

    /** The part of a snapshot's own name that tells its volume; empty where it is none of ours. */
    static Optional<String> volumeDigest(String snapshot) {
        int end = SNAPSHOT.length() + DIGEST_CHARACTERS;
        return snapshot.startsWith(SNAPSHOT) && snapshot.length() > end + 1 && snapshot.charAt(end) == '-'
                ? Optional.of(snapshot.substring(SNAPSHOT.length(), end))
                : Optional.empty();
    }

    /** The part that tells its recovery point, of one that tells a volume. */
    static String point(String snapshot) {
        return snapshot.substring(SNAPSHOT.length() + DIGEST_CHARACTERS + 1);
    }

    static String digestOf(VolumeId volume) {
        return digest(volume.value());
    }

    /** For a snapshot that is deleted as far as we say, and lives on below a clone. */
    static String forDeleted(String guid) {
        return DELETED + guid;
    }

    static boolean isDeleted(String snapshot) {
        return snapshot.startsWith(DELETED);
    }

    /** Beside the volume whose place it takes, so that it inherits the same. */
    static String forReplacement(String zvol) {
        return parent(zvol) + "/" + REPLACEMENT + digest(zvol);
    }

    /** What the volume was until a rollback. */
    static String forBranch(String zvol, int number) {
        return parent(zvol) + "/" + BRANCH + digest(zvol) + "-" + number;
    }

    static boolean isReplacement(String zvol) {
        return last(zvol).startsWith(REPLACEMENT);
    }

    static boolean isBranch(String zvol) {
        return last(zvol).startsWith(BRANCH);
    }

    static boolean isBranchOf(String zvol, String volume) {
        return zvol.startsWith(parent(volume) + "/" + BRANCH + digest(volume) + "-");
    }

    static String hold(String owner) {
        return HOLD + owner;
    }

    /** The owner of a hold of ours; empty for somebody else's. */
    static Optional<String> holder(String tag) {
        return tag.startsWith(HOLD) ? Optional.of(tag.substring(HOLD.length())) : Optional.empty();
    }

    static String parent(String zvol) {
        return zvol.substring(0, zvol.lastIndexOf('/'));
    }

    private static String last(String zvol) {
        return zvol.substring(zvol.lastIndexOf('/') + 1);
    }

    static String digest(String text) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha256).substring(0, DIGEST_CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
