package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.SnapshotLock;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes a recovery point and its snapshots. Once begun it is written down, hidden, and finished after a crash. */
public final class DeleteRecoveryPoint {
    private static final Logger log = LoggerFactory.getLogger(DeleteRecoveryPoint.class);

    /** For who waits for it. */
    private static final Deletion FINISH = (provider, snapshot) -> StepRunner.finish(
            provider, provider.delete(snapshot), Boolean.class, "delete " + snapshot, ProgressListener.NONE);

    /** Of a deletion that was begun and whose storage refuses to go on, as it does with what was locked meanwhile. */
    private static final Duration AGAIN_FIRST = Duration.ofMinutes(10);

    private static final Duration AGAIN_MAXIMUM = Duration.ofDays(1);

    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final Inventory inventory;
    private final Busy busy;
    private final InstantSource clock;
    /** Deletions that were refused half-way, by this process. */
    private final Map<RecoveryPointId, Refused> refused = new ConcurrentHashMap<>();

    /** @param pause how long it is let be, twice as long each time */
    private record Refused(Instant notBefore, Duration pause) {}

    DeleteRecoveryPoint(
            ControlPorts.Stores stores, Providers providers, Inventory inventory, Busy busy, InstantSource clock) {
        this.clock = clock;
        this.stores = stores;
        this.providers = providers;
        this.inventory = inventory;
        this.busy = busy;
    }

    /**
     * Asked again after a failure, goes on with what is left.
     *
     * @throws ControlException NotFound; InUse when a link is in step with it or an operation works on it
     * @throws ProviderException Held, Denied, or Conflict where the storage has a member locked or in use: before anything
     *     is deleted, and then it stands as before; so it does where it cannot be told whether a member is locked. After
     *     others it may be half deleted: it is listed no more, and its deletion goes on by itself
     */
    public void delete(RecoveryPointId id) throws ControlException, ProviderException, InterruptedException {
        try (var held = busy.hold("recovery point", id.value(), List.of(Claim.alone(id)))) {
            var begun = begun(id);
            if (begun.isPresent()) {
                goOn(begun.orElseThrow(), FINISH);
                return;
            }
            var point = inventory.recoveryPoint(id);
            for (var link : stores.links().all()) {
                if (link.inStep().filter(id::equals).isPresent()) {
                    throw new ControlException(
                            new ControlError.InUse("recovery point", id.value(), "link " + link.id()));
                }
            }
            refuseLocked(point);
            begin(point);
        }
    }

    /** One whose deletion failed half-way: it is shown no more, but deleting it may be asked for again. */
    private Optional<RecoveryPoint> begun(RecoveryPointId id) {
        return stores.recoveryPoints().deleting().stream()
                .filter(point -> point.id().equals(id))
                .findFirst();
    }

    /** One member that is locked keeps them all: without it the others are of no use, and it would be shown no more. */
    private void refuseLocked(RecoveryPoint point) throws ProviderException {
        boolean isAlone = point.members().size() == 1;
        for (var member : point.members()) {
            var snapshot = member.snapshot();
            var locks = providers.of(snapshot.volume()).ability(SnapshotLocks.class);
            var lock = locks.isPresent() ? lock(locks.get(), snapshot, isAlone) : Optional.<SnapshotLock>empty();
            if (lock.isPresent()) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.toString(), "it is " + lock.get().phrase()));
            }
        }
    }

    /**
     * One that is gone has none. Where nobody may ask, the deletion of one that is alone is refused or not as a whole;
     * of several a locked one would be found only when others are gone.
     */
    private static Optional<SnapshotLock> lock(SnapshotLocks locks, SnapshotId snapshot, boolean isAlone)
            throws ProviderException {
        try {
            return locks.lockOf(snapshot);
        } catch (ProviderException e) {
            boolean isGone = e.error() instanceof ProviderError.SnapshotNotFound;
            if (!isGone && !(isAlone && e.error() instanceof ProviderError.Denied)) {
                throw e;
            }
            log.debug("recovery_point.lock_untold snapshot={} {}", snapshot, e.getMessage());
            return Optional.empty();
        }
    }

    /** Deletes one snapshot. */
    private interface Deletion {
        void delete(StorageProvider provider, SnapshotId snapshot)
                throws ControlException, ProviderException, InterruptedException;
    }

    /**
     * Where the storage refuses its first snapshot outright nothing is deleted, and it stands as before. After any
     * other failure something may be: it stays hidden, and {@link #recover} goes on.
     */
    private void begin(RecoveryPoint point) throws ControlException, ProviderException, InterruptedException {
        var snapshots = inOrder(point);
        var first = snapshots.getFirst();
        var provider = providers.of(first.volume());
        stores.recoveryPoints().markDeleting(point.id(), true);
        Step<Boolean> step;
        try {
            step = provider.delete(first);
        } catch (ProviderException failure) {
            if (isRefusal(failure.error())) {
                stores.recoveryPoints().markDeleting(point.id(), false);
            }
            throw failure;
        }
        var unused = StepRunner.finish(provider, step, Boolean.class, "delete " + first, ProgressListener.NONE);
        finish(point, snapshots.subList(1, snapshots.size()), FINISH);
    }

    private static boolean isRefusal(ProviderError error) {
        return error instanceof ProviderError.Held
                || error instanceof ProviderError.Conflict
                || error instanceof ProviderError.Denied;
    }

    /** What was deleted before is not known; deleting it once more does nothing. Never shown again, whatever fails. */
    private void goOn(RecoveryPoint point, Deletion deletion)
            throws ControlException, ProviderException, InterruptedException {
        finish(point, inOrder(point), deletion);
    }

    private void finish(RecoveryPoint point, List<SnapshotId> left, Deletion deletion)
            throws ControlException, ProviderException, InterruptedException {
        for (var snapshot : left) {
            deletion.delete(providers.of(snapshot.volume()), snapshot);
        }
        stores.recoveryPoints().remove(point.id());
        refused.remove(point.id());
        log.info(
                "recovery_point.deleted recoveryPoint={} snapshots={}",
                point.id(),
                point.members().size());
    }

    /** What a link may hold comes first: if it does, nothing has been deleted yet. */
    private List<SnapshotId> inOrder(RecoveryPoint point) {
        Set<VolumeId> linked =
                stores.links().all().stream().map(ReplicationLink::localVolume).collect(Collectors.toSet());
        var snapshots = new ArrayList<SnapshotId>();
        point.members().forEach(member -> snapshots.add(member.snapshot()));
        snapshots.sort(Comparator.comparing(snapshot -> !linked.contains(snapshot.volume())));
        return snapshots;
    }

    /**
     * Goes on with deletions that were begun and not finished, by the last process or by this one. One that the storage
     * refuses is tried after 10 minutes, and then half as often each time, down to once a day.
     */
    void recover() throws InterruptedException {
        for (var point : stores.recoveryPoints().deleting()) {
            var last = Optional.ofNullable(refused.get(point.id()));
            if (last.isPresent() && clock.instant().isBefore(last.get().notBefore())) {
                continue;
            }
            var claims = List.of(Claim.alone(point.id()));
            try (var held = busy.hold("recovery point", point.id().value(), claims)) {
                goOn(point, StepRunner::deleteSoon);
            } catch (ProviderException failure) {
                var pause = failure.error() instanceof ProviderError.Conflict ? later(point.id(), last) : AGAIN_FIRST;
                log.warn(
                        "recovery_point.deletion_unfinished recoveryPoint={} it is tried again in {} min: {}",
                        point.id(),
                        pause.toMinutes(),
                        failure.getMessage());
            } catch (ControlException failure) {
                log.warn(
                        "recovery_point.deletion_unfinished recoveryPoint={} it is tried again: {}",
                        point.id(),
                        failure.getMessage());
            }
        }
    }

    private Duration later(RecoveryPointId id, Optional<Refused> last) {
        var pause = last.map(each -> each.pause().multipliedBy(2)).orElse(AGAIN_FIRST);
        var bounded = pause.compareTo(AGAIN_MAXIMUM) > 0 ? AGAIN_MAXIMUM : pause;
        refused.put(id, new Refused(clock.instant().plus(bounded), bounded));
        return bounded;
    }
}
