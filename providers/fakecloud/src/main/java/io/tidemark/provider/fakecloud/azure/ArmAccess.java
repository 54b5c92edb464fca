package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.AzureState.Access;
import io.tidemark.provider.fakecloud.azure.AzureState.Blob;
import java.time.Duration;

/** Shared access signatures: given for a while, at most so many for the snapshots of one disk, and ended. */
final class ArmAccess {
    /** "Restrictions of incremental snapshots": of one family at one time. */
    static final int OF_FAMILY_MAXIMUM = 5;

    private static final int CONFLICT = 409;

    private final AzureState state;
    private final ArmAnswers answers;
    private final ArmSnapshots snapshots;
    private final ArmDisks disks;
    private final ArmPoints points;

    ArmAccess(AzureState state, ArmAnswers answers, ArmSnapshots snapshots, ArmDisks disks, ArmPoints points) {
        this.state = state;
        this.answers = answers;
        this.snapshots = snapshots;
        this.disks = disks;
        this.points = points;
    }

    private record Target(String id, String location, String family, Blob blob) {}

    HttpAnswer answer(ArmCall call) throws ArmException {
        var target = switch (call.operation()) {
            case "Disks_GrantAccess", "Disks_RevokeAccess" -> ofDisk(call);
            case "DiskRestorePoint_GrantAccess", "DiskRestorePoint_RevokeAccess" -> ofPoint(call);
            default -> ofSnapshot(call);
        };
        state.refuseLocked(target.id(), false);
        var key = FakeResource.key(target.id());
        if (call.operation().endsWith("RevokeAccess")) {
            end(call, key);
            return answers.begun(call, 200, null, state.now(), false, target.location());
        }
        boolean isFull = state.active(key).isEmpty() && state.activeOfFamily(target.family()) >= OF_FAMILY_MAXIMUM;
        if (isFull) {
            throw new ArmException(
                    CONFLICT,
                    "OperationNotAllowed",
                    "The disk's snapshots have %d active shared access signatures, which is the maximum."
                            .formatted(OF_FAMILY_MAXIMUM));
        }
        var seconds = Duration.ofSeconds(call.body().path("durationInSeconds").asLong());
        var signature = state.newUuid();
        state.accesses.put(
                signature,
                new Access(key, target.family(), target.blob(), state.now().plus(seconds)));
        var address = "%s/md-fake/abcd?sv=2018-03-28&sr=b&si=%s&sig=%s"
                .formatted(ArmAnswers.base(call), signature, signature);
        var body = ArmAnswers.object().put("accessSAS", address);
        return answers.begun(call, 200, body, state.now().plus(state.settings.takes()), false, target.location());
    }

    /** Of a disk that is uploaded to it is the end of the upload, where one was begun. */
    private void end(ArmCall call, String key) throws ArmException {
        if (call.operation().equals("Disks_RevokeAccess")) {
            var disk = disks.visible(call);
            if (disk.isUploading() && state.accesses.values().stream().anyMatch(each -> each.resource.equals(key))) {
                disk.finishUpload(disk.uploadBytes);
            }
        }
        state.endAccess(key);
    }

    private Target ofSnapshot(ArmCall call) throws ArmException {
        var snapshot = snapshots.visible(call);
        snapshot.settle(state.now());
        if (call.operation().endsWith("GrantAccess") && !snapshot.isComplete(state.now())) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Snapshot %s is not whole yet.".formatted(snapshot.name));
        }
        if (call.operation().endsWith("GrantAccess") && snapshot.networkAccessPolicy.equals("DenyAll")) {
            throw new ArmException(
                    CONFLICT, "OperationNotAllowed", "Snapshot %s is not exported.".formatted(snapshot.name));
        }
        boolean isPrivate = snapshot.networkAccessPolicy.equals("AllowPrivate");
        var blob = new Blob((long) snapshot.sizeGib << 30, snapshot.content(), snapshot.createdAt, null, isPrivate);
        return new Target(snapshot.id, snapshot.location, snapshot.family, blob);
    }

    private Target ofDisk(ArmCall call) throws ArmException {
        var disk = disks.visible(call);
        boolean isWrite = call.body().path("access").asText().equals("Write");
        if (isWrite != disk.isUploading() && call.operation().endsWith("GrantAccess")) {
            throw ArmException.invalid("Only a disk that is made for an upload is written to, until it is uploaded.");
        }
        long size = disk.isUploading() ? disk.uploadBytes : disk.sizeBytes();
        var blob = new Blob(size, disk.content.freeze(), state.now(), isWrite ? disk : null, false);
        return new Target(disk.id, disk.location, "disk " + disk.uniqueId, blob);
    }

    private Target ofPoint(ArmCall call) throws ArmException {
        var disk = points.disk(call);
        var blob = new Blob((long) disk.sizeGib() << 30, disk.content(), points.takenAt(call), null, false);
        return new Target(disk.id(), disk.disk().location, disk.disk().uniqueId, blob);
    }
}
