package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.AzureState.Machine;
import io.tidemark.provider.fakecloud.azure.FakeCollection.Point;
import io.tidemark.provider.fakecloud.azure.FakeCollection.PointDisk;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Restore points: all disks of a machine at one time. */
final class ArmPoints {
    private static final String TYPE = "restorePointCollections";
    private static final int CONFLICT = 409;

    private final AzureState state;
    private final ArmAnswers answers;
    private final ArmPages pages;

    ArmPoints(AzureState state, ArmAnswers answers) {
        this.state = state;
        this.answers = answers;
        this.pages = new ArmPages(state);
    }

    HttpAnswer answer(ArmCall call) throws ArmException {
        state.forgetGone();
        return switch (call.operation()) {
            case "RestorePointCollections_CreateOrUpdate" -> putCollection(call);
            case "RestorePointCollections_Get" -> ArmAnswers.json(200, told(collection(call)));
            case "RestorePointCollections_Update" -> patchCollection(call);
            case "RestorePointCollections_Delete" -> deleteCollection(call);
            case "RestorePoints_Create" -> put(call);
            case "RestorePoints_Get" -> ArmAnswers.json(200, told(collection(call), point(call)));
            case "RestorePoints_Delete" -> delete(call);
            case "DiskRestorePoint_ListByRestorePoint" -> listDisks(call);
            case "DiskRestorePoint_Get" -> ArmAnswers.json(200, told(point(call), disk(call)));
            default -> pages.page(call, state.collections, this::told);
        };
    }

    private String collectionId(ArmCall call) {
        return state.idOf(call.group(), TYPE, call.name("restorePointCollectionName"));
    }

    private FakeCollection collection(ArmCall call) throws ArmException {
        var collection = state.collections.get(FakeResource.key(collectionId(call)));
        if (collection == null || !collection.seen(state.now())) {
            throw ArmException.notFound(collectionId(call));
        }
        return collection;
    }

    private static String pointName(ArmCall call) {
        return call.names().getOrDefault("restorePointName", call.name("vmRestorePointName"));
    }

    private Point point(ArmCall call) throws ArmException {
        var point = collection(call).points.get(FakeResource.key(pointName(call)));
        if (point == null || !point.seen(state.now())) {
            throw ArmException.notFound(collectionId(call) + "/restorePoints/" + pointName(call));
        }
        return point;
    }

    PointDisk disk(ArmCall call) throws ArmException {
        for (var each : point(call).disks) {
            if (FakeResource.key(each.id()).endsWith(FakeResource.key("/" + call.name("diskRestorePointName")))) {
                return each;
            }
        }
        throw ArmException.notFound(call.name("diskRestorePointName"));
    }

    Instant takenAt(ArmCall call) throws ArmException {
        return point(call).createdAt;
    }

    private HttpAnswer putCollection(ArmCall call) throws ArmException {
        var id = collectionId(call);
        state.refuseLocked(id, false);
        var vm = call.body().path("properties").path("source").path("id").asText();
        var known = state.collections.get(FakeResource.key(id));
        if (known != null) {
            if (!known.vm.equalsIgnoreCase(vm)) {
                throw new ArmException(
                        CONFLICT, "PropertyChangeNotAllowed", "Changing property 'source.id' is not allowed.");
            }
            known.tags = ArmSnapshots.tags(call.body());
            return ArmAnswers.json(200, told(known));
        }
        if (!state.machines.containsKey(FakeResource.key(vm))) {
            throw ArmException.notFound(vm);
        }
        var location = call.body().path("location").asText();
        var made = new FakeCollection(id, location, state.newUuid(), state.now(), vm);
        made.tags = ArmSnapshots.tags(call.body());
        made.invisible = call.script().invisibleLists(call.fault());
        state.collections.put(FakeResource.key(id), made);
        return ArmAnswers.json(201, told(made));
    }

    private HttpAnswer patchCollection(ArmCall call) throws ArmException {
        var collection = collection(call);
        state.refuseLocked(collection.id, false);
        if (call.body().has("tags")) {
            collection.tags = ArmSnapshots.tags(call.body());
        }
        return ArmAnswers.json(200, told(collection));
    }

    /** With all its restore points. */
    private HttpAnswer deleteCollection(ArmCall call) throws ArmException {
        var collection = state.collections.get(FakeResource.key(collectionId(call)));
        if (collection == null || !collection.seen(state.now())) {
            return ArmAnswers.empty(204);
        }
        state.refuseLocked(collection.id, true);
        for (var point : collection.points.values()) {
            refuseOpen(point);
        }
        if (collection.goneAt == null) {
            collection.goneAt = state.now().plus(state.settings.takes());
        }
        var goneAt = collection.goneAt;
        state.forgetGone();
        return answers.begun(call, 200, null, goneAt, false, collection.location);
    }

    private void refuseOpen(Point point) throws ArmException {
        for (var each : point.disks) {
            if (!state.active(FakeResource.key(each.id())).isEmpty()) {
                throw new ArmException(
                        CONFLICT,
                        "OperationNotAllowed",
                        "%s has an active shared access signature outstanding.".formatted(each.id()));
            }
        }
    }

    private HttpAnswer delete(ArmCall call) throws ArmException {
        var collection = state.collections.get(FakeResource.key(collectionId(call)));
        var point = collection == null ? null : collection.points.get(FakeResource.key(pointName(call)));
        if (collection == null || point == null || !point.seen(state.now())) {
            return ArmAnswers.empty(204);
        }
        state.refuseLocked(point.id, true);
        refuseOpen(point);
        collection.points.remove(FakeResource.key(point.name));
        return answers.begun(call, 200, null, state.now().plus(state.settings.takes()), false, collection.location);
    }

    private HttpAnswer put(ArmCall call) throws ArmException {
        var collection = state.collections.get(FakeResource.key(collectionId(call)));
        if (collection == null) {
            throw ArmException.notFound(collectionId(call));
        }
        var known = collection.points.get(FakeResource.key(pointName(call)));
        if (known != null && !known.failed) {
            throw new ArmException(
                    CONFLICT, "RestorePointAlreadyExists", "Restore point %s exists.".formatted(known.name));
        }
        state.refuseLocked(collection.id, false);
        var machine = state.machines.get(FakeResource.key(collection.vm));
        if (machine == null) {
            throw ArmException.notFound(collection.vm);
        }
        var made = made(call, collection, machine);
        state.befall(made, call.fault(), call.script());
        collection.points.put(FakeResource.key(made.name), made);
        return answers.begun(call, 201, 201, told(collection, made), made.readyAt, made.failed, collection.location);
    }

    /** "Overview of VM restore points": which disks a crash-consistent one may have. */
    private Point made(ArmCall call, FakeCollection collection, Machine machine) throws ArmException {
        var properties = call.body().path("properties");
        List<String> excluded = new ArrayList<>();
        properties
                .path("excludeDisks")
                .forEach(each -> excluded.add(each.path("id").asText()));
        var mode = properties.path("consistencyMode").asText("ApplicationConsistent");
        if (properties.has("consistencyMode") && !mode.equals("CrashConsistent")) {
            throw ArmException.invalid("consistencyMode is CrashConsistent or left out, not " + mode);
        }
        var id = "%s/restorePoints/%s".formatted(collection.id, pointName(call));
        var made = new Point(id, pointName(call), state.now(), mode, excluded);
        for (var each : machine.disks()) {
            if (excluded.stream().anyMatch(each.id::equalsIgnoreCase)) {
                continue;
            }
            if (each.isCopiedLater() && mode.equals("CrashConsistent")) {
                throw new ArmException(
                        CONFLICT,
                        "OperationNotAllowed",
                        "Disk %s of type %s cannot be in a crash consistent restore point."
                                .formatted(each.name, each.sku));
            }
            var diskId = "%s/diskRestorePoints/%s_%s".formatted(id, each.name, state.newUuid());
            made.disks.add(new PointDisk(diskId, each, each.sizeGib(), each.content.freeze()));
        }
        return made;
    }

    private HttpAnswer listDisks(ArmCall call) throws ArmException {
        var point = point(call);
        var page = ArmAnswers.object();
        var values = page.putArray("value");
        point.disks.forEach(each -> values.add(told(point, each)));
        return ArmAnswers.json(200, page);
    }

    private JsonNode told(FakeCollection collection) {
        var body = ArmAnswers.object()
                .put("name", collection.name)
                .put("id", collection.id)
                .put("type", "Microsoft.Compute/restorePointCollections")
                .put("location", collection.location);
        ArmSnapshots.tags(body, collection);
        var properties = body.putObject("properties");
        properties.putObject("source").put("id", collection.vm).put("location", collection.location);
        properties.put("provisioningState", "Succeeded").put("restorePointCollectionId", collection.uniqueId);
        return body;
    }

    private JsonNode told(FakeCollection collection, Point point) {
        var body = ArmAnswers.object()
                .put("name", point.name)
                .put("id", point.id)
                .put("type", "Microsoft.Compute/restorePointCollections/restorePoints");
        var properties = body.putObject("properties")
                .put("provisioningState", point.state(state.now()))
                .put("consistencyMode", point.consistencyMode)
                .put("timeCreated", point.createdAt.toString());
        var excluded = properties.putArray("excludeDisks");
        point.excluded.forEach(each -> excluded.addObject().put("id", each));
        var metadata = properties.putObject("sourceMetadata").put("location", collection.location);
        var storage = metadata.putObject("storageProfile");
        var data = storage.putArray("dataDisks");
        for (var each : point.disks) {
            boolean isFirst = storage.path("osDisk").isMissingNode() && isSystem(collection, each);
            var into =
                    isFirst ? storage.putObject("osDisk").put("osType", "Linux") : lun(data.addObject(), data.size());
            into.put("name", each.disk().name);
            into.putObject("managedDisk").put("id", each.disk().id);
            into.putObject("diskRestorePoint").put("id", each.id());
        }
        return body;
    }

    private static ObjectNode lun(ObjectNode disk, int number) {
        return disk.put("lun", number);
    }

    private boolean isSystem(FakeCollection collection, PointDisk disk) {
        var machine = state.machines.get(FakeResource.key(collection.vm));
        return machine != null && machine.disks().getFirst() == disk.disk();
    }

    private JsonNode told(Point point, PointDisk disk) {
        var body = ArmAnswers.object()
                .put("name", disk.id().substring(disk.id().lastIndexOf('/') + 1))
                .put("id", disk.id())
                .put("type", "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints");
        body.putObject("properties")
                .put("timeCreated", point.createdAt.toString())
                .put("sourceResourceId", disk.disk().id)
                .put("familyId", disk.disk().uniqueId)
                .put("sourceUniqueId", disk.disk().uniqueId)
                .put("replicationState", "Succeeded")
                .put("completionPercent", 100)
                .put("sourceResourceLocation", disk.disk().location);
        return body;
    }
}
