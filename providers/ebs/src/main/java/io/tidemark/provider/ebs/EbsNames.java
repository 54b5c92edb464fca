package io.tidemark.provider.ebs;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** What things are called at Amazon: the tags that say what is ours, and the two kinds of volume name. */
final class EbsNames {
    static final String PROVIDER = "ebs";

    /** Which installation made it; of two in one account neither touches what is the other's. */
    static final String INSTALLATION = "tidemark:installation";

    static final String RECOVERY_POINT = "tidemark:recovery-point";
    /** The volume's name, as after the colon of its id; of a snapshot, that of its volume. */
    static final String VOLUME = "tidemark:volume";
    /** Of a clone: the snapshot it was made from. */
    static final String ORIGIN = "tidemark:origin";

    /** Of a chain's snapshot: the number of its layer; what is newer has a higher one. */
    static final String CHAIN = "tidemark:chain";
    /** Of a chain's snapshot and its copies: bytes of the volume, which at Amazon has whole GiB. */
    static final String SIZE = "tidemark:size";
    /** Of a chain's snapshot: when it was cut; Amazon's own time is that of the upload. */
    static final String CUT_AT = "tidemark:cut-at";
    /** Of a copy: region and id of what it was made from, {@code eu-central-1/snap-0123}. */
    static final String COPY_OF = "tidemark:copy-of";
    /** Of a copy: the key it was asked for with, where it was. */
    static final String COPY_KEY = "tidemark:copy-key";

    static final String HOLD = "tidemark:hold:";
    /** What Amazon's console shows. */
    private static final String SHOWN_NAME = "Name";
    /** A resource has 50 (EC2 User Guide, "Tag your Amazon EC2 resources"); ours beside the holds take 9. */
    static final int HOLDS_MAXIMUM = 40;

    private static final Pattern DESCRIPTION = Pattern.compile("tidemark:([^:@]*):([^:@]*)@(.*)");
    private static final Pattern CLOUD_VOLUME = Pattern.compile("vol-[0-9a-f]{8,17}");

    private EbsNames() {}

    /** Whether the name is Amazon's own; any other is that of a volume we made, and is kept in a tag of it. */
    static boolean isCloudVolume(VolumeId volume) {
        return CLOUD_VOLUME.matcher(volume.name()).matches();
    }

    /**
     * Made with all that we make, for what lies in the recycle bin is listed without its tags, and nobody can change it later.
     * One cut of several volumes has none, and each is told by EC2's own {@code volumeId}.
     */
    static String description(Map<String, String> tags) {
        return "tidemark:%s:%s@%s"
                .formatted(
                        tags.getOrDefault(INSTALLATION, ""),
                        tags.getOrDefault(VOLUME, ""),
                        tags.getOrDefault(RECOVERY_POINT, ""));
    }

    /**
     * What a description says that {@link #description} has made.
     *
     * @param cloudVolume EC2's own {@code volumeId}
     * @return empty where it is not of this installation
     */
    static Optional<SnapshotId> described(
            String provider, String installation, String description, String cloudVolume) {
        var matched = DESCRIPTION.matcher(description);
        if (!matched.matches() || !matched.group(1).equals(installation)) {
            return Optional.empty();
        }
        var volume = matched.group(2).isEmpty() ? cloudVolume : matched.group(2);
        try {
            return Optional.of(new SnapshotId(VolumeId.of(provider, volume), new RecoveryPointId(matched.group(3))));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** @param sizeBytes of the volume */
    static Map<String, String> chainTags(
            String installation, SnapshotId snapshot, int number, long sizeBytes, Instant cutAt) {
        var tags = new LinkedHashMap<>(tagsOf(installation, snapshot));
        tags.put(CHAIN, String.valueOf(number));
        tags.put(SIZE, String.valueOf(sizeBytes));
        tags.put(CUT_AT, cutAt.toString());
        return tags;
    }

    static Map<String, String> tagsOf(String installation, SnapshotId snapshot) {
        var tags = new LinkedHashMap<String, String>();
        tags.put(INSTALLATION, installation);
        tags.put(RECOVERY_POINT, snapshot.recoveryPoint().value());
        tags.put(VOLUME, snapshot.volume().name());
        tags.put(SHOWN_NAME, "tidemark " + snapshot.recoveryPoint());
        return tags;
    }
}
