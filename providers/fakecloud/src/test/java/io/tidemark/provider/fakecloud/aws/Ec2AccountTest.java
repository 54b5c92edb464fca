package io.tidemark.provider.fakecloud.aws;

import static io.tidemark.provider.fakecloud.aws.Ec2SnapshotsTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Volumes, tags, locks, the recycle bin, tiers, fast restores. */
class Ec2AccountTest extends ModelChecked {

    @Test
    void aVolumeOfASnapshotHoldsItsContentAndIsMadeOnceAToken() throws Exception {
        var source = aws.createVolume(2, Map.of());
        source.write(5, new byte[] {1, 2});
        String snapshot = snapshot(source);
        source.write(5, new byte[] {9});

        var made = volume(snapshot, "2", "t");
        var again = volume(snapshot, "2", "t");

        assertThat(again.one("volumeId")).isEqualTo(made.one("volumeId"));
        assertThat(aws.volume(made.one("volumeId")).read(5, 2)).containsExactly(1, 2);
        assertCode(400, "IdempotentParameterMismatch", volume(snapshot, "3", "t"));
        assertCode(400, "InvalidParameterValue", volume(snapshot, "1", "u"));
        assertThat(aws.volumes()).hasSize(2);
    }

    private AwsWire.Answer volume(String snapshot, String size, String token) throws Exception {
        return wire.ec2(
                "CreateVolume",
                "AvailabilityZone",
                "eu-central-1a",
                "SnapshotId",
                snapshot,
                "Size",
                size,
                "ClientToken",
                token);
    }

    @Test
    void aVolumeInUseIsNotDeleted() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        String instance = aws.createInstance(List.of(aws.createVolume(1, Map.of())));
        wire.ec2("AttachVolume", "VolumeId", volume.id(), "InstanceId", instance, "Device", "/dev/sdz");

        assertCode(400, "VolumeInUse", wire.ec2("DeleteVolume", "VolumeId", volume.id()));
        assertThat(wire.ec2("DescribeInstances").all("volumeId")).contains(volume.id());
        assertThat(wire.ec2("DescribeVolumes", "Filter.1.Name", "status", "Filter.1.Value.1", "in-use")
                        .all("size"))
                .hasSize(2);
        wire.ec2("DetachVolume", "VolumeId", volume.id());
        assertThat(wire.ec2("DeleteVolume", "VolumeId", volume.id()).status()).isEqualTo(200);
    }

    @Test
    void tagsComeAndGoForAllResourcesOrNone() throws Exception {
        var volume = aws.createVolume(1, Map.of("old", "x"));

        assertCode(
                400,
                "InvalidSnapshot.NotFound",
                wire.ec2(
                        "CreateTags",
                        "ResourceId.1",
                        volume.id(),
                        "ResourceId.2",
                        "snap-0abc",
                        "Tag.1.Key",
                        "a",
                        "Tag.1.Value",
                        "b"));
        assertThat(volume.tags()).isEqualTo(Map.of("old", "x"));
        wire.ec2("CreateTags", "ResourceId.1", volume.id(), "Tag.1.Key", "a", "Tag.1.Value", "<&>");
        wire.ec2("DeleteTags", "ResourceId.1", volume.id(), "Tag.1.Key", "old");

        assertThat(volume.tags()).isEqualTo(Map.of("a", "<&>"));
        assertThat(wire.ec2("DescribeVolumes").one("value")).isEqualTo("&lt;&amp;&gt;");
    }

    @Test
    void aLockedSnapshotIsDeletedOnlyAfterItsLock() throws Exception {
        String id = snapshot(aws.createVolume(1, Map.of()));

        assertCode(
                400,
                "InvalidParameterCombination",
                wire.ec2("LockSnapshot", "SnapshotId", id, "LockMode", "governance"));
        wire.ec2("LockSnapshot", "SnapshotId", id, "LockMode", "compliance", "LockDuration", "2", "CoolOffPeriod", "1");
        assertThat(wire.ec2("DescribeLockedSnapshots").one("lockState")).isEqualTo("compliance-cooloff");
        assertCode(400, "SnapshotLocked", wire.ec2("DeleteSnapshot", "SnapshotId", id));
        aws.clock().advance(Duration.ofHours(1));
        assertCode(400, "SnapshotLocked", wire.ec2("UnlockSnapshot", "SnapshotId", id));
        assertCode(
                400,
                "InvalidParameterValue",
                wire.ec2("LockSnapshot", "SnapshotId", id, "LockMode", "governance", "LockDuration", "1"));
        aws.clock().advance(Duration.ofDays(2));

        assertThat(wire.ec2("DescribeLockedSnapshots").one("lockState")).isEqualTo("expired");
        assertThat(wire.ec2("DeleteSnapshot", "SnapshotId", id).status()).isEqualTo(200);
    }

    @Test
    void aGovernanceLockCanBeTakenOff() throws Exception {
        String id = snapshot(aws.createVolume(1, Map.of()));
        wire.ec2("LockSnapshot", "SnapshotId", id, "LockMode", "governance", "LockDuration", "36500");

        wire.ec2("UnlockSnapshot", "SnapshotId", id);

        assertThat(wire.ec2("DescribeLockedSnapshots").all("snapshotId")).isEmpty();
        assertThat(wire.ec2("DeleteSnapshot", "SnapshotId", id).status()).isEqualTo(200);
    }

    @Test
    void aDeletedSnapshotLiesInTheBinUntilItsTimeIsOver() throws Exception {
        String kept = snapshot(aws.createVolume(1, Map.of()));
        String lost = snapshot(aws.createVolume(1, Map.of()));
        aws.recycleBin("eu-central-1", Duration.ofDays(1));
        wire.ec2("DeleteSnapshot", "SnapshotId", kept);
        wire.ec2("DeleteSnapshot", "SnapshotId", lost);

        assertCode(400, "InvalidSnapshot.NotFound", wire.ec2("DescribeSnapshots", "SnapshotId.1", kept));
        assertThat(wire.ec2("ListSnapshotsInRecycleBin").all("snapshotId")).containsExactlyInAnyOrder(kept, lost);
        wire.ec2("RestoreSnapshotFromRecycleBin", "SnapshotId", kept);
        aws.clock().advance(Duration.ofDays(1));

        assertThat(wire.ec2("DescribeSnapshots", "Owner.1", "self").all("snapshotId"))
                .containsExactly(kept);
        assertThat(wire.ec2("ListSnapshotsInRecycleBin").all("snapshotId")).isEmpty();
        assertCode(400, "InvalidSnapshot.NotFound", wire.ec2("RestoreSnapshotFromRecycleBin", "SnapshotId", lost));
    }

    @Test
    void anArchivedSnapshotIsReadOnlyAfterARestore() throws Exception {
        String id = snapshot(aws.createVolume(1, Map.of()));
        wire.ec2("ModifySnapshotTier", "SnapshotId", id, "StorageTier", "archive");
        assertThat(wire.ec2("DescribeSnapshotTierStatus").one("lastTieringOperationStatus"))
                .isEqualTo("archival-in-progress");
        aws.clock().advance(Duration.ofHours(1));

        assertCode(400, "IncorrectState", volume(id, "1", "a"));
        assertThat(wire.get("/snapshots/%s/blocks".formatted(id)).status()).isEqualTo(400);
        wire.ec2("RestoreSnapshotTier", "SnapshotId", id, "TemporaryRestoreDays", "1");
        aws.clock().advance(Duration.ofHours(1));
        assertThat(volume(id, "1", "b").status()).isEqualTo(200);
        aws.clock().advance(Duration.ofDays(1));

        assertThat(wire.ec2("DescribeSnapshots", "SnapshotId.1", id).one("storageTier"))
                .isEqualTo("archive");
    }

    @Test
    void aTemporaryRestoreIsMadeLongerAtOnceAndAnImageKeepsASnapshotOutOfTheArchive() throws Exception {
        String id = snapshot(aws.createVolume(1, Map.of()));
        aws.registerImage(id);
        assertCode(
                400,
                "InvalidSnapshot.InUse",
                wire.ec2("ModifySnapshotTier", "SnapshotId", id, "StorageTier", "archive"));
        aws.deregisterImage(id);
        wire.ec2("ModifySnapshotTier", "SnapshotId", id, "StorageTier", "archive");
        aws.clock().advance(Duration.ofHours(1));
        wire.ec2("RestoreSnapshotTier", "SnapshotId", id, "TemporaryRestoreDays", "1");
        assertCode(
                400, "IncorrectState", wire.ec2("RestoreSnapshotTier", "SnapshotId", id, "TemporaryRestoreDays", "9"));
        aws.clock().advance(Duration.ofHours(1));

        wire.ec2("RestoreSnapshotTier", "SnapshotId", id, "TemporaryRestoreDays", "9");

        aws.clock().advance(Duration.ofDays(8));
        assertThat(wire.ec2("DescribeSnapshots", "SnapshotId.1", id).one("storageTier"))
                .isEqualTo("standard");
    }

    @Test
    void fastRestoresGoThroughTheirStates() throws Exception {
        String id = snapshot(aws.createVolume(1, Map.of()));
        var enabled = wire.ec2(
                "EnableFastSnapshotRestores",
                "AvailabilityZone.1",
                "eu-central-1a",
                "SourceSnapshotId.1",
                id,
                "SourceSnapshotId.2",
                "snap-0abc");

        assertThat(enabled.one("state")).isEqualTo("enabling");
        assertThat(enabled.one("code")).isEqualTo("InvalidSnapshot.NotFound");
        aws.clock().advance(Duration.ofMinutes(1));
        assertThat(wire.ec2("DescribeFastSnapshotRestores").one("state")).isEqualTo("optimizing");
        aws.clock().advance(Duration.ofMinutes(1));
        assertThat(wire.ec2("DescribeFastSnapshotRestores").one("state")).isEqualTo("enabled");
        wire.ec2("DisableFastSnapshotRestores", "AvailabilityZone.1", "eu-central-1a", "SourceSnapshotId.1", id);
        assertThat(wire.ec2("DescribeFastSnapshotRestores").one("state")).isEqualTo("disabling");
    }

    @Test
    void encryptionByDefaultIsToldAndKept() throws Exception {
        aws.encryptionByDefault("eu-central-1", true);

        assertThat(wire.ec2("GetEbsEncryptionByDefault").one("ebsEncryptionByDefault"))
                .isEqualTo("true");
        var made = wire.ec2("CreateVolume", "AvailabilityZone", "eu-central-1a", "Size", "1");
        assertThat(made.one("encrypted")).isEqualTo("true");
        assertThat(made.one("kmsKeyId"))
                .isEqualTo(wire.ec2("GetEbsDefaultKmsKeyId").one("kmsKeyId"));
    }

    @Test
    void zonesAndRegionsAreListed() throws Exception {
        assertThat(wire.ec2("DescribeAvailabilityZones").all("zoneName")).hasSize(3);
        assertThat(wire.ec2("DescribeRegions").all("regionName")).containsExactly("eu-central-1");
    }

    private String snapshot(FakeVolume volume) throws Exception {
        return wire.ec2("CreateSnapshot", "VolumeId", volume.id()).one("snapshotId");
    }
}
