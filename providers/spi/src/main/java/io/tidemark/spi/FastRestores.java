package io.tidemark.spi;

import java.util.List;

/**
 * What a provider can do besides whose storage makes volumes of a snapshot that are at full speed at once, in the zones where
 * that was asked for, and charges for it by the hour until it is ended.
 */
public interface FastRestores {

    /** How far it is in a zone. */
    enum FastState {
        /** Being prepared; volumes may be slow yet. */
        PREPARING,
        READY,
        ENDING
    }

    record FastRestore(String zone, FastState state) {}

    /**
     * In order of zone; none where it is on nowhere.
     *
     * @throws ProviderException SnapshotNotFound
     */
    List<FastRestore> fastRestores(SnapshotId snapshot) throws ProviderException;

    /**
     * Begins or ends it in the zones; where it is so already nothing changes. A failure may have changed some of the zones.
     *
     * @return as {@link #fastRestores}
     * @throws ProviderException SnapshotNotFound; Conflict where a zone is none, or the snapshot cannot have it, naming why; Busy
     *     while it is not complete yet
     */
    List<FastRestore> setFastRestore(SnapshotId snapshot, List<String> zones, boolean on) throws ProviderException;

    /** What so many zones cost, and until when, as a phrase for people, with whence the price is. */
    String fastRestoreCost(int zones);
}
