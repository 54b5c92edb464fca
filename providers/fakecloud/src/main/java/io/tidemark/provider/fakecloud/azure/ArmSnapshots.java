package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.FakeSnapshot.Source;
import java.util.Map;
import java.util.TreeMap;

/** Snapshots: made by their names, of a disk or of a snapshot of another region. */
final class ArmSnapshots {
    private static final String TYPE = "snapshots";
    private static final String NAME_FORM = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}";
    private static final int CONFLICT = 409;
    /** "Copy an incremental snapshot to a new region", restrictions: at once, of a subscription, into a region. */
    private static final int COPIES_MAXIMUM = 100;

    private final AzureState state;
    private final ArmAnswers answers;
    private final ArmPages pages;

    ArmSnapshots(AzureState state, ArmAnswers answers) {
        this.state = state;
        this.answers = answers;
        this.pages = new ArmPages(state);
    }

    HttpAnswer answer(ArmCall call) throws ArmException {
        return switch (call.operation()) {
            case "Snapshots_CreateOrUpdate" -> put(call);
            case "Snapshots_Get" -> ArmAnswers.json(200, told(visible(call)));
            case "Snapshots_Update" -> patch(call);
            case "Snapshots_Delete" -> delete(call);
            default -> pages.page(call, state.snapshots, this::told);
        };
    }

    private String id(ArmCall call) {
        return state.idOf(call.group(), TYPE, call.name("snapshotName"));
    }

    FakeSnapshot visible(ArmCall call) throws ArmException {
        var snapshot = state.snapshots.get(FakeResource.key(id(call)));
        if (snapshot == null || !snapshot.seen(state.now())) {
            throw ArmException.notFound(id(call));
        }
        return snapshot;
    }

    private HttpAnswer put(ArmCall call) throws ArmException {
        var id = id(call);
        state.refuseLocked(id, false);
        if (!call.name("snapshotName").matches(NAME_FORM)) {
            throw ArmException.invalid("The name of a snapshot is 1 to 80 characters: " + call.name("snapshotName"));
        }
        var known = state.snapshots.get(FakeResource.key(id));
        var creation = call.body().path("properties").path("creationData");
        var from = "/" + creation.path("sourceResourceId").asText().replaceAll("^/", "");
        if (known != null && !known.failed) {
            if (!known.sourceId.equalsIgnoreCase(from)) {
                throw new ArmException(
                        CONFLICT,
                        "PropertyChangeNotAllowed",
                        "Changing property 'creationData.sourceResourceId' is not allowed.");
            }
            known.tags = tags(call.body());
            return answers.begun(call, 200, told(known), known.readyAt, false, known.location);
        }
        var made = made(call, id, creation, from);
        made.tags = tags(call.body());
        state.befall(made, call.fault(), call.script());
        if (made.copied) {
            made.completeAt = made.readyAt.plus(state.settings.copies());
        }
        made.settle(state.now());
        state.snapshots.put(FakeResource.key(id), made);
        return answers.begun(call, 200, told(made), made.readyAt, made.failed, made.location);
    }

    private FakeSnapshot made(ArmCall call, String id, JsonNode creation, String from) throws ArmException {
        var location = call.body().path("location").asText();
        boolean incremental = call.body().path("properties").path("incremental").asBoolean();
        var option = creation.path("createOption").asText();
        var source = switch (option) {
            case "Copy" -> ofDisk(from, location);
            case "CopyStart" -> ofSnapshot(from, location, incremental);
            default -> throw ArmException.invalid("createOption '%s' of a snapshot".formatted(option));
        };
        var sku = call.body().path("sku").path("name").asText("Standard_LRS");
        var made = new FakeSnapshot(id, location, state.newUuid(), state.now(), source, option, incremental, sku);
        made.encryptionSet = call.body()
                .path("properties")
                .path("encryption")
                .path("diskEncryptionSetId")
                .asText("");
        return made;
    }

    private Source ofDisk(String from, String location) throws ArmException {
        var disk = state.disks.get(FakeResource.key(from));
        if (disk == null) {
            throw ArmException.notFound(from);
        }
        if (!disk.location.equals(location)) {
            throw ArmException.invalid("The source %s is in %s, not in %s.".formatted(from, disk.location, location));
        }
        if (disk.isUploading() || disk.failed) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Disk %s is not uploaded, or wrongly.".formatted(disk.name));
        }
        return new Source(disk.id, disk.uniqueId, disk.uniqueId, disk.sizeGib(), disk.isCopiedLater(), disk, null);
    }

    private Source ofSnapshot(String from, String location, boolean incremental) throws ArmException {
        var snapshot = state.snapshots.get(FakeResource.key(from));
        if (snapshot == null) {
            throw ArmException.notFound(from);
        }
        snapshot.settle(state.now());
        if (!snapshot.incremental || !incremental) {
            throw ArmException.invalid("CopyStart is for incremental snapshots alone.");
        }
        if (snapshot.location.equals(location) || !snapshot.isComplete(state.now())) {
            throw ArmException.invalid("The source of CopyStart is whole, and of another region.");
        }
        long busy = state.snapshots.values().stream()
                .filter(each -> each.createOption.equals("CopyStart")
                        && each.location.equals(location)
                        && each.completionPercent(state.now()) < 100
                        && !each.sourceLost)
                .count();
        if (busy >= COPIES_MAXIMUM) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "%d snapshots are being copied here.".formatted(busy));
        }
        boolean isBusy = state.snapshots.values().stream()
                .anyMatch(each -> each.createOption.equals("CopyStart")
                        && each.family.equals(snapshot.family)
                        && each.completionPercent(state.now()) < 100
                        && !each.sourceLost);
        if (isBusy) {
            throw new ArmException(CONFLICT, "OperationNotAllowed", "Another snapshot of the disk is being copied.");
        }
        return new Source(
                snapshot.id, snapshot.uniqueId, snapshot.family, snapshot.sizeGib, true, null, snapshot.content());
    }

    private HttpAnswer patch(ArmCall call) throws ArmException {
        var snapshot = visible(call);
        state.refuseLocked(snapshot.id, false);
        var before = told(snapshot);
        if (call.body().has("tags")) {
            snapshot.tag(tags(call.body()), state.lateTags);
        }
        if (state.lateTags == 0) {
            return ArmAnswers.json(200, told(snapshot));
        }
        return answers.begun(
                call, 200, before, state.now().plus(state.settings.retryAfter()), false, snapshot.location);
    }

    private HttpAnswer delete(ArmCall call) throws ArmException {
        var snapshot = state.snapshots.get(FakeResource.key(id(call)));
        if (snapshot == null || !snapshot.seen(state.now())) {
            return ArmAnswers.empty(204);
        }
        state.refuseLocked(snapshot.id, true);
        if (!state.active(FakeResource.key(snapshot.id)).isEmpty()) {
            throw new ArmException(
                    CONFLICT,
                    "OperationNotAllowed",
                    "Snapshot %s has an active shared access signature outstanding. Call EndGetAccess on it before"
                                    .formatted(snapshot.name)
                            + " deleting it.");
        }
        state.snapshots.remove(FakeResource.key(snapshot.id));
        for (var each : state.snapshots.values()) {
            if (each.sourceId.equals(snapshot.id) && each.completionPercent(state.now()) < 100) {
                each.sourceLost = true;
            }
        }
        return answers.begun(call, 200, null, state.now().plus(state.settings.takes()), false, snapshot.location);
    }

    static Map<String, String> tags(JsonNode body) throws ArmException {
        var tags = new TreeMap<String, String>();
        body.path("tags")
                .properties()
                .forEach(each -> tags.put(each.getKey(), each.getValue().asText()));
        if (tags.size() > 50) {
            throw ArmException.invalid("A resource has at most 50 tags, not %d.".formatted(tags.size()));
        }
        for (var each : tags.entrySet()) {
            if (each.getKey().length() > 512
                    || each.getValue().length() > 256
                    || each.getKey().matches(".*[<>%&\\\\?/].*")) {
                throw new ArmException(400, "InvalidTagNameCharacters", "The tag '%s' is no tag.".formatted(each));
            }
        }
        return tags;
    }

    static void tags(ObjectNode body, FakeResource resource) {
        var tags = body.putObject("tags");
        resource.shownTags().forEach(tags::put);
    }

    private JsonNode told(FakeSnapshot snapshot) {
        var now = state.now();
        snapshot.settle(now);
        var body = ArmAnswers.object()
                .put("name", snapshot.name)
                .put("id", snapshot.id)
                .put("type", "Microsoft.Compute/snapshots")
                .put("location", snapshot.location);
        tags(body, snapshot);
        body.putObject("sku").put("name", snapshot.sku).put("tier", "Standard");
        var properties = body.putObject("properties");
        properties
                .putObject("creationData")
                .put("createOption", snapshot.createOption)
                .put("sourceResourceId", snapshot.sourceId)
                .put("sourceUniqueId", snapshot.sourceUniqueId);
        properties
                .put("diskSizeGB", snapshot.sizeGib)
                .put("diskSizeBytes", (long) snapshot.sizeGib << 30)
                .put("timeCreated", snapshot.createdAt.toString())
                .put("provisioningState", snapshot.provisioningState(now))
                .put("diskState", state.active(FakeResource.key(snapshot.id)).isEmpty() ? "Unattached" : "ActiveSAS")
                .put("uniqueId", snapshot.uniqueId)
                .put("incremental", snapshot.incremental)
                .put("networkAccessPolicy", snapshot.networkAccessPolicy)
                .put("publicNetworkAccess", "Enabled");
        var encryption = properties.putObject("encryption");
        if (snapshot.encryptionSet().isEmpty()) {
            encryption.put("type", "EncryptionAtRestWithPlatformKey");
        } else {
            encryption
                    .put("type", "EncryptionAtRestWithCustomerKey")
                    .put("diskEncryptionSetId", snapshot.encryptionSet());
        }
        if (snapshot.diskAccess != null) {
            properties.put("diskAccessId", snapshot.diskAccess);
        }
        if (snapshot.incremental) {
            properties.put("incrementalSnapshotFamilyId", snapshot.family);
        }
        if (snapshot.copied) {
            properties.put("completionPercent", snapshot.completionPercent(now));
            if (snapshot.sourceLost) {
                properties
                        .putObject("copyCompletionError")
                        .put("errorCode", "CopySourceNotFound")
                        .put("errorMessage", "The source of the copy is no more.");
            }
        }
        return body;
    }
}
