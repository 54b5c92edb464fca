package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** Starts putting every volume of a recovery point back to it. */
public final class RollbackRecoveryPoint {
    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final Operations operations;

    RollbackRecoveryPoint(Inventory inventory, ControlPorts.Stores stores, Operations operations) {
        this.inventory = inventory;
        this.stores = stores;

        this.operations = operations;
    }

    /**
     * @throws ControlException Unsupported; InUse when a volume is the target of a link, whose next synchronisation
     *     would find it written
     * @throws ProviderException VolumeNotFound
     */
    public Operation start(RecoveryPointId id, Intent intent) throws ControlException, ProviderException {
        var point = inventory.recoveryPoint(id);
        for (var member : point.members()) {
            var volume = inventory.volume(member.volume());
            if (!volume.can(Capability.ROLLBACK)) {
                throw new ControlException(new ControlError.Unsupported(member.volume(), Capability.ROLLBACK));
            }
            for (var link : stores.links().all()) {
                if (link.role() == ReplicationLink.Role.TARGET
                        && link.localVolume().equals(member.volume())) {
                    throw new ControlException(
                            new ControlError.InUse("volume", member.volume().value(), "link " + link.id()));
                }
            }
        }
        return operations.start(new Operations.Request(
                intent.operation(),
                RollbackOperation.KIND,
                id.value(),
                Json.object().put("recoveryPoint", id.value()),
                Optional.empty()));
    }
}
