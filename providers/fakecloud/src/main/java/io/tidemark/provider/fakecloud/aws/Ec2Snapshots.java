package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot.Encryption;
import io.tidemark.provider.fakecloud.aws.FakeVolume.Lineage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Snapshots in EC2: taken, copied, listed, deleted. Guarded by the lock of the account. */
final class Ec2Snapshots {
    private static final Duration STUCK_FOR = Duration.ofHours(6);
    /** How long a copy of a snapshot that is not there is pending before it fails (terraform-provider-aws, PR 3086). */
    private static final Duration LOST_COPY_TAKES = Duration.ofSeconds(160);

    private static final Ec2Pages.Bounds BOUNDS = new Ec2Pages.Bounds(5, 1000);

    private final AwsRegion region;
    private final Function<String, @Nullable AwsRegion> regions;
    private final Ec2Pages pages;

    Ec2Snapshots(AwsRegion region, Function<String, @Nullable AwsRegion> regions, Ec2Pages pages) {
        this.region = region;
        this.regions = regions;
        this.pages = pages;
    }

    void register(Map<String, Ec2Operation> operations) {
        operations.put("CreateSnapshot", new Ec2Operation(CallKind.CREATE, this::create));
        operations.put("CreateSnapshots", new Ec2Operation(CallKind.CREATE, this::createOfInstance));
        operations.put("CopySnapshot", new Ec2Operation(CallKind.CREATE, this::copy));
        operations.put("DeleteSnapshot", new Ec2Operation(CallKind.CHANGE, this::delete));
        operations.put("DescribeSnapshots", new Ec2Operation(CallKind.LIST, this::describe));
    }

    private void create(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeVolume volume = volume(call.required("VolumeId"));
        var tags = call.tagsFor("snapshot");
        checkRate(volume, call.now);
        FakeSnapshot snapshot = take(call, volume, tags);
        fields(snapshot, call.now, xml);
    }

    private void createOfInstance(Ec2Call call, Xml xml) throws Ec2Exception {
        String instanceId = call.required("InstanceSpecification.InstanceId");
        var instance = region.instances.get(instanceId);
        if (instance == null) {
            throw new Ec2Exception(
                    "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist".formatted(instanceId));
        }
        var ids = new ArrayList<>(instance.volumeByDevice().values());
        String root = ids.getFirst();
        for (String excluded : call.list("InstanceSpecification.ExcludeDataVolumeId")) {
            if (excluded.equals(root) || !ids.remove(excluded)) {
                throw Ec2Call.invalid("ExcludeDataVolumeIds", excluded, "not a data volume of " + instanceId);
            }
        }
        if (call.flag("InstanceSpecification.ExcludeBootVolume")) {
            ids.remove(root);
        }
        if (ids.isEmpty()) {
            throw new Ec2Exception("InvalidParameterValue", "All volumes of the instance are excluded");
        }
        boolean copyTags = "volume".equals(call.text("CopyTagsFromSource"));
        var tags = call.tagsFor("snapshot");
        var volumes = new ArrayList<FakeVolume>();
        for (String id : ids) {
            FakeVolume volume = volume(id);
            checkRate(volume, call.now);
            volumes.add(volume);
        }
        xml.open("snapshotSet");
        for (var volume : volumes) {
            var all = new LinkedHashMap<String, String>(copyTags ? volume.tags : Map.of());
            all.putAll(tags);
            FakeSnapshot snapshot = take(call, volume, all);
            xml.open("item");
            infoFields(snapshot, call.now, xml);
            xml.close("item");
        }
        xml.close("snapshotSet");
    }

    private void checkRate(FakeVolume volume, Instant now) throws Ec2Exception {
        Duration interval = region.settings.limits().snapshotInterval();
        if (!volume.lastSnapshot.equals(Instant.MIN) && now.isBefore(volume.lastSnapshot.plus(interval))) {
            throw new Ec2Exception(
                    "SnapshotCreationPerVolumeRateExceeded",
                    "The maximum per volume CreateSnapshot request rate has been exceeded. "
                            + "Use an increasing or variable sleep interval between requests.");
        }
        int limit = region.settings.limits().pendingPerVolume();
        if (region.pendingSnapshotsOf(volume) >= limit) {
            throw new Ec2Exception(
                    "ConcurrentSnapshotLimitExceeded",
                    "Maximum allowed in-progress snapshots for a single volume exceeded.");
        }
    }

    private FakeSnapshot take(Ec2Call call, FakeVolume volume, Map<String, String> tags) {
        volume.lastSnapshot = call.now;
        var birth = new FakeSnapshot.Birth(
                region.newId("snap-"),
                region.accountId,
                volume.id,
                volume.sizeGib,
                description(call),
                volume.lineage,
                volume.content().freeze());
        var encryption = new Encryption(volume.options.encrypted(), volume.options.kmsKeyId());
        var snapshot = new FakeSnapshot(birth, encryption, call.now, call.now.plus(region.settings.takes()), tags);
        volume.pending.add(snapshot);
        return add(call, snapshot);
    }

    private static String description(Ec2Call call) {
        return Objects.requireNonNullElse(call.text("Description"), "");
    }

    private FakeSnapshot add(Ec2Call call, FakeSnapshot snapshot) {
        snapshot.invisibleLists = call.script.invisibleLists(call.fault);
        switch (call.fault) {
            case STUCK -> snapshot.endsAt = snapshot.endsAt.plus(STUCK_FOR);
            case END_IN_ERROR -> snapshot.errorMessage = "An internal error occurred";
            default -> {}
        }
        region.snapshots.put(snapshot.id, snapshot);
        return snapshot;
    }

    private void copy(Ec2Call call, Xml xml) throws Ec2Exception {
        String sourceRegion = call.required("SourceRegion");
        String sourceId = call.required("SourceSnapshotId");
        var tags = call.tagsFor("snapshot");
        String key = call.text("KmsKeyId");
        if (key != null && !call.flag("Encrypted")) {
            throw new Ec2Exception(
                    "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.");
        }
        AwsRegion there = regions.apply(sourceRegion);
        FakeSnapshot source = there == null ? null : there.snapshot(sourceId);
        if (source != null && source.state(call.now).equals("pending")) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is pending.".formatted(sourceId));
        }
        int limit = region.settings.limits().copies();
        if (region.pendingCopies() >= limit) {
            throw new Ec2Exception(
                    "ResourceLimitExceeded",
                    "Too many snapshot copies in progress. The limit is %d for this destination region."
                            .formatted(limit));
        }
        FakeSnapshot copy = add(call, copyOf(call, source, tags));
        region.sourceOfCopy.put(copy.id, sourceRegion + "/" + sourceId);
        xml.value("snapshotId", copy.id).tags(copy.tags);
    }

    private FakeSnapshot copyOf(Ec2Call call, @Nullable FakeSnapshot source, Map<String, String> tags) {
        boolean encrypted =
                call.flag("Encrypted") || region.encryptionByDefault || (source != null && source.encrypted);
        String key = call.text("KmsKeyId");
        if (encrypted && key == null) {
            key = Ec2Volumes.defaultKey(region);
        }
        String lineage = source == null ? "lost" : source.lineage.name();
        NavigableMap<Integer, byte[]> content = source == null ? Collections.emptyNavigableMap() : source.content;
        var birth = new FakeSnapshot.Birth(
                region.newId("snap-"),
                region.accountId,
                AwsRegion.NO_VOLUME,
                source == null ? 1 : source.volumeSizeGib,
                description(call),
                new Lineage("%s in %s with %s".formatted(lineage, region.name, key)),
                content);
        Instant end = call.now.plus(source == null ? LOST_COPY_TAKES : region.settings.takes());
        var copy = new FakeSnapshot(birth, new Encryption(encrypted, key), call.now, end, tags);
        if (source == null) {
            copy.errorMessage = "Source snapshot not found";
        }
        return copy;
    }

    private void delete(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeSnapshot snapshot = owned(region, call.required("SnapshotId"));
        if (!isVisible(snapshot)) {
            throw notFound(snapshot.id);
        }
        String image = region.imageOfSnapshot.get(snapshot.id);
        if (image != null) {
            throw inUse(snapshot, image);
        }
        String reader = copyThatReads(snapshot);
        if (reader != null) {
            throw inUse(snapshot, reader);
        }
        SnapshotProtection protection = snapshot.protection;
        if (protection != null && protection.locked(call.now)) {
            throw new Ec2Exception(
                    "SnapshotLocked", "The snapshot '%s' is locked and can't be deleted.".formatted(snapshot.id));
        }
        if (region.binRetention.isZero() || !snapshot.state(call.now).equals("completed")) {
            region.snapshots.remove(snapshot.id);
        } else {
            snapshot.protection().enteredBin = call.now;
            snapshot.protection().leavesBin = call.now.plus(region.binRetention);
        }
        xml.value("return", true);
    }

    private static Ec2Exception inUse(FakeSnapshot snapshot, String user) {
        return new Ec2Exception(
                "InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s".formatted(snapshot.id, user));
    }

    private @Nullable String copyThatReads(FakeSnapshot snapshot) {
        for (String name : region.settings.regions()) {
            AwsRegion target = regions.apply(name);
            if (target != null && target.pendingCopies() > 0) {
                for (var copy : target.sourceOfCopy.entrySet()) {
                    if (copy.getValue().equals(region.name + "/" + snapshot.id)) {
                        return copy.getKey();
                    }
                }
            }
        }
        return null;
    }

    private void describe(Ec2Call call, Xml xml) throws Ec2Exception {
        var ids = call.list("SnapshotId");
        var owners = call.list("Owner");
        var filters = call.filters();
        var known = filters(call.now);
        known.check(filters);
        List<FakeSnapshot> all;
        if (ids.isEmpty()) {
            all = region.snapshotsAfter(pages.after(call));
        } else {
            if (call.text("MaxResults") != null) {
                throw new Ec2Exception(
                        "InvalidParameterCombination",
                        "The parameter snapshotIds cannot be used with the parameter maxResults");
            }
            all = new ArrayList<>();
            for (String id : ids) {
                all.add(named(id));
            }
        }
        var page = pages.page(
                call,
                all,
                snapshot -> snapshot.id,
                snapshot -> isOwner(owners, snapshot) && known.hold(filters, snapshot) && isVisible(snapshot),
                BOUNDS);
        xml.open("snapshotSet");
        for (var snapshot : page.items()) {
            xml.open("item");
            fields(snapshot, call.now, xml);
            xml.close("item");
        }
        xml.close("snapshotSet").value("nextToken", page.nextToken());
    }

    private FakeSnapshot named(String id) throws Ec2Exception {
        FakeSnapshot snapshot = snapshot(region, id);
        if (!isVisible(snapshot)) {
            throw notFound(id);
        }
        return snapshot;
    }

    private boolean isOwner(List<String> owners, FakeSnapshot snapshot) {
        return owners.isEmpty()
                || owners.contains(snapshot.ownerId)
                || (owners.contains("self") && snapshot.ownerId.equals(region.accountId));
    }

    /** Counts down: each list that would show it and does not brings it nearer. */
    private static boolean isVisible(FakeSnapshot snapshot) {
        if (snapshot.invisibleLists > 0) {
            snapshot.invisibleLists--;
            return false;
        }
        return true;
    }

    private static Ec2Filters<FakeSnapshot> filters(Instant now) {
        return new Ec2Filters<>(
                Map.of(
                        "snapshot-id", snapshot -> snapshot.id,
                        "volume-id", snapshot -> snapshot.volumeId,
                        "status", snapshot -> snapshot.state(now),
                        "owner-id", snapshot -> snapshot.ownerId,
                        "description", snapshot -> snapshot.description,
                        "progress", snapshot -> snapshot.progress(now),
                        "volume-size", snapshot -> String.valueOf(snapshot.volumeSizeGib),
                        "encrypted", snapshot -> String.valueOf(snapshot.encrypted)),
                snapshot -> snapshot.tags);
    }

    private FakeVolume volume(String id) throws Ec2Exception {
        return Ec2Volumes.volume(region, id);
    }

    /** A snapshot by id, of any owner. */
    static FakeSnapshot snapshot(AwsRegion region, String id) throws Ec2Exception {
        if (!id.matches("snap-[0-9a-f]{1,17}")) {
            throw new Ec2Exception("InvalidSnapshotID.Malformed", "Invalid id: \"%s\"".formatted(id));
        }
        FakeSnapshot snapshot = region.snapshot(id);
        if (snapshot == null) {
            throw notFound(id);
        }
        return snapshot;
    }

    /** A snapshot by id that is the account's own. */
    static FakeSnapshot owned(AwsRegion region, String id) throws Ec2Exception {
        FakeSnapshot snapshot = snapshot(region, id);
        if (!snapshot.ownerId.equals(region.accountId)) {
            throw new Ec2Exception(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
        }
        return snapshot;
    }

    static Ec2Exception notFound(String id) {
        return new Ec2Exception("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.".formatted(id));
    }

    private static void fields(FakeSnapshot snapshot, Instant now, Xml xml) {
        String state = snapshot.state(now);
        xml.value("snapshotId", snapshot.id)
                .value("volumeId", snapshot.volumeId)
                .value("status", state)
                .value("statusMessage", state.equals("error") ? snapshot.errorMessage : null)
                .time("startTime", snapshot.startTime)
                .value("progress", snapshot.progress(now))
                .value("ownerId", snapshot.ownerId)
                .value("volumeSize", snapshot.volumeSizeGib)
                .value("description", snapshot.description)
                .value("encrypted", snapshot.encrypted)
                .value("kmsKeyId", snapshot.kmsKeyId)
                .value("storageTier", tier(snapshot, now));
        if (state.equals("completed")) {
            xml.time("completionTime", snapshot.endsAt);
        }
        xml.tags(snapshot.tags);
    }

    static String tier(FakeSnapshot snapshot, Instant now) {
        SnapshotProtection protection = snapshot.protection;
        return protection != null && protection.archivedAt(now) ? "archive" : "standard";
    }

    private static void infoFields(FakeSnapshot snapshot, Instant now, Xml xml) {
        xml.value("snapshotId", snapshot.id)
                .value("volumeId", snapshot.volumeId)
                .value("state", snapshot.state(now))
                .time("startTime", snapshot.startTime)
                .value("progress", snapshot.progress(now))
                .value("ownerId", snapshot.ownerId)
                .value("volumeSize", snapshot.volumeSizeGib)
                .value("description", snapshot.description)
                .value("encrypted", snapshot.encrypted)
                .tags(snapshot.tags);
    }
}
