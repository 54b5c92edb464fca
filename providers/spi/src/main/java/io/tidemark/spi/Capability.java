package io.tidemark.spi;

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
    RANDOM_READ,
    RANDOM_WRITE,
    CLONE,
    ROLLBACK,
    HOLDS,
    /** {@link StorageProvider#create} makes volumes of a given size. */
    CREATE
}
