package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Optional;

/** What the storage does with one snapshot besides keeping it: locks, the archive, fast restores, the recycle bin. */
final class ProtectionEndpoints {
    private final SiteControl control;

    ProtectionEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("getSnapshot", request -> shown(snapshotInPath(request)));
        endpoints.add("lockSnapshot", this::lock);
        endpoints.add("unlockSnapshot", this::unlock);
        endpoints.add("setSnapshotTier", this::setTier);
        endpoints.add("setFastRestore", this::setFastRestore);
        endpoints.add("listRecycleBin", this::listBin);
        endpoints.add("undeleteSnapshot", this::undelete);
    }

    private Answer shown(SnapshotId id) throws Exception {
        var inventory = control.inventory();
        var document = Documents.snapshot(inventory.snapshot(id), inventory.readiness(id));
        return Answer.ok(control.volumes().protectSnapshot().of(id).addedTo(document));
    }

    private Answer lock(ApiRequest request) throws Exception {
        var id = snapshotInPath(request);
        var until = Endpoints.value("until", request.text("until"), ProtectionEndpoints::time);
        long hours = request.body().path("coolingOffHours").asLong(0);
        var asked = Endpoints.value(
                "coolingOffHours",
                String.valueOf(hours),
                text -> new LockRequest(
                        LockMode.valueOf(request.text("mode")), until.toInstant(), Duration.ofHours(hours)));
        control.volumes().protectSnapshot().lock(id, asked);
        return shown(id);
    }

    /** What cannot be read as a time is an illegal argument, as of every other value. */
    private static OffsetDateTime time(String text) {
        try {
            return OffsetDateTime.parse(text);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("no time such as 2027-01-31T00:00:00Z", e);
        }
    }

    private Answer unlock(ApiRequest request) throws Exception {
        var id = snapshotInPath(request);
        control.volumes().protectSnapshot().unlock(id);
        return shown(id);
    }

    private Answer setTier(ApiRequest request) throws Exception {
        var id = snapshotInPath(request);
        if (request.text("tier").equals("ARCHIVE")) {
            control.volumes().protectSnapshot().archive(id);
        } else {
            var days = request.body().path("days");
            control.volumes()
                    .protectSnapshot()
                    .restore(id, days.isMissingNode() ? Optional.empty() : Optional.of(days.intValue()));
        }
        return shown(id);
    }

    private Answer setFastRestore(ApiRequest request) throws Exception {
        var id = snapshotInPath(request);
        var zones = new ArrayList<String>();
        request.body().path("zones").forEach(zone -> zones.add(zone.asText()));
        control.volumes()
                .protectSnapshot()
                .setFastRestore(id, zones, request.body().path("on").asBoolean(true));
        return shown(id);
    }

    private Answer listBin(ApiRequest request) throws Exception {
        var answer = Json.object();
        var items = answer.putArray("items");
        for (var each : control.volumes().protectSnapshot().binned(request.inPath("provider"))) {
            var item = items.addObject()
                    .put("id", each.id().toString())
                    .put("deletedAt", each.deletedAt().toString());
            each.goneAt().ifPresent(at -> item.put("goneAt", at.toString()));
        }
        return Answer.ok(answer);
    }

    private Answer undelete(ApiRequest request) throws Exception {
        var id = snapshotInPath(request);
        control.volumes().protectSnapshot().undelete(id);
        return shown(id);
    }

    private static SnapshotId snapshotInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("snapshotId", request.inPath("snapshotId"), SnapshotId::parse);
    }
}
