package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.util.Optional;

/** Starts sending a recovery point over a link. */
public final class SyncLink {
    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final Operations operations;

    SyncLink(Inventory inventory, ControlPorts.Stores stores, Operations operations) {
        this.inventory = inventory;
        this.stores = stores;
        this.operations = operations;
    }

    /**
     * @param asked empty for the newest of the link's group, those that its volume received among them
     * @throws ControlException NotFound, Invalid; LinkState unless it is active
     */
    public Operation start(LinkId id, Optional<RecoveryPointId> asked, Intent intent) throws ControlException {
        return start(id, asked, TransferOperation.SYNC, intent);
    }

    Operation start(LinkId id, Optional<RecoveryPointId> asked, String kind, Intent intent) throws ControlException {
        var link = sourceLink(inventory, id);
        LinkStates.mustBeActive(link, kind);
        var point = asked.isPresent() ? inventory.recoveryPoint(asked.orElseThrow()) : newest(link);
        var unused = memberOf(link, point);
        var request = Json.object()
                .put("link", id.value())
                .put("recoveryPoint", point.id().value());
        return operations.start(
                new Operations.Request(intent.operation(), kind, id.value(), request, Optional.empty()));
    }

    private RecoveryPoint newest(ReplicationLink link) throws ControlException {
        return newest(stores, link)
                .orElseThrow(() -> new ControlException(new ControlError.NotFound(
                        "recovery point of group", link.group().value())));
    }

    /** Of the link's group, or received over another link: a chain sends on what comes, under its first group's name. */
    static Optional<RecoveryPoint> newest(ControlPorts.Stores stores, ReplicationLink link) {
        return stores.recoveryPoints().ofVolume(link.localVolume()).stream()
                .filter(point -> point.group().equals(link.group())
                        || point.receivedOver().isPresent())
                .findFirst();
    }

    static ReplicationLink sourceLink(Inventory inventory, LinkId id) throws ControlException {
        var link = inventory.link(id);
        if (link.role() != ReplicationLink.Role.SOURCE) {
            throw new ControlException(new ControlError.Invalid(
                    "linkId",
                    id.value(),
                    "is received here, not sent",
                    "a link of role SOURCE; ask at peer " + link.peer()));
        }
        return link;
    }

    static SnapshotId memberOf(ReplicationLink link, RecoveryPoint point) throws ControlException {
        return point.snapshotOf(link.localVolume())
                .orElseThrow(() -> new ControlException(new ControlError.Invalid(
                        "recoveryPoint",
                        point.id().value(),
                        "has no snapshot of volume " + link.localVolume(),
                        "a recovery point of group " + link.group())));
    }
}
