package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;
import java.util.OptionalLong;

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

    /** @param asked empty for the newest of the link's group */
    public Operation start(LinkId id, Optional<RecoveryPointId> asked, Intent intent) throws ControlException {
        var link = sourceLink(inventory, id);
        var point = asked.isPresent() ? inventory.recoveryPoint(asked.orElseThrow()) : newest(link);
        mustHoldVolume(link, point);
        var request = Json.object()
                .put("link", id.value())
                .put("recoveryPoint", point.id().value());
        return operations.start(
                new Operations.Request(intent.operation(), SyncOperation.KIND, id.value(), request, Optional.empty()));
    }

    private RecoveryPoint newest(ReplicationLink link) throws ControlException {
        return stores.recoveryPoints().page(Optional.of(link.group()), OptionalLong.empty(), 1).items().stream()
                .findFirst()
                .orElseThrow(() -> new ControlException(new ControlError.NotFound(
                        "recovery point of group", link.group().value())));
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

    static void mustHoldVolume(ReplicationLink link, RecoveryPoint point) throws ControlException {
        if (point.snapshotOf(link.localVolume()).isEmpty()) {
            throw new ControlException(new ControlError.Invalid(
                    "recoveryPoint",
                    point.id().value(),
                    "has no snapshot of volume " + link.localVolume(),
                    "a recovery point of group " + link.group()));
        }
    }
}
