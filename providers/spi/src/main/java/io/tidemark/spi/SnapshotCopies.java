package io.tidemark.spi;

import java.util.Optional;

/**
 * What a provider can do besides whose storage copies a snapshot by itself from another place of the same kind: another
 * region or account of a cloud. No byte passes through this host.
 */
public interface SnapshotCopies {

    /**
     * Makes a copy here of a snapshot that is elsewhere. The copy carries the same recovery point, is called as the
     * source's volume is but for the provider, and stays when the source is deleted. Asking again, after a restart too, makes
     * none more: it answers how far the copy is. A copy that fails is deleted.
     *
     * @param source where the snapshot is; not this provider
     * @param key by which the copy is encrypted, in the words of the storage; empty: as the storage does without being asked
     * @throws ProviderException SnapshotNotFound; Busy while the source cannot be read yet; Conflict where the source is of
     *     another kind, cannot be copied as it is, or where a copy under another key exists; Corrupt where the copy failed
     */
    Step<Snapshot> copyOf(StorageProvider source, SnapshotId snapshot, Optional<String> key) throws ProviderException;

    /** Whether {@link #copyOf} takes snapshots of that provider at all. Asks nobody. */
    boolean copiesFrom(StorageProvider source);

    /** What the copy under a handle is about now, as a phrase for people: {@code waits for one of 20 copies}. */
    String phase(Handle handle);
}
