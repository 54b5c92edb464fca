package io.tidemark.spi;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What a provider can do besides whose storage keeps deleted snapshots for a time, where its owner has set that up. */
public interface RecycleBin {

    /**
     * A deleted snapshot of ours.
     *
     * @param deletedAt when it came there
     * @param goneAt when nobody can bring it back any more
     */
    record Binned(SnapshotId id, Instant deletedAt, Optional<Instant> goneAt) {}

    /** What lies there of ours, in order of id. */
    List<Binned> binned() throws ProviderException;

    /**
     * Brings one back, with all it had; does nothing where it is back. Of several of one id the one that was deleted last.
     *
     * @throws ProviderException SnapshotNotFound where it is neither there nor in the bin
     */
    void undelete(SnapshotId snapshot) throws ProviderException;
}
