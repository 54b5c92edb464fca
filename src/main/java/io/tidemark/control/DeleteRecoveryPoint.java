package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes a recovery point and its snapshots. Once begun it is written down, hidden, and finished after a crash. */
public final class DeleteRecoveryPoint {
    private static final Logger log = LoggerFactory.getLogger(DeleteRecoveryPoint.class);

    /** For who waits for it. */
    private static final Deletion FINISH = (provider, snapshot) -> StepRunner.finish(
            provider, provider.delete(snapshot), Boolean.class, "delete " + snapshot, ProgressListener.NONE);

    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final Inventory inventory;
    private final Busy busy;

    DeleteRecoveryPoint(ControlPorts.Stores stores, Providers providers, Inventory inventory, Busy busy) {
        this.stores = stores;
        this.providers = providers;
        this.inventory = inventory;
        this.busy = busy;
    }

    /**
     * Asked again after a failure, goes on with what is left.
     *
     * @throws ControlException NotFound; InUse when a link is in step with it or an operation works on it
     * @throws ProviderException Held, Unreachable, before anything is deleted
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
            stores.recoveryPoints().markDeleting(id, true);
            begin(point);
        }
    }

    /** One whose deletion failed half-way: it is shown no more, but deleting it may be asked for again. */
    private Optional<RecoveryPoint> begun(RecoveryPointId id) {
        return stores.recoveryPoints().deleting().stream()
                .filter(point -> point.id().equals(id))
                .findFirst();
    }

    /** Deletes one snapshot. */
    private interface Deletion {
        void delete(StorageProvider provider, SnapshotId snapshot)
                throws ControlException, ProviderException, InterruptedException;
    }

    /** Where its first snapshot is refused nothing is deleted, and it stands as before. */
    private void begin(RecoveryPoint point) throws ControlException, ProviderException, InterruptedException {
        var snapshots = inOrder(point);
        var first = snapshots.getFirst();
        try {
            FINISH.delete(providers.of(first.volume()), first);
        } catch (ProviderException failure) {
            if (failure.error() instanceof ProviderError.Held || failure.error() instanceof ProviderError.Unreachable) {
                stores.recoveryPoints().markDeleting(point.id(), false);
            }
            throw failure;
        }
        finish(point, snapshots.subList(1, snapshots.size()), FINISH);
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

    /** Goes on with deletions that were begun and not finished, by the last process or by this one. */
    void recover() throws InterruptedException {
        for (var point : stores.recoveryPoints().deleting()) {
            var claims = List.of(Claim.alone(point.id()));
            try (var held = busy.hold("recovery point", point.id().value(), claims)) {
                goOn(point, StepRunner::deleteSoon);
            } catch (ControlException | ProviderException failure) {
                log.warn(
                        "recovery_point.deletion_unfinished recoveryPoint={} it is tried again: {}",
                        point.id(),
                        failure.getMessage());
            }
        }
    }
}
