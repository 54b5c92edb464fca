package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Replicator;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayList;
import java.util.List;

/** Sends a recovery point. The replicator resumes what was sent already, so a restart runs it again. */
final class SyncOperation implements OperationKind {
    static final String KIND = "sync";

    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final Replicator replicator;
    private final Observer observer;

    SyncOperation(Inventory inventory, ControlPorts ports) {
        this.inventory = inventory;
        this.stores = ports.stores();
        this.replicator = ports.agents().replicator();
        this.observer = ports.observer();
    }

    @Override
    public String name() {
        return KIND;
    }

    private static LinkId link(ObjectNode request) {
        return new LinkId(Json.text(request, "link"));
    }

    private static RecoveryPointId point(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        return List.of(Claim.alone(link(request)), Claim.shared(point(request)));
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var link = SyncLink.sourceLink(inventory, link(request));
        var peer = inventory.peer(link.peer());
        var point = inventory.recoveryPoint(point(request));
        SyncLink.mustHoldVolume(link, point);
        if (link.inStep().isEmpty()) {
            // The peer may not have heard of it: a crash can lie between the link's record and the peer's.
            replicator.openLink(link, peer, inventory.volume(link.localVolume()).sizeBytes());
        }
        var report = replicator.sync(link, peer, point, bases(link, point.id()), running);
        // Read again: while it ran, the link may have been changed, but not by another synchronisation.
        stores.links().find(link.id()).ifPresent(current -> stores.links().save(current.inStepWith(report)));
        observer.synced(report);
        var result = Json.object();
        result.set("report", Documents.syncReport(report));
        return result;
    }

    /**
     * Newest first, no more than can be offered. What the link is in step with is always among them: it is the one that
     * both sides are known to have, however many were taken since.
     */
    private List<RecoveryPointId> bases(ReplicationLink link, RecoveryPointId point) {
        var known = stores.recoveryPoints().ofVolume(link.localVolume()).stream()
                .map(RecoveryPoint::id)
                .filter(id -> !id.equals(point))
                .toList();
        if (known.size() <= Replicator.BASES_MAXIMUM) {
            return known;
        }
        var offered = new ArrayList<>(known.subList(0, Replicator.BASES_MAXIMUM));
        link.inStep()
                .filter(id -> known.contains(id) && !offered.contains(id))
                .ifPresent(id -> offered.set(Replicator.BASES_MAXIMUM - 1, id));
        return List.copyOf(offered);
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
