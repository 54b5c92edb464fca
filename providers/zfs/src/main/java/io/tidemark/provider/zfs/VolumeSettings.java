package io.tidemark.provider.zfs;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a rollback sets on a volume, on the clone that takes its place, and on the branch that the volume becomes. A
 * file system that may be mounted by itself, at boot or because it is shared, could be so under any of its names:
 * {@code canmount} is {@code noauto} from before the first renaming until the last, and is what it was after it.
 */
final class VolumeSettings {
    static final String MOUNTING = "canmount";
    private static final String NOT_BY_ITSELF = "noauto";

    /** Set on the volume itself, they are set on what takes its place. The rest ZFS knows, or cannot be set. */
    private static final Set<String> KEPT = Set.of(
            "checksum",
            "compression",
            "copies",
            "dedup",
            "logbias",
            "primarycache",
            "readonly",
            "redundant_metadata",
            "refreservation",
            "reservation",
            "secondarycache",
            "snapdev",
            "snapshot_limit",
            "sync",
            "volmode");

    /** Of file systems beside. What is fixed when one is made (case, normalization, encryption) a clone has anyway. */
    private static final Set<String> KEPT_OF_FILE_SYSTEMS = Set.of(
            "aclinherit",
            "aclmode",
            "acltype",
            "atime",
            "context",
            "defcontext",
            "devices",
            "dnodesize",
            "exec",
            "filesystem_limit",
            "fscontext",
            "mountpoint",
            "nbmand",
            "overlay",
            "quota",
            "recordsize",
            "refquota",
            "relatime",
            "rootcontext",
            "setuid",
            "sharenfs",
            "sharesmb",
            "snapdir",
            "special_small_blocks",
            "vscan",
            "xattr",
            "zoned");

    /** Of a file system, a clone of it has the same: they decide who may do what with its files. */
    static final List<String> RIGHTS =
            List.of("aclinherit", "aclmode", "acltype", "devices", "exec", "setuid", "xattr");

    private VolumeSettings() {}

    /**
     * Of a branch that a snapshot is received on: nobody ever mounts it, and it goes with its snapshot.
     *
     * @param rights of the volume, for clones of that snapshot
     */
    static Map<String, String> ofArrival(Map<String, String> rights, Arrival arrival) {
        var settings = new HashMap<>(rights);
        settings.putAll(Map.of(
                MOUNTING,
                NOT_BY_ITSELF,
                "mountpoint",
                "none",
                ZfsNames.REPLACED,
                "on",
                ZfsNames.ARRIVING,
                arrival.text()));
        return settings;
    }

    /** @param settings what is set on the volume itself */
    static Map<String, String> ofReplacement(ZfsObject volume, Map<String, String> settings) {
        var kept = new HashMap<String, String>();
        settings.forEach((property, value) -> {
            if (KEPT.contains(property)
                    || property.indexOf(':') >= 0
                    || (volume.isFileSystem() && KEPT_OF_FILE_SYSTEMS.contains(property))) {
                kept.put(property, value);
            }
        });
        kept.remove(ZfsNames.REPLACED);
        kept.remove(ZfsNames.ARRIVING);
        // A renaming that was given up may find this one under the volume's name.
        kept.putAll(beforeItIsPutAside(volume, settings));
        kept.put(ZfsNames.REPLACES, volume.name());
        kept.put(ZfsNames.INSTEAD_OF, Long.toUnsignedString(volume.number("guid")));
        return kept;
    }

    static Map<String, String> beforeItIsPutAside(ZfsObject volume, Map<String, String> settings) {
        if (!volume.isFileSystem()) {
            return Map.of(ZfsNames.PLACE, volume.name());
        }
        // Of a rollback that could not set it back, what it was before that.
        var before =
                settings.getOrDefault(ZfsNames.MOUNTING, settings.getOrDefault(MOUNTING, ZfsNames.MOUNTING_DEFAULT));
        return Map.of(ZfsNames.PLACE, volume.name(), ZfsNames.MOUNTING, before, MOUNTING, NOT_BY_ITSELF);
    }

    /** What it keeps for itself alone: neither is its replacement one, nor does it need room to be written. */
    static Map<String, String> ofBranch(ZfsObject branch) {
        var settings = new HashMap<>(Map.of(ZfsNames.REPLACED, "on", "refreservation", "none", "reservation", "none"));
        if (branch.isFileSystem()) {
            settings.put(MOUNTING, NOT_BY_ITSELF);
        }
        return settings;
    }
}
