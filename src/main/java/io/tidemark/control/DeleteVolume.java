package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.port.LiveHost;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.util.List;

/** Removes a volume that nothing needs. */
public final class DeleteVolume {
    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final LiveHost live;
    private final Busy busy;

    DeleteVolume(ControlPorts.Stores stores, Providers providers, LiveHost live, Busy busy) {
        this.stores = stores;
        this.providers = providers;
        this.live = live;
        this.busy = busy;
    }

    /**
     * @throws ControlException InUse, naming the group, link, live link, export or operation
     * @throws ProviderException VolumeNotFound; Conflict when it has snapshots
     */
    public void delete(VolumeId id) throws ControlException, ProviderException {
        try (var held = busy.hold("volume", id.value(), List.of(Claim.alone(id), Claim.writing(id)))) {
            var groups = stores.groups().ofVolume(id);
            if (!groups.isEmpty()) {
                throw new ControlException(new ControlError.InUse("volume", id.value(), "group " + groups.getFirst()));
            }
            for (var link : stores.links().all()) {
                if (link.localVolume().equals(id)) {
                    throw new ControlException(new ControlError.InUse("volume", id.value(), "link " + link.id()));
                }
            }
            RollbackRecoveryPoint.refuseLive(List.of(id), live);
            var provider = providers.of(id);
            provider.volume(id);
            provider.remove(id);
            stores.trackingAudits().remove(id);
        }
    }
}
