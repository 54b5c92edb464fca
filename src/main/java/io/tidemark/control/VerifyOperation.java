package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Replicator;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;

/** Compares both sides; reads only, so a restart runs it again. */
final class VerifyOperation implements OperationKind {
    static final String KIND = "verify";

    private final Inventory inventory;
    private final ReadableSnapshots readable;
    private final Replicator replicator;

    VerifyOperation(Inventory inventory, ControlPorts.Agents agents) {
        this.inventory = inventory;
        this.readable = new ReadableSnapshots(agents.providers());
        this.replicator = agents.replicator();
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

    /** Of its peer: one that is slow holds up its own links alone. */
    @Override
    public String lane(ObjectNode request) {
        return inventory.laneOf(link(request));
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var link = inventory.link(link(request));
        readable.await(SyncLink.memberOf(link, inventory.recoveryPoint(point(request))), running);
        var report = replicator.verify(link, inventory.peer(link.peer()), point(request), running);
        var result = Json.object();
        result.set("report", Documents.verifyReport(report));
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
