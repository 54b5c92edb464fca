package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/** Follows a volume that takes long to be made. The storage leaves nothing of one that was cut off, so a restart asks again. */
final class CreateVolumeOperation implements OperationKind {
    static final String KIND = "create-volume";

    private final WorkAnywhere work;

    CreateVolumeOperation(Providers providers) {
        this.work = new WorkAnywhere(providers);
    }

    static ObjectNode request(VolumeId volume, long sizeBytes) {
        return Json.object().put("volume", volume.value()).put("sizeBytes", sizeBytes);
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
        var id = volume(request);
        long sizeBytes = request.path("sizeBytes").longValue();
        var made = work.finish(
                new WorkAnywhere.Work(
                        id,
                        running.operation().id().value(),
                        "creation of " + id,
                        Optional.empty(),
                        provider -> provider.startCreate(id, sizeBytes)),
                running);
        var result = Json.object();
        result.set("volume", Documents.volume(made));
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
