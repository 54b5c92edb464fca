package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** Starts comparing a recovery point with its copy. */
public final class VerifyLink {
    private final Inventory inventory;
    private final Operations operations;

    VerifyLink(Inventory inventory, Operations operations) {
        this.inventory = inventory;
        this.operations = operations;
    }

    /** @param asked empty for the one the link is in step with */
    public Operation start(LinkId id, Optional<RecoveryPointId> asked, Intent intent) throws ControlException {
        var link = SyncLink.sourceLink(inventory, id);
        var wanted = asked.or(link::inStep)
                .orElseThrow(() -> new ControlException(
                        new ControlError.NotFound("recovery point in step over link", id.value())));
        var point = inventory.recoveryPoint(wanted);
        var unused = SyncLink.memberOf(link, point);
        var request = Json.object().put("link", id.value()).put("recoveryPoint", wanted.value());
        return operations.start(new Operations.Request(
                intent.operation(), VerifyOperation.KIND, id.value(), request, Optional.empty()));
    }
}
