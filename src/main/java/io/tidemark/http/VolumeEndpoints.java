package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.ControlError;
import io.tidemark.control.ControlException;
import io.tidemark.control.CreateVolume;
import io.tidemark.control.Intent;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;

/** Volumes, snapshots and groups. */
final class VolumeEndpoints {
    private final SiteControl control;

    VolumeEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("listVolumes", this::listVolumes);
        endpoints.addOnce("createVolume", this::createVolume);
        endpoints.add("getVolume", this::getVolume);
        endpoints.add("deleteVolume", this::deleteVolume);
        endpoints.add("getTracking", this::getTracking);
        endpoints.add("trustTracking", this::trustTracking);
        endpoints.add("listSnapshots", this::listSnapshots);
        endpoints.addOnce("takeSnapshot", this::takeSnapshot);
        endpoints.add("deleteSnapshot", this::deleteSnapshot);
        endpoints.addOnce("copySnapshot", this::copySnapshot);
        endpoints.add("listGroups", this::listGroups);
        endpoints.addOnce("createGroup", this::createGroup);
        endpoints.add("getGroup", this::getGroup);
        endpoints.add("replaceGroup", this::replaceGroup);
        endpoints.add("deleteGroup", this::deleteGroup);
    }

    private Answer listVolumes(ApiRequest request) throws Exception {
        return Endpoints.listing(control.inventory().volumes(request.cursor(), request.limit()), Documents::volume);
    }

    private Answer getVolume(ApiRequest request) throws Exception {
        return Answer.ok(Documents.volume(control.inventory().volume(volumeInPath(request))));
    }

    private Answer deleteVolume(ApiRequest request) throws Exception {
        control.volumes().delete().delete(volumeInPath(request));
        return Answer.noContent();
    }

    private Answer getTracking(ApiRequest request) throws Exception {
        return Answer.ok(Documents.tracking(control.volumes().tracking().of(volumeInPath(request))));
    }

    private Answer trustTracking(ApiRequest request) throws Exception {
        return Answer.ok(Documents.tracking(control.volumes().tracking().trust(volumeInPath(request))));
    }

    private Answer takeSnapshot(ApiRequest request, Intent intent) throws Exception {
        var volume = Endpoints.value("volume", request.text("volume"), VolumeId::new);
        return Endpoints.accepted(control.volumes().takeSnapshot().start(volume, intent));
    }

    private Answer deleteSnapshot(ApiRequest request) throws Exception {
        control.volumes().deleteSnapshot().delete(snapshotInPath(request));
        return Answer.noContent();
    }

    private Answer copySnapshot(ApiRequest request, Intent intent) throws Exception {
        return Endpoints.accepted(control.volumes()
                .copySnapshot()
                .start(snapshotInPath(request), request.text("to"), request.optionalText("key"), intent));
    }

    private Answer listGroups(ApiRequest request) throws Exception {
        return Endpoints.page(control.inventory().groups(request.cursor(), request.limit()), Documents::group);
    }

    private Answer getGroup(ApiRequest request) throws Exception {
        return Answer.ok(Documents.group(control.inventory().group(groupInPath(request))));
    }

    private Answer deleteGroup(ApiRequest request) throws Exception {
        control.volumes().deleteGroup().delete(groupInPath(request));
        return Answer.noContent();
    }

    private static VolumeId volumeInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("volumeId", request.inPath("volumeId"), VolumeId::new);
    }

    private static SnapshotId snapshotInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("snapshotId", request.inPath("snapshotId"), SnapshotId::parse);
    }

    static GroupId groupInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("groupId", request.inPath("groupId"), GroupId::new);
    }

    private Answer createVolume(ApiRequest request, Intent intent) throws Exception {
        var id = Endpoints.value("id", request.text("id"), VolumeId::new);
        var outcome = control.volumes()
                .create()
                .create(id, request.body().path("sizeBytes").longValue(), intent);
        return switch (outcome) {
            case CreateVolume.Outcome.Made(var volume) ->
                Answer.created(
                        "/v1/volumes/" + URLEncoder.encode(id.value(), StandardCharsets.UTF_8),
                        Documents.volume(volume));
            case CreateVolume.Outcome.Begun(var operation) -> Endpoints.accepted(operation);
        };
    }

    private Answer listSnapshots(ApiRequest request) throws Exception {
        Optional<VolumeId> volume = request.inQuery("volume").isPresent()
                ? Optional.of(
                        Endpoints.value("volume", request.inQuery("volume").orElseThrow(), VolumeId::new))
                : Optional.empty();
        return Endpoints.listing(
                control.inventory().snapshots(volume, request.cursor(), request.limit()), Documents::snapshot);
    }

    private Answer createGroup(ApiRequest request, Intent intent) throws Exception {
        var group = control.volumes().saveGroup().create(group(request.body()), intent);
        return Answer.created("/v1/groups/" + group.id(), Documents.group(group));
    }

    private Answer replaceGroup(ApiRequest request) throws Exception {
        var group = group(request.body());
        if (!group.id().equals(groupInPath(request))) {
            throw new ControlException(new ControlError.Invalid(
                    "id", group.id().value(), "is not the id in the path", request.inPath("groupId")));
        }
        return Answer.ok(Documents.group(control.volumes().saveGroup().replace(group)));
    }

    private static ConsistencyGroup group(ObjectNode body) throws ControlException {
        var volumes = new ArrayList<VolumeId>();
        for (var volume : body.path("volumes")) {
            volumes.add(Endpoints.value("volumes", volume.asText(), VolumeId::new));
        }
        var quiescers = new ArrayList<QuiescerSpec>();
        for (var quiescer : body.path("quiescers")) {
            var settings = new HashMap<String, String>();
            quiescer.path("settings")
                    .properties()
                    .forEach(setting ->
                            settings.put(setting.getKey(), setting.getValue().asText()));
            quiescers.add(new QuiescerSpec(quiescer.path("kind").asText(), settings));
        }
        var limit = Duration.ofMillis(
                body.path("freezeLimitMillis").asLong(ConsistencyGroup.FREEZE_LIMIT_DEFAULT.toMillis()));
        boolean freezeFileSystems = body.path("freezeFileSystems").asBoolean(true);
        var required = Consistency.valueOf(
                Json.optionalText(body, "requireConsistency").orElse(Consistency.CRASH.name()));
        List<VolumeId> members = List.copyOf(volumes);
        return Endpoints.value(
                "id",
                Json.text(body, "id"),
                id -> new ConsistencyGroup(new GroupId(id), members, quiescers, freezeFileSystems, limit, required));
    }
}
