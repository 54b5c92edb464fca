package io.tidemark.provider.fakecloud.aws;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Lock, recycle bin, tier and fast restores of one snapshot. Guarded by the lock of the account. */
final class SnapshotProtection {
    @Nullable
    String lockMode;

    Instant lockCreated = Instant.EPOCH;
    Instant lockExpires = Instant.EPOCH;
    Instant coolOffExpires = Instant.EPOCH;
    int coolOffHours;

    @Nullable
    Instant enteredBin;

    Instant leavesBin = Instant.EPOCH;

    Instant tieringStarted = Instant.EPOCH;
    Instant tieringEnds = Instant.EPOCH;
    /** Of a temporary restore; absent of a permanent one. */
    @Nullable
    Instant restoreExpires;

    @Nullable
    String tieringKind;

    /** By availability zone. */
    final Map<String, FastRestore> fastRestores = new TreeMap<>();

    /** When a fast restore was asked for and, if so, asked to end. */
    record FastRestore(Instant enabling, @Nullable Instant disabling) {
        private static final Duration STEP = Duration.ofMinutes(1);

        String state(Instant now) {
            if (disabling != null) {
                return now.isBefore(disabling.plus(STEP)) ? "disabling" : "disabled";
            }
            if (now.isBefore(enabling.plus(STEP))) {
                return "enabling";
            }
            return now.isBefore(enabling.plus(STEP).plus(STEP)) ? "optimizing" : "enabled";
        }
    }

    /** State of the lock in the words of DescribeLockedSnapshots; absent where there never was one. */
    @Nullable
    String lockState(Instant now) {
        if (lockMode == null) {
            return null;
        }
        if (!now.isBefore(lockExpires)) {
            return "expired";
        }
        if (lockMode.equals("compliance") && now.isBefore(coolOffExpires)) {
            return "compliance-cooloff";
        }
        return lockMode;
    }

    boolean locked(Instant now) {
        String state = lockState(now);
        return state != null && !state.equals("expired");
    }

    /** Whether its blocks cannot be read: it lies in the archive, and no restore of it has ended. */
    boolean archivedAt(Instant now) {
        if (tieringKind == null) {
            return false;
        }
        boolean under = now.isBefore(tieringEnds);
        if (tieringKind.equals("archival")) {
            return !under;
        }
        return under || (restoreExpires != null && !now.isBefore(restoreExpires));
    }

    /** {@code archival-in-progress} and the like; absent where its tier was never changed. */
    @Nullable
    String tieringStatus(Instant now) {
        return tieringKind == null ? null : tieringKind + (now.isBefore(tieringEnds) ? "-in-progress" : "-completed");
    }
}
