package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.agent.Replicator;
import io.tidemark.agent.TargetSessions;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;

/** Forgets a link on this side and releases what it held; recovery points and the copy stay. */
public final class DeleteLink {
    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final Replicator replicator;
    private final TargetSessions targetSessions;
    private final Inventory inventory;
    private final Busy busy;

    DeleteLink(ControlPorts.Stores stores, ControlPorts.Agents agents, Inventory inventory, Busy busy) {
        this.stores = stores;
        this.providers = agents.providers();
        this.replicator = agents.replicator();
        this.targetSessions = agents.targetSessions();
        this.inventory = inventory;
        this.busy = busy;
    }

    /** @throws ControlException NotFound; InUse while it synchronises, or has received what is not applied yet */
    public void delete(LinkId id) throws ControlException, ProviderException, ReplicationException {
        try (var held = busy.hold("link", id.value(), List.of(Claim.alone(id)))) {
            var link = inventory.link(id);
            if (link.role() == ReplicationLink.Role.TARGET) {
                var inTheWay = targetSessions.retire(id);
                if (inTheWay.isPresent()) {
                    throw new ControlException(new ControlError.InUse("link", id.value(), inTheWay.orElseThrow()));
                }
            }
            // By what lies on the storage, not by what is recorded: a dead synchronisation may have held what is not.
            for (var snapshot : snapshots(link.localVolume())) {
                release(snapshot.id(), new HoldOwner(id.value()));
            }
            stores.links().remove(id);
            replicator.forget(id);
        }
    }

    private List<Snapshot> snapshots(VolumeId volume) throws ProviderException {
        try {
            return providers.snapshotsOf(volume);
        } catch (ProviderException failure) {
            if (failure.error() instanceof ProviderError.VolumeNotFound) {
                return List.of();
            }
            throw failure;
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
