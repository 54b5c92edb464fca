package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.List;

/** Deletes a snapshot that is no member of a recovery point: one taken by itself, or a copy. */
public final class DeleteSnapshot {
    private final Providers providers;
    private final Inventory inventory;
    private final Busy busy;

    DeleteSnapshot(Providers providers, Inventory inventory, Busy busy) {
        this.providers = providers;
        this.inventory = inventory;
        this.busy = busy;
    }

    /**
     * @throws ControlException InUse by a recovery point or an operation
     * @throws ProviderException SnapshotNotFound, Held
     */
    public void delete(SnapshotId id) throws ControlException, ProviderException, InterruptedException {
        var point = id.recoveryPoint();
        var claims = List.of(Claim.alone(point), Claim.alone(id.volume()));
        try (var held = busy.hold("snapshot", id.toString(), claims)) {
            if (inventory.isMember(id)) {
                throw new ControlException(
                        new ControlError.InUse("snapshot", id.toString(), "recovery point " + point));
            }
            inventory.snapshot(id);
            var provider = providers.of(id.volume());
            StepRunner.finish(provider, provider.delete(id), Boolean.class, "delete " + id, ProgressListener.NONE);
        }
    }
}
