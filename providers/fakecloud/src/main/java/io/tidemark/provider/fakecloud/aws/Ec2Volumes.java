package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.aws.AwsRegion.TokenUse;
import io.tidemark.provider.fakecloud.aws.FakeVolume.VolumeOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Volumes and the instances they are attached to. Guarded by the lock of the account. */
final class Ec2Volumes {
    private static final Ec2Pages.Bounds BOUNDS = new Ec2Pages.Bounds(5, 1000);
    private static final int SIZE_GIB_MAXIMUM = 65_536;

    private final AwsRegion region;
    private final Ec2Pages pages;

    Ec2Volumes(AwsRegion region, Ec2Pages pages) {
        this.region = region;
        this.pages = pages;
    }

    void register(Map<String, Ec2Operation> operations) {
        operations.put("DescribeVolumes", new Ec2Operation(CallKind.LIST, this::describe));
        operations.put("CreateVolume", new Ec2Operation(CallKind.CREATE, this::create));
        operations.put("DeleteVolume", new Ec2Operation(CallKind.CHANGE, this::delete));
        operations.put("AttachVolume", new Ec2Operation(CallKind.CHANGE, this::attach));
        operations.put("DetachVolume", new Ec2Operation(CallKind.CHANGE, this::detach));
        operations.put("DescribeInstances", new Ec2Operation(CallKind.LIST, this::describeInstances));
    }

    static String defaultKey(AwsRegion region) {
        return "arn:aws:kms:%s:%s:key/alias-aws-ebs".formatted(region.name, region.accountId);
    }

    static FakeVolume volume(AwsRegion region, String id) throws Ec2Exception {
        if (!id.matches("vol-[0-9a-f]{1,17}")) {
            throw new Ec2Exception("InvalidVolumeID.Malformed", "Invalid id: \"%s\"".formatted(id));
        }
        FakeVolume volume = region.volumes.get(id);
        if (volume == null) {
            throw notFound(id);
        }
        return volume;
    }

    private static Ec2Exception notFound(String id) {
        return new Ec2Exception("InvalidVolume.NotFound", "The volume '%s' does not exist.".formatted(id));
    }

    private void create(Ec2Call call, Xml xml) throws Ec2Exception {
        String token = call.text("ClientToken");
        var parameters = new TreeMap<>(call.form);
        parameters.remove("ClientToken");
        if (token != null) {
            TokenUse use = region.clientTokens.get(token);
            if (use != null && !use.parameters().equals(parameters.toString())) {
                throw new Ec2Exception(
                        "IdempotentParameterMismatch",
                        "The client token you have provided is associated with a resource that has other parameters.");
            }
            if (use != null) {
                fields(volume(region, use.madeId()), call.now, xml);
                return;
            }
        }
        FakeVolume volume = make(call);
        if (token != null) {
            region.clientTokens.put(token, new TokenUse(parameters.toString(), volume.id));
        }
        fields(volume, call.now, xml);
    }

    private FakeVolume make(Ec2Call call) throws Ec2Exception {
        String zone = zone(call);
        var tags = call.tagsFor("volume");
        String snapshotId = call.text("SnapshotId");
        FakeSnapshot snapshot = snapshotId == null ? null : Ec2Snapshots.snapshot(region, snapshotId);
        if (snapshot != null) {
            checkReadable(snapshot, call.now);
        }
        Integer asked = call.number("Size");
        if (asked == null && snapshot == null) {
            throw new Ec2Exception("MissingParameter", "The request must contain the parameter size or snapshotId");
        }
        int least = snapshot == null ? 1 : snapshot.volumeSizeGib;
        int size = asked == null ? least : asked;
        if (size < least || size > SIZE_GIB_MAXIMUM) {
            throw Ec2Call.invalid("size", String.valueOf(size), "expecting %d to 65536".formatted(least));
        }
        boolean encrypted =
                call.flag("Encrypted") || region.encryptionByDefault || (snapshot != null && snapshot.encrypted);
        String key = call.text("KmsKeyId");
        var options = new VolumeOptions(
                zone,
                Objects.requireNonNullElse(call.text("VolumeType"), "gp2"),
                snapshotId,
                encrypted,
                encrypted && key == null ? defaultKey(region) : key,
                call.number("Iops"),
                call.number("Throughput"));
        var content = snapshot == null ? new SparseBlocks() : SparseBlocks.of(snapshot.content);
        FakeVolume volume = region.addVolume(size, options, tags, content);
        volume.invisibleLists = call.script.invisibleLists(call.fault);
        return volume;
    }

    private String zone(Ec2Call call) throws Ec2Exception {
        String zone = call.text("AvailabilityZone");
        String zoneId = call.text("AvailabilityZoneId");
        if ((zone == null) == (zoneId == null)) {
            throw new Ec2Exception(
                    "InvalidParameterCombination", "Either AvailabilityZone or AvailabilityZoneId must be specified");
        }
        if (zone != null && !zone.matches(region.name + "[a-c]")) {
            throw new Ec2Exception("InvalidZone.NotFound", "The zone '%s' does not exist.".formatted(zone));
        }
        return zone == null ? region.name + "a" : zone;
    }

    private static void checkReadable(FakeSnapshot snapshot, Instant now) throws Ec2Exception {
        String state = snapshot.state(now);
        if (!state.equals("completed") || Ec2Snapshots.tier(snapshot, now).equals("archive")) {
            throw new Ec2Exception(
                    "IncorrectState",
                    "Snapshot is in invalid state - " + (state.equals("completed") ? "archive" : state));
        }
    }

    private void delete(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeVolume volume = volume(region, call.required("VolumeId"));
        if (volume.instanceId != null) {
            throw new Ec2Exception(
                    "VolumeInUse", "Volume %s is currently attached to %s".formatted(volume.id, volume.instanceId));
        }
        region.volumes.remove(volume.id);
        xml.value("return", true);
    }

    private void attach(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeVolume volume = volume(region, call.required("VolumeId"));
        String instanceId = call.required("InstanceId");
        var instance = region.instances.get(instanceId);
        if (instance == null) {
            throw new Ec2Exception(
                    "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist".formatted(instanceId));
        }
        if (!volume.state(call.now).equals("available")) {
            throw new Ec2Exception("IncorrectState", "Volume %s is not available".formatted(volume.id));
        }
        String device = call.required("Device");
        if (instance.volumeByDevice().putIfAbsent(device, volume.id) != null) {
            throw Ec2Call.invalid("Device", device, "it is already in use");
        }
        volume.instanceId = instanceId;
        volume.device = device;
        attachment(volume, call.now, "attached", xml);
    }

    private void detach(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeVolume volume = volume(region, call.required("VolumeId"));
        var instance = volume.instanceId == null ? null : region.instances.get(volume.instanceId);
        if (instance == null) {
            throw new Ec2Exception("IncorrectState", "Volume '%s' is in the 'available' state.".formatted(volume.id));
        }
        attachment(volume, call.now, "detached", xml);
        instance.volumeByDevice().values().remove(volume.id);
        volume.instanceId = null;
        volume.device = null;
    }

    private void describe(Ec2Call call, Xml xml) throws Ec2Exception {
        var ids = call.list("VolumeId");
        var filters = call.filters();
        var known = filters(call.now);
        known.check(filters);
        List<FakeVolume> all;
        if (ids.isEmpty()) {
            all = List.copyOf(region.volumes.tailMap(pages.after(call), false).values());
        } else {
            if (call.text("MaxResults") != null) {
                throw new Ec2Exception(
                        "InvalidParameterCombination",
                        "The parameter volumeIds cannot be used with the parameter maxResults");
            }
            all = new ArrayList<>();
            for (String id : ids) {
                FakeVolume volume = volume(region, id);
                if (!isVisible(volume)) {
                    throw notFound(id);
                }
                all.add(volume);
            }
        }
        var page = pages.page(
                call, all, volume -> volume.id, volume -> known.hold(filters, volume) && isVisible(volume), BOUNDS);
        xml.open("volumeSet");
        for (var volume : page.items()) {
            xml.open("item");
            fields(volume, call.now, xml);
            xml.close("item");
        }
        xml.close("volumeSet").value("nextToken", page.nextToken());
    }

    private static boolean isVisible(FakeVolume volume) {
        if (volume.invisibleLists > 0) {
            volume.invisibleLists--;
            return false;
        }
        return true;
    }

    private static Ec2Filters<FakeVolume> filters(Instant now) {
        return new Ec2Filters<>(
                Map.of(
                        "volume-id", volume -> volume.id,
                        "status", volume -> volume.state(now),
                        "snapshot-id", volume -> volume.options.snapshotId(),
                        "availability-zone", volume -> volume.options.zone(),
                        "volume-type", volume -> volume.options.type(),
                        "encrypted", volume -> String.valueOf(volume.options.encrypted()),
                        "size", volume -> String.valueOf(volume.sizeGib),
                        "attachment.instance-id", volume -> volume.instanceId),
                volume -> volume.tags);
    }

    private static void fields(FakeVolume volume, Instant now, Xml xml) {
        VolumeOptions options = volume.options;
        xml.value("volumeId", volume.id)
                .value("size", volume.sizeGib)
                .value("snapshotId", Objects.requireNonNullElse(options.snapshotId(), ""))
                .value("availabilityZone", options.zone())
                .value("status", volume.state(now))
                .time("createTime", volume.createTime)
                .value("volumeType", options.type())
                .value("iops", options.iops())
                .value("throughput", options.throughput())
                .value("encrypted", options.encrypted())
                .value("kmsKeyId", options.kmsKeyId())
                .value("multiAttachEnabled", false);
        xml.open("attachmentSet");
        if (volume.instanceId != null) {
            xml.open("item");
            attachment(volume, now, "attached", xml);
            xml.close("item");
        }
        xml.close("attachmentSet").tags(volume.tags);
    }

    private static void attachment(FakeVolume volume, Instant now, @Nullable String state, Xml xml) {
        xml.value("volumeId", volume.id)
                .value("instanceId", volume.instanceId)
                .value("device", volume.device)
                .value("status", state)
                .time("attachTime", now.minus(Duration.ofDays(1)))
                .value("deleteOnTermination", false);
    }

    private void describeInstances(Ec2Call call, Xml xml) throws Ec2Exception {
        var ids = call.list("InstanceId");
        for (String id : ids) {
            if (!region.instances.containsKey(id)) {
                throw new Ec2Exception(
                        "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist".formatted(id));
            }
        }
        var page = pages.page(
                call,
                List.copyOf(region.instances.values()),
                AwsRegion.Instance::id,
                instance -> ids.isEmpty() || ids.contains(instance.id()),
                BOUNDS);
        xml.open("reservationSet");
        for (var instance : page.items()) {
            xml.open("item").open("instancesSet").open("item").value("instanceId", instance.id());
            xml.open("instanceState").value("code", 16).value("name", "running").close("instanceState");
            if (!instance.volumeByDevice().isEmpty()) {
                xml.value(
                        "rootDeviceName", instance.volumeByDevice().firstEntry().getKey());
            }
            xml.open("blockDeviceMapping");
            instance.volumeByDevice()
                    .forEach((device, volumeId) -> xml.open("item")
                            .value("deviceName", device)
                            .open("ebs")
                            .value("volumeId", volumeId)
                            .value("status", "attached")
                            .close("ebs")
                            .close("item"));
            xml.close("blockDeviceMapping").close("item").close("instancesSet").close("item");
        }
        xml.close("reservationSet").value("nextToken", page.nextToken());
    }
}
