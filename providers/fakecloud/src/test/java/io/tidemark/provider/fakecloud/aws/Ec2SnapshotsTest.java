package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Snapshots in EC2, call by call. */
class Ec2SnapshotsTest extends ModelChecked {
    private static final FakeAwsSettings SLOW = FakeAwsSettings.defaults().takes(Duration.ofMinutes(10));

    @Test
    void aSnapshotIsPendingWithProgressUntilItsTimeHasPassed() throws Exception {
        restart(SLOW);
        var volume = aws.createVolume(1, Map.of());

        var created = wire.ec2("CreateSnapshot", "VolumeId", volume.id());
        aws.clock().advance(Duration.ofMinutes(5));
        var halfway = wire.ec2("DescribeSnapshots", "Owner.1", "self");
        aws.clock().advance(Duration.ofMinutes(5));
        var done = wire.ec2("DescribeSnapshots", "Owner.1", "self");

        assertThat(created.one("status")).isEqualTo("pending");
        assertThat(halfway.one("status")).isEqualTo("pending");
        assertThat(halfway.one("progress")).isEqualTo("50%");
        assertThat(done.one("status")).isEqualTo("completed");
        assertThat(done.one("progress")).isEqualTo("100%");
    }

    @Test
    void theContentIsFixedAtTheCall() throws Exception {
        restart(SLOW);
        var volume = aws.createVolume(1, Map.of());
        volume.write(512 << 10, new byte[] {1, 2, 3});
        String id = wire.ec2("CreateSnapshot", "VolumeId", volume.id()).one("snapshotId");

        volume.write((512 << 10) + 1, new byte[] {9});
        volume.write(0, new byte[] {7});

        assertThat(aws.snapshot(id).read(512 << 10, 3)).containsExactly(1, 2, 3);
        assertThat(aws.snapshot(id).blocks()).containsExactly(1);
        assertThat(volume.read(512 << 10, 3)).containsExactly(1, 9, 3);
    }

    @Test
    void pagesHoldEachSnapshotOnceAndTheTokenBelongsToItsQuestion() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        var created = new HashSet<String>();
        for (int count = 0; count < 13; count++) {
            created.add(wire.ec2("CreateSnapshot", "VolumeId", volume.id()).one("snapshotId"));
        }

        var seen = new ArrayList<String>();
        var page = wire.ec2("DescribeSnapshots", "Owner.1", "self", "MaxResults", "5");
        var foreign = wire.ec2("DescribeSnapshots", "MaxResults", "5", "NextToken", page.one("nextToken"));
        seen.addAll(page.all("snapshotId"));
        while (!page.one("nextToken").isEmpty()) {
            page = wire.ec2(
                    "DescribeSnapshots", "Owner.1", "self", "MaxResults", "5", "NextToken", page.one("nextToken"));
            seen.addAll(page.all("snapshotId"));
        }

        assertThat(seen).hasSize(13).containsExactlyInAnyOrderElementsOf(created);
        assertThat(foreign.one("Code")).isEqualTo("InvalidNextToken");
    }

    @Test
    void whoDoesNotAskForHisOwnSeesPublicSnapshotsToo() throws Exception {
        assertThat(wire.ec2("DescribeSnapshots").all("snapshotId")).hasSize(2);
        assertThat(wire.ec2("DescribeSnapshots", "Owner.1", "self").all("snapshotId"))
                .isEmpty();
    }

    @Test
    void filtersHoldTogetherAndUnknownOnesAreRefused() throws Exception {
        var one = aws.createVolume(1, Map.of());
        var two = aws.createVolume(1, Map.of());
        String wanted = tagged(one, "tidemark:point", "p-1");
        tagged(one, "tidemark:point", "p-2");
        tagged(two, "tidemark:point", "p-1");

        var found = wire.ec2(
                "DescribeSnapshots",
                "Filter.1.Name",
                "volume-id",
                "Filter.1.Value.1",
                one.id(),
                "Filter.2.Name",
                "tag:tidemark:point",
                "Filter.2.Value.1",
                "p-1");
        var byKey = wire.ec2("DescribeSnapshots", "Filter.1.Name", "tag-key", "Filter.1.Value.1", "tidemark:*");
        var unknown = wire.ec2("DescribeSnapshots", "Filter.1.Name", "colour", "Filter.1.Value.1", "red");

        assertThat(found.all("snapshotId")).containsExactly(wanted);
        assertThat(byKey.all("snapshotId")).hasSize(3);
        assertThat(unknown.one("Code")).isEqualTo("InvalidParameterValue");
    }

    @Test
    void whatIsNotThereHasItsOwnCode() throws Exception {
        assertCode(400, "InvalidVolume.NotFound", wire.ec2("CreateSnapshot", "VolumeId", "vol-0123456789abcdef0"));
        assertCode(400, "InvalidSnapshot.NotFound", wire.ec2("DeleteSnapshot", "SnapshotId", "snap-0123456789abcdef0"));
        assertCode(400, "InvalidSnapshot.NotFound", wire.ec2("DescribeSnapshots", "SnapshotId.1", "snap-0abc"));
        assertCode(400, "InvalidSnapshotID.Malformed", wire.ec2("DeleteSnapshot", "SnapshotId", "snap-x"));
    }

    @Test
    void aDryRunSaysWhetherItWouldBeAllowedAndDoesNothing() throws Exception {
        var volume = aws.createVolume(1, Map.of());

        assertCode(412, "DryRunOperation", wire.ec2("CreateSnapshot", "VolumeId", volume.id(), "DryRun", "true"));
        aws.deny("CreateSnapshot");
        assertCode(403, "UnauthorizedOperation", wire.ec2("CreateSnapshot", "VolumeId", volume.id(), "DryRun", "true"));

        assertThat(aws.snapshots()).isEmpty();
    }

    @Test
    void ratesAndQuotasOfAVolumeAreKept() throws Exception {
        restart(SLOW.limits(AwsLimits.published()));
        var volume = aws.createVolume(1, Map.of());

        wire.ec2("CreateSnapshot", "VolumeId", volume.id());
        assertCode(400, "SnapshotCreationPerVolumeRateExceeded", wire.ec2("CreateSnapshot", "VolumeId", volume.id()));
        for (int count = 1; count < 5; count++) {
            aws.clock().advance(Duration.ofSeconds(30));
            wire.ec2("CreateSnapshot", "VolumeId", volume.id());
        }
        aws.clock().advance(Duration.ofSeconds(30));
        assertCode(400, "ConcurrentSnapshotLimitExceeded", wire.ec2("CreateSnapshot", "VolumeId", volume.id()));

        assertThat(aws.snapshots()).hasSize(5);
    }

    @Test
    void volumesOfAnInstanceAreTakenTogetherWithTheirTags() throws Exception {
        var root = aws.createVolume(1, Map.of("name", "root"));
        var data = aws.createVolume(1, Map.of("name", "data"));
        var scratch = aws.createVolume(1, Map.of());
        String instance = aws.createInstance(List.of(root, data, scratch));

        var taken = wire.ec2(
                "CreateSnapshots",
                "InstanceSpecification.InstanceId",
                instance,
                "InstanceSpecification.ExcludeBootVolume",
                "true",
                "InstanceSpecification.ExcludeDataVolumeId.1",
                scratch.id(),
                "CopyTagsFromSource",
                "volume",
                "TagSpecification.1.ResourceType",
                "snapshot",
                "TagSpecification.1.Tag.1.Key",
                "point",
                "TagSpecification.1.Tag.1.Value",
                "p");

        assertThat(taken.all("volumeId")).containsExactly(data.id());
        assertThat(aws.snapshots().getFirst().tags()).isEqualTo(Map.of("name", "data", "point", "p"));
    }

    @Test
    void whatAnImageOrACopyUsesCannotBeDeleted() throws Exception {
        restart(SLOW.regions("eu-central-1", "us-east-1"));
        String id = tagged(aws.createVolume(1, Map.of()), "a", "b");
        aws.clock().advance(Duration.ofMinutes(10));
        aws.registerImage(id);

        assertCode(400, "InvalidSnapshot.InUse", wire.ec2("DeleteSnapshot", "SnapshotId", id));
        aws.deregisterImage(id);
        try (var there = new AwsWire(aws.endpoint("us-east-1"))) {
            there.ec2("CopySnapshot", "SourceRegion", "eu-central-1", "SourceSnapshotId", id);
        }
        assertCode(400, "InvalidSnapshot.InUse", wire.ec2("DeleteSnapshot", "SnapshotId", id));
        aws.clock().advance(Duration.ofMinutes(10));
        assertThat(wire.ec2("DeleteSnapshot", "SnapshotId", id).status()).isEqualTo(200);

        assertThat(aws.snapshots()).isEmpty();
        assertThat(aws.snapshots("us-east-1")).hasSize(1);
    }

    @Test
    void theTwentyFirstCopyIsRefusedAndACopyCarriesContentButNoTags() throws Exception {
        restart(SLOW);
        var volume = aws.createVolume(1, Map.of());
        volume.write(0, new byte[] {5});
        String id = tagged(volume, "a", "b");
        assertCode(400, "IncorrectState", copy(id));
        aws.clock().advance(Duration.ofMinutes(10));
        String copied = "";
        for (int count = 0; count < 20; count++) {
            copied = copy(id).one("snapshotId");
        }

        assertCode(400, "ResourceLimitExceeded", copy(id));
        aws.clock().advance(Duration.ofMinutes(10));
        assertThat(copy(id).status()).isEqualTo(200);

        assertThat(aws.snapshot(copied).read(0, 1)).containsExactly(5);
        assertThat(aws.snapshot(copied).tags()).isEmpty();
    }

    @Test
    void aCopyOfWhatIsNotThereFailsOnlyLater() throws Exception {
        String copied = copy("snap-0123456789abcdef0").one("snapshotId");

        assertThat(aws.state(aws.snapshot(copied))).isEqualTo("pending");
        aws.clock().advance(Duration.ofSeconds(160));

        var described = wire.ec2("DescribeSnapshots", "SnapshotId.1", copied);
        assertThat(described.one("status")).isEqualTo("error");
        assertThat(described.one("statusMessage")).isNotEmpty();
    }

    private AwsWire.Answer copy(String id) throws Exception {
        return wire.ec2("CopySnapshot", "SourceRegion", "eu-central-1", "SourceSnapshotId", id);
    }

    private String tagged(FakeVolume volume, String key, String value) throws Exception {
        return wire.ec2(
                        "CreateSnapshot",
                        "VolumeId",
                        volume.id(),
                        "TagSpecification.1.ResourceType",
                        "snapshot",
                        "TagSpecification.1.Tag.1.Key",
                        key,
                        "TagSpecification.1.Tag.1.Value",
                        value)
                .one("snapshotId");
    }

    static void assertCode(int status, String code, AwsWire.Answer answer) {
        assertThat(answer.one("Code")).as(answer.text()).isEqualTo(code);
        assertThat(answer.status()).isEqualTo(status);
    }
}
