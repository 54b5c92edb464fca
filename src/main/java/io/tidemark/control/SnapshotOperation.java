package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;

/** Cuts one volume. The storage makes one snapshot per id however often it is asked, so a restart asks again. */
final class SnapshotOperation implements OperationKind {
    static final String KIND = "snapshot";

    private final Providers providers;
    private final Moments moments;

    SnapshotOperation(Providers providers, Moments moments) {
        this.providers = providers;
        this.moments = moments;
    }

    @Override
    public String name() {
        return KIND;
    }

    private static VolumeId volume(ObjectNode request) {
        return new VolumeId(Json.text(request, "volume"));
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        return List.of(Claim.alone(volume(request)));
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var volume = volume(request);
        var provider = providers.of(volume);
        var cutRequest = new CutRequest(new RecoveryPointId(Json.text(request, "recoveryPoint")), List.of(volume));
        provider.prepare(cutRequest);
        var cut = provider.cut(cutRequest);
        moments.reached(Moment.SNAPSHOT_CUT);
        var result = Json.object();
        result.set("snapshot", Documents.snapshot(cut.members().getFirst().snapshot()));
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
