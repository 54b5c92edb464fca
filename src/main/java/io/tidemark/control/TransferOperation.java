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

/**
 * Sends a recovery point: a synchronisation, or a resync that overwrites. The replicator resumes what was sent already,
 * so a restart runs it again.
 */
final class TransferOperation implements OperationKind {
    static final String SYNC = "sync";
    static final String RESYNC = "resync";
    private final String kind;

    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final ReadableSnapshots readable;
    private final Replicator replicator;
    private final Observer observer;

    /** @param kind {@link #SYNC} or {@link #RESYNC} */
    TransferOperation(String kind, Inventory inventory, ControlPorts ports) {
        this.kind = kind;
        this.inventory = inventory;
        this.stores = ports.stores();
        this.readable = new ReadableSnapshots(ports.agents().providers());
        this.replicator = ports.agents().replicator();
        this.observer = ports.observer();
    }

    @Override
    public String name() {
        return kind;
    }

    private static LinkId link(ObjectNode request) {
        return new LinkId(Json.text(request, "link"));
    }

    static RecoveryPointId point(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        return List.of(Claim.alone(link(request)), Claim.shared(point(request)));
    }

    /** Of its peer: one that is slow holds up its own links alone. */
    @Override
    public String lane(ObjectNode request) {
        return inventory.laneOf(link(request));
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var link = SyncLink.sourceLink(inventory, link(request));
        var peer = inventory.peer(link.peer());
        var point = inventory.recoveryPoint(point(request));
        var snapshot = SyncLink.memberOf(link, point);
        // Paused while it waited, or before a restart took it up again.
        LinkStates.mustBeActive(link, kind);
        readable.await(snapshot, running);
        if (link.inStep().isEmpty()) {
            // The peer may not have heard of it: a crash can lie between the link's record and the peer's.
            replicator.openLink(link, peer, inventory.volume(link.localVolume()).sizeBytes());
        }
        var bases = bases(stores, link, point.id());
        var report = kind.equals(RESYNC)
                ? replicator.resync(link, peer, point, bases, running)
                : replicator.sync(link, peer, point, bases, running);
        stores.links().change(link.id(), current -> current.inStepWith(report));
        observer.synced(report);
        var result = Json.object();
        result.set("report", Documents.syncReport(report));
        return result;
    }

    /**
     * Newest first, no more than can be offered. What the link is in step with is always among them: it is the one that
     * both sides are known to have, however many were taken since.
     */
    static List<RecoveryPointId> bases(ControlPorts.Stores stores, ReplicationLink link, RecoveryPointId point) {
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
