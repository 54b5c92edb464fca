package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.ControlError;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;

/** Exports. */
final class ExportEndpoints {
    private final SiteControl control;

    ExportEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("listExports", request -> list(control.exports().all()));
        endpoints.addOnce("createExport", this::create);
        endpoints.add(
                "getExport",
                request -> Answer.ok(Documents.export(control.exports().find(inPath(request)))));
        endpoints.add("deleteExport", this::delete);
    }

    private Answer delete(ApiRequest request) throws Exception {
        var ending = control.exports().remove(inPath(request));
        return ending.isPresent()
                ? Answer.accepted("/v1/exports/" + ending.get().export().id(), Documents.export(ending.get()))
                : Answer.noContent();
    }

    private Answer create(ApiRequest request, Intent intent) throws Exception {
        var source = request.text("source");
        var access = Export.Access.valueOf(request.text("access"));
        return Answer.created(items(opened(source, access, intent)));
    }

    private List<ExportHost.Open> opened(String source, Export.Access access, Intent intent) throws Exception {
        boolean snapshot = source.contains("@");
        boolean volume = !snapshot && source.contains(":");
        if (volume != (access == Export.Access.WRITABLE)) {
            throw new ControlException(new ControlError.Invalid(
                    "access",
                    access.name(),
                    "does not go with source " + source,
                    "WRITABLE of a volume; READ_ONLY or OVERLAY of a snapshot or recovery point"));
        }
        if (snapshot) {
            return control.exports().ofSnapshot(Endpoints.value("source", source, SnapshotId::parse), access, intent);
        }
        if (volume) {
            return control.exports().ofVolume(Endpoints.value("source", source, VolumeId::new), intent);
        }
        return control.exports()
                .ofRecoveryPoint(Endpoints.value("source", source, RecoveryPointId::new), access, intent);
    }

    private static Answer list(List<ExportHost.Open> exports) {
        return Answer.ok(items(exports));
    }

    private static ObjectNode items(List<ExportHost.Open> exports) {
        var answer = Json.object();
        var items = answer.putArray("items");
        exports.forEach(export -> items.add(Documents.export(export)));
        return answer;
    }

    private static ExportId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("exportId", request.inPath("exportId"), ExportId::new);
    }
}
