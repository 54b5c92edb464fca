package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.SiteControl;
import io.tidemark.control.WhenOpen;
import io.tidemark.control.document.Documents;
import io.tidemark.domain.GroupId;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** Recovery points. */
final class RecoveryPointEndpoints {
    private final SiteControl control;

    RecoveryPointEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.addOnce("createRecoveryPoint", this::create);
        endpoints.add("listRecoveryPoints", this::list);
        endpoints.add(
                "getRecoveryPoint",
                request -> Answer.ok(
                        Documents.recoveryPoint(control.inventory().recoveryPointOrItsDeletion(inPath(request)))));
        endpoints.add("deleteRecoveryPoint", request -> {
            control.points().delete().delete(inPath(request));
            return Answer.noContent();
        });
        endpoints.addOnce(
                "cloneRecoveryPoint",
                (request, intent) -> Endpoints.accepted(control.points()
                        .cloneMember()
                        .start(
                                inPath(request),
                                Endpoints.value("volume", request.text("volume"), VolumeId::new),
                                Endpoints.value("name", request.text("name"), VolumeId::new),
                                intent)));
        endpoints.addOnce(
                "rollbackRecoveryPoint",
                (request, intent) -> Endpoints.accepted(
                        control.points().rollback().start(inPath(request), whenOpen(request), intent)));
    }

    private static WhenOpen whenOpen(ApiRequest request) throws ControlException {
        var word = request.optionalText("whenOpen");
        return word.isEmpty() ? WhenOpen.REFUSE : Endpoints.value("whenOpen", word.orElseThrow(), WhenOpen::of);
    }

    private static RecoveryPointId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("recoveryPointId", request.inPath("recoveryPointId"), RecoveryPointId::new);
    }

    private Answer create(ApiRequest request, Intent intent) throws Exception {
        var group = VolumeEndpoints.groupInPath(request);
        if (request.body().path("dryRun").asBoolean(false)) {
            return Answer.ok(Documents.plan(control.points().create().plan(group, intent)));
        }
        return Endpoints.accepted(control.points().create().start(group, intent));
    }

    private Answer list(ApiRequest request) throws Exception {
        Optional<GroupId> group = request.inQuery("group").isPresent()
                ? Optional.of(Endpoints.value("group", request.inQuery("group").orElseThrow(), GroupId::new))
                : Optional.empty();
        return Endpoints.page(
                control.inventory().recoveryPoints(group, request.cursor(), request.limit()),
                Documents::recoveryPointSummary);
    }
}
