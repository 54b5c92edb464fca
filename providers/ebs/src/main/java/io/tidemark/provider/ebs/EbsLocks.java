package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Locks of snapshots. What a lock can become is told before Amazon is asked, for it does not document what it answers. Rules:
 * API reference, "LockSnapshot", "UnlockSnapshot"; EBS User Guide, "Amazon EBS snapshot lock concepts".
 */
final class EbsLocks implements SnapshotLocks {
    private static final Duration SHORTEST = Duration.ofDays(1);
    private static final Duration LONGEST = Duration.ofDays(36_500);
    private static final Duration COOLING_OFF_MAXIMUM = Duration.ofDays(3);
    /** Between the reckoning of "for a day" and Amazon's look at it. */
    private static final Duration LATE = Duration.ofMinutes(5);

    private final ProtectionCalls calls;
    private final UploadedSnapshots snapshots;
    private final InstantSource clock;

    EbsLocks(ProtectionCalls calls, UploadedSnapshots snapshots, InstantSource clock) {
        this.calls = calls;
        this.snapshots = snapshots;
        this.clock = clock;
    }

    /** What is not at Amazon yet has none. */
    @Override
    public Optional<SnapshotLock> lockOf(SnapshotId snapshot) throws ProviderException {
        if (snapshots.isStaged(snapshot)) {
            return Optional.empty();
        }
        return snapshots.ask(snapshot, found -> calls.lockOf(found.id()));
    }

    @Override
    public SnapshotLock lock(SnapshotId snapshot, LockRequest request) throws ProviderException {
        var wanted = new LockRequest(
                request.mode(),
                inTime(snapshot, request.until()).truncatedTo(ChronoUnit.SECONDS),
                request.coolingOff());
        checkCoolingOff(snapshot, wanted.coolingOff());
        return snapshots.change(snapshot, found -> {
            var present = calls.lockOf(found.id());
            if (present.isPresent() && isSame(present.get(), wanted)) {
                return present.get();
            }
            boolean isFixed = present.isPresent() && isFixed(present.get());
            if (isFixed) {
                refuseLess(snapshot, present.get(), wanted);
            }
            if (found.state().equals("error")) {
                throw new ProviderException(new ProviderError.Corrupt(snapshot.toString(), found.message()));
            }
            // Of one that is fixed only the end can be changed, and Amazon refuses a cooling-off.
            calls.lock(found.id(), isFixed ? longer(wanted) : wanted);
            return calls.lockOf(found.id())
                    .orElseThrow(() -> new ProviderException(new ProviderError.Busy(
                            snapshot.toString(),
                            "Amazon, which does not show the lock yet",
                            UploadedSnapshots.ASK_AGAIN)));
        });
    }

    private static LockRequest longer(LockRequest wanted) {
        return new LockRequest(wanted.mode(), wanted.until(), Duration.ZERO);
    }

    /** Of what is asked for as "a day from now" a little has passed. */
    private Instant inTime(SnapshotId snapshot, Instant until) throws ProviderException {
        var now = clock.instant();
        var earliest = now.plus(SHORTEST);
        if (until.isBefore(earliest.minus(LATE)) || until.isAfter(now.plus(LONGEST))) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "a lock until %s: Amazon locks for 1 to %d days".formatted(until, LONGEST.toDays())));
        }
        return until.isBefore(earliest.plus(LATE)) ? earliest.plus(LATE) : until;
    }

    private static void checkCoolingOff(SnapshotId snapshot, Duration coolingOff) throws ProviderException {
        if (coolingOff.compareTo(COOLING_OFF_MAXIMUM) > 0
                || !coolingOff.equals(Duration.ofHours(coolingOff.toHours()))) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "a cooling-off of %s: Amazon has none, or 1 to %d whole hours"
                            .formatted(coolingOff, COOLING_OFF_MAXIMUM.toHours())));
        }
    }

    private boolean isFixed(SnapshotLock lock) {
        return lock.fixedAt().filter(at -> !clock.instant().isBefore(at)).isPresent();
    }

    /** An answer that was lost is asked for again: then the lock is there. */
    private boolean isSame(SnapshotLock present, LockRequest wanted) {
        return present.mode() == wanted.mode()
                && present.until().truncatedTo(ChronoUnit.SECONDS).equals(wanted.until())
                && (present.mode() == LockMode.GOVERNANCE
                        || isFixed(present)
                        || !wanted.coolingOff().isZero());
    }

    private static void refuseLess(SnapshotId snapshot, SnapshotLock present, LockRequest wanted)
            throws ProviderException {
        if (wanted.mode() != LockMode.COMPLIANCE || wanted.until().isBefore(present.until())) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "it is %s, and its cooling-off is over: it can only be made longer".formatted(present.phrase())));
        }
    }

    @Override
    public void unlock(SnapshotId snapshot) throws ProviderException {
        var unused = snapshots.change(snapshot, found -> {
            var present = calls.lockOf(found.id());
            if (present.isEmpty()) {
                return false;
            }
            if (isFixed(present.get())) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.toString(),
                        "it is %s, and its cooling-off is over: nobody can unlock it before"
                                .formatted(present.get().phrase())));
            }
            calls.unlock(found.id());
            return true;
        });
    }
}
