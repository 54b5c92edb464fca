package io.tidemark.spi;

import java.time.Instant;
import java.util.Optional;

/**
 * What a provider can do besides whose storage has a cheaper place from which a snapshot can be neither read nor cloned before
 * it is fetched back, which takes up to days. Nothing here waits for that: it is begun, and {@link #tierOf} tells how far it is.
 */
public interface SnapshotArchives {

    /** Where a snapshot lies, and whither it is on its way. */
    enum Tier {
        STANDARD,
        /** Under way into the archive, and usable until it is there. */
        ARCHIVING,
        ARCHIVED,
        /** Fetched back, and not usable yet. */
        RESTORING,
        /** Usable until a time, and then in the archive again. */
        RESTORED_FOR_A_TIME
    }

    /**
     * @param progress 0 to 1 of what is under way; 1 where nothing is
     * @param until with {@code RESTORED_FOR_A_TIME}, and with {@code RESTORING} where it is known: when it goes back
     * @param failure why the last move came to nothing, in the storage's words
     */
    record TierState(Tier tier, double progress, Optional<Instant> until, Optional<String> failure) {}

    /** @throws ProviderException SnapshotNotFound */
    TierState tierOf(SnapshotId snapshot) throws ProviderException;

    /**
     * Begins to move it into the archive; does nothing where it is there or on its way.
     *
     * @throws ProviderException SnapshotNotFound; Held; Busy where it is not complete yet, or is being fetched back; Conflict
     *     where something needs it readable, naming what
     */
    TierState archive(SnapshotId snapshot) throws ProviderException;

    /**
     * Begins to fetch it back; of one that is back for a time changes for how long. Does nothing where that is so already.
     *
     * @param days for how many; empty: for good
     * @throws ProviderException SnapshotNotFound; Conflict where it is not in the archive, or the storage does not do so for
     *     as many days; Busy while it is on its way there
     */
    TierState restore(SnapshotId snapshot, Optional<Integer> days) throws ProviderException;
}
