package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/** Clones one member. The storage makes one clone per snapshot and name, so a restart asks again. */
final class CloneOperation implements OperationKind {
    static final String KIND = "clone";

    private final Inventory inventory;
    private final WorkAnywhere work;

    CloneOperation(Inventory inventory, Providers providers) {
        this.inventory = inventory;
        this.work = new WorkAnywhere(providers);
    }

    @Override
    public String name() {
        return KIND;
    }

    private static RecoveryPointId point(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    private static VolumeId newName(ObjectNode request) {
        return new VolumeId(Json.text(request, "name"));
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        return List.of(Claim.shared(point(request)), Claim.alone(newName(request)));
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var volume = new VolumeId(Json.text(request, "volume"));
        var snapshot = inventory
                .recoveryPoint(point(request))
                .snapshotOf(volume)
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("member", volume.value())));
        var clone = work.finish(
                new WorkAnywhere.Work(
                        newName(request),
                        running.operation().id().value(),
                        "clone " + newName(request),
                        Optional.empty(),
                        provider -> provider.clone(new CloneRequest(snapshot, newName(request)))),
                running);
        var result = Json.object();
        result.set("volume", Documents.volume(clone));
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
