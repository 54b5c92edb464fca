package io.tidemark.spi;

import java.util.EnumSet;
import java.util.Set;

/** What a volume's storage can do. Ask first: calling an absent one is a bug in the caller. */
public enum Capability {
    /** A cut takes about the same short time whatever the volume holds. */
    INSTANT_SNAPSHOT,
    /** Several volumes in one {@link CutRequest} are cut at one instant. */
    ATOMIC_GROUP,
    /** {@link StorageProvider#changedRanges} costs as the change does, not as the volume. */
    TRACKED_CHANGES,
    /** {@link StorageProvider#changedRanges} answers without reading the volume's bytes. */
    CHANGED_RANGES,
    /** Blocks: {@link StorageProvider#read}, and with it the ranges. A volume has this or {@link #FILES}. */
    RANDOM_READ,
    RANDOM_WRITE,
    /**
     * The volume is a file system itself (a ZFS file system, a Btrfs subvolume): its snapshots are trees of files,
     * {@link FileTrees}, each consistent as a file system without anyone freezing it. Calls that are about blocks are
     * not for it: read, write, changed and allocated ranges.
     */
    FILES,
    CLONE,
    ROLLBACK,
    HOLDS,
    /** {@link StorageProvider#create} makes volumes of a given size. */
    CREATE;

    /** All that a volume of blocks can have. */
    public static Set<Capability> ofBlocks() {
        return Set.copyOf(EnumSet.complementOf(EnumSet.of(FILES)));
    }
}
