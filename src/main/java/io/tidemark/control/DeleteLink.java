package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.LinkId;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.List;

/** Forgets a link on this side and releases what it held; recovery points and the copy stay. */
public final class DeleteLink {
    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final Inventory inventory;
    private final Busy busy;

    DeleteLink(ControlPorts.Stores stores, Providers providers, Inventory inventory, Busy busy) {
        this.stores = stores;
        this.providers = providers;
        this.inventory = inventory;
        this.busy = busy;
    }

    /** @throws ControlException NotFound; at the source, InUse while it synchronises (a target does not know yet) */
    public void delete(LinkId id) throws ControlException, ProviderException {
        try (var held = busy.hold("link", id.value(), List.of(Claim.alone(id)))) {
            var link = inventory.link(id);
            var owner = new HoldOwner(id.value());
            for (var point : stores.recoveryPoints().ofVolume(link.localVolume())) {
                var snapshot = point.snapshotOf(link.localVolume());
                if (snapshot.isPresent()) {
                    release(snapshot.orElseThrow(), owner);
                }
            }
            stores.links().remove(id);
        }
    }

    private void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        try {
            providers.of(snapshot.volume()).release(snapshot, owner);
        } catch (ProviderException failure) {
            boolean gone = failure.error() instanceof ProviderError.SnapshotNotFound
                    || failure.error() instanceof ProviderError.VolumeNotFound;
            if (!gone) {
                throw failure;
            }
        }
    }
}
