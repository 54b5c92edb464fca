package io.tidemark.provider.zfs;

import io.tidemark.spi.SnapshotId;
import java.util.Map;
import java.util.Optional;

/**
 * What is noted, where a snapshot is received, before ZFS makes it: ZFS makes it without our properties, and who died
 * in between finds by this that it is ours. As {@code NAME GUID MILLISECONDS} in {@link ZfsNames#ARRIVING}.
 *
 * @param snapshotName behind the {@code @}
 * @param guid as where it was sent from
 * @param cutAtMillis since 1970, as where it was sent from
 */
record Arrival(String snapshotName, long guid, long cutAtMillis) {
    private static final int FIELDS = 3;
    private static final String NUMBER = "[0-9]{1,20}";

    static Arrival of(SnapshotId snapshot, ZfsRecord.Beginning beginning) {
        return new Arrival(
                ZfsNames.forSnapshot(snapshot),
                beginning.toGuid(),
                Math.multiplyExact(beginning.cutAtSeconds(), 1_000L));
    }

    String text() {
        return "%s %s %d".formatted(snapshotName, Long.toUnsignedString(guid), cutAtMillis);
    }

    /** Empty for whatever else somebody may have set. */
    static Optional<Arrival> on(ZfsObject object) {
        var fields = object.property(ZfsNames.ARRIVING).orElse("").split(" ", -1);
        if (fields.length != FIELDS
                || !fields[1].matches(NUMBER)
                || !fields[2].matches(NUMBER)
                || ZfsNames.volumeDigest(fields[0]).isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Arrival(fields[0], Long.parseUnsignedLong(fields[1]), Long.parseLong(fields[2])));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** What makes the snapshot ours. */
    Map<String, String> ofSnapshot() {
        return Map.of(ZfsNames.POINT, ZfsNames.point(snapshotName), ZfsNames.CUT_AT, String.valueOf(cutAtMillis));
    }

    /** The snapshot, where ZFS has made it. */
    Optional<ZfsObject> made(VolumeCatalog catalog, String dataset) {
        return catalog.named(dataset + "@" + snapshotName).filter(each -> each.number("guid") == guid);
    }
}
