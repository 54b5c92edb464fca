package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.azure.FakeDisk.Kind;
import java.util.NavigableMap;

/** Disks, empty, copied of a snapshot, or to be written through a signature; and the machines that have them. */
final class ArmDisks {
    private static final String TYPE = "disks";
    private static final int CONFLICT = 409;
    /** Of a disk to be written to, beside its bytes: the footer of a VHD. */
    static final int FOOTER_BYTES = 512;

    private final AzureState state;
    private final ArmAnswers answers;
    private final ArmPages pages;

    ArmDisks(AzureState state, ArmAnswers answers) {
        this.state = state;
        this.answers = answers;
        this.pages = new ArmPages(state);
    }

    HttpAnswer answer(ArmCall call) throws ArmException {
        return switch (call.operation()) {
            case "Disks_CreateOrUpdate" -> put(call);
            case "Disks_Get" -> ArmAnswers.json(200, told(visible(call)));
            case "Disks_Update" -> patch(call);
            case "Disks_Delete" -> delete(call);
            default -> pages.page(call, state.disks, this::told);
        };
    }

    private String id(ArmCall call) {
        return state.idOf(call.group(), TYPE, call.name("diskName"));
    }

    FakeDisk visible(ArmCall call) throws ArmException {
        var disk = state.disks.get(FakeResource.key(id(call)));
        if (disk == null || !disk.seen(state.now())) {
            throw ArmException.notFound(id(call));
        }
        return disk;
    }

    private HttpAnswer put(ArmCall call) throws ArmException {
        var id = id(call);
        state.refuseLocked(id, false);
        var creation = call.body().path("properties").path("creationData");
        var from = creation.path("sourceResourceId").asText();
        var known = state.disks.get(FakeResource.key(id));
        if (known != null && !known.failed) {
            if (!String.valueOf(known.sourceId).equalsIgnoreCase(from.isEmpty() ? "null" : from)) {
                throw new ArmException(
                        CONFLICT,
                        "PropertyChangeNotAllowed",
                        "Changing property 'creationData.sourceResourceId' is not allowed.");
            }
            known.tags = ArmSnapshots.tags(call.body());
            return answers.begun(call, 200, told(known), known.readyAt, false, known.location);
        }
        var made = made(call, id, creation, from);
        made.tags = ArmSnapshots.tags(call.body());
        state.befall(made, call.fault(), call.script());
        state.disks.put(FakeResource.key(id), made);
        return answers.begun(call, 200, told(made), made.readyAt, made.failed, made.location);
    }

    private FakeDisk made(ArmCall call, String id, JsonNode creation, String from) throws ArmException {
        var location = call.body().path("location").asText();
        var option = creation.path("createOption").asText();
        var sku = call.body().path("sku").path("name").asText("Standard_LRS");
        int asked = call.body().path("properties").path("diskSizeGB").asInt();
        return switch (option) {
            case "Empty" -> disk(id, location, new Kind(asked, sku, option, null), FakeDisk.nothing());
            case "Upload" -> {
                long bytes = creation.path("uploadSizeBytes").asLong();
                if (bytes <= FOOTER_BYTES || (bytes - FOOTER_BYTES) % (1L << 20) != 0) {
                    throw ArmException.invalid("uploadSizeBytes is whole MiB and 512 bytes, not " + bytes);
                }
                int gib = Math.toIntExact((bytes + (1L << 30) - 1) >> 30);
                yield disk(id, location, new Kind(gib, bytes - FOOTER_BYTES, sku, option, null), FakeDisk.nothing());
            }
            case "Copy" -> copied(id, location, new Kind(asked, sku, option, from));
            case "Restore" -> restored(id, location, new Kind(asked, sku, option, from));
            default -> throw ArmException.invalid("createOption '%s' of a disk".formatted(option));
        };
    }

    private FakeDisk copied(String id, String location, Kind kind) throws ArmException {
        var snapshot = state.snapshots.get(FakeResource.key(String.valueOf(kind.sourceId())));
        if (snapshot == null) {
            throw ArmException.notFound(String.valueOf(kind.sourceId()));
        }
        snapshot.settle(state.now());
        if (!snapshot.isComplete(state.now())) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Snapshot %s is not whole yet.".formatted(snapshot.name));
        }
        if (!snapshot.location.equals(location)) {
            throw ArmException.invalid("The snapshot is in %s, not in %s.".formatted(snapshot.location, location));
        }
        int gib = Math.max(kind.sizeGib(), snapshot.sizeGib);
        return disk(id, location, new Kind(gib, kind.sku(), kind.createOption(), kind.sourceId()), snapshot.content());
    }

    private FakeDisk restored(String id, String location, Kind kind) throws ArmException {
        for (var collection : state.collections.values()) {
            for (var point : collection.points.values()) {
                for (var each : point.disks) {
                    if (each.id().equalsIgnoreCase(kind.sourceId())) {
                        var as = new Kind(each.sizeGib(), kind.sku(), kind.createOption(), kind.sourceId());
                        return disk(id, location, as, each.content());
                    }
                }
            }
        }
        throw ArmException.notFound(String.valueOf(kind.sourceId()));
    }

    FakeDisk disk(String id, String location, Kind kind, NavigableMap<Integer, byte[]> content) {
        return new FakeDisk(state.lock, id, location, state.newUuid(), state.now(), kind, SparseBlocks.of(content));
    }

    private HttpAnswer patch(ArmCall call) throws ArmException {
        var disk = visible(call);
        state.refuseLocked(disk.id, false);
        if (call.body().has("tags")) {
            disk.tags = ArmSnapshots.tags(call.body());
        }
        return ArmAnswers.json(200, told(disk));
    }

    private HttpAnswer delete(ArmCall call) throws ArmException {
        var disk = state.disks.get(FakeResource.key(id(call)));
        if (disk == null || !disk.seen(state.now())) {
            return ArmAnswers.empty(204);
        }
        state.refuseLocked(disk.id, true);
        if (!state.active(FakeResource.key(disk.id)).isEmpty()) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Disk %s has an active signature.".formatted(disk.name));
        }
        if (disk.vm != null) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Disk %s is attached to VM %s.".formatted(disk.name, disk.vm));
        }
        state.snapshots.values().stream().filter(each -> each.isOf(disk)).forEach(FakeSnapshot::settleNow);
        state.disks.remove(FakeResource.key(disk.id));
        return answers.begun(call, 200, null, state.now().plus(state.settings.takes()), false, disk.location);
    }

    private JsonNode told(FakeDisk disk) {
        var body = ArmAnswers.object()
                .put("name", disk.name)
                .put("id", disk.id)
                .put("type", "Microsoft.Compute/disks")
                .put("location", disk.location);
        ArmSnapshots.tags(body, disk);
        if (disk.vm != null) {
            body.put("managedBy", disk.vm);
        }
        body.putObject("sku").put("name", disk.sku).put("tier", "Standard");
        var properties = body.putObject("properties");
        var creation = properties.putObject("creationData").put("createOption", disk.createOption);
        if (disk.sourceId != null) {
            creation.put("sourceResourceId", disk.sourceId);
        }
        if (disk.createOption.equals("Upload")) {
            creation.put("uploadSizeBytes", disk.uploadBytes + FOOTER_BYTES);
        }
        properties
                .put("diskSizeGB", disk.sizeGib())
                .put("diskSizeBytes", disk.sizeBytes())
                .put("timeCreated", disk.createdAt.toString())
                .put("provisioningState", disk.provisioningState(state.now()))
                .put("diskState", use(disk))
                .put("uniqueId", disk.uniqueId);
        properties.putObject("encryption").put("type", "EncryptionAtRestWithPlatformKey");
        return body;
    }

    private String use(FakeDisk disk) {
        if (disk.isUploading()) {
            return state.active(FakeResource.key(disk.id)).isEmpty() ? "ReadyToUpload" : "ActiveUpload";
        }
        return disk.vm == null ? "Unattached" : "Attached";
    }

    /** A machine, as far as its disks go. */
    HttpAnswer machine(ArmCall call) throws ArmException {
        var id = state.idOf(call.group(), "virtualMachines", call.name("vmName"));
        var machine = state.machines.get(FakeResource.key(id));
        if (machine == null) {
            throw ArmException.notFound(id);
        }
        var body = ArmAnswers.object()
                .put("name", machine.id().substring(machine.id().lastIndexOf('/') + 1))
                .put("id", machine.id())
                .put("type", "Microsoft.Compute/virtualMachines")
                .put("location", machine.location());
        var properties = body.putObject("properties");
        properties.putObject("hardwareProfile").put("vmSize", machine.size());
        properties.put("provisioningState", "Succeeded");
        var storage = properties.putObject("storageProfile");
        var data = storage.putArray("dataDisks");
        for (int index = 0; index < machine.disks().size(); index++) {
            var disk = machine.disks().get(index);
            var into =
                    index == 0 ? storage.putObject("osDisk") : data.addObject().put("lun", index);
            if (index == 0) {
                into.put("osType", "Linux");
            }
            into.put("name", disk.name).put("createOption", "Attach");
            into.putObject("managedDisk").put("id", disk.id).put("storageAccountType", disk.sku);
        }
        return ArmAnswers.json(200, body);
    }
}
