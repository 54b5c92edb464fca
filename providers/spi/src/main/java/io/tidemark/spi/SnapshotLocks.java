package io.tidemark.spi;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * What a provider can do besides whose storage itself refuses to delete a snapshot until a time, whoever asks. Unlike a hold,
 * which binds those alone who ask us.
 */
public interface SnapshotLocks {

    /** Who can end a lock before its time. */
    enum LockMode {
        /** Whoever has the storage's right to. */
        GOVERNANCE,
        /** Nobody, once its cooling-off is over: neither can it be shortened. */
        COMPLIANCE
    }

    /**
     * A lock that is asked for.
     *
     * @param until when it ends by itself
     * @param coolingOff how long it can still be taken off or changed; zero with {@code GOVERNANCE}, where it always can
     */
    record LockRequest(LockMode mode, Instant until, Duration coolingOff) {
        public LockRequest {
            if (coolingOff.isNegative()) {
                throw new IllegalArgumentException("cooling-off is negative: " + coolingOff);
            }
            if (mode == LockMode.GOVERNANCE && !coolingOff.isZero()) {
                throw new IllegalArgumentException(
                        "cooling-off is for mode compliance alone; one of governance can always be taken off");
            }
        }
    }

    /**
     * A lock that holds now.
     *
     * @param until when it ends by itself
     * @param fixedAt since when, or from when on, nobody can take it off; empty: it always can be
     */
    record SnapshotLock(LockMode mode, Instant until, Optional<Instant> fixedAt) {
        /** As a phrase: {@code locked in mode compliance until 2026-12-01T00:00:00Z}. */
        public String phrase() {
            return "locked in mode %s until %s".formatted(mode.name().toLowerCase(Locale.ROOT), until);
        }
    }

    /**
     * The lock that holds now; empty where there is none, or its time is over.
     *
     * @throws ProviderException SnapshotNotFound
     */
    Optional<SnapshotLock> lockOf(SnapshotId snapshot) throws ProviderException;

    /**
     * Locks, or changes a lock as far as its mode allows: one of compliance, once it is fixed, can only be made longer.
     * Asking again for the same changes nothing.
     *
     * @throws ProviderException SnapshotNotFound; Conflict where the storage has no such lock (naming its limits), or the lock
     *     that is there cannot become it; Busy while the snapshot is not at the storage yet
     */
    SnapshotLock lock(SnapshotId snapshot, LockRequest request) throws ProviderException;

    /**
     * Takes the lock off; does nothing where there is none.
     *
     * @throws ProviderException SnapshotNotFound; Conflict where nobody can any more, naming until when
     */
    void unlock(SnapshotId snapshot) throws ProviderException;
}
