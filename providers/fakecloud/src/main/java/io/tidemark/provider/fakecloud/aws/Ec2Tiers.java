package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.aws.SnapshotProtection.FastRestore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The archive tier and fast snapshot restores. Guarded by the lock of the account. */
final class Ec2Tiers {
    private static final Ec2Pages.Bounds BOUNDS = new Ec2Pages.Bounds(0, 1000);
    /** Published as up to 72 hours; one step of the clock is what tests need. */
    private static final Duration TIERING_TAKES = Duration.ofHours(1);

    private static final int RESTORE_DAYS_MAXIMUM = 180;

    private final AwsRegion region;
    private final Ec2Pages pages;

    /** One snapshot in one zone. */
    private record Zoned(FakeSnapshot snapshot, String zone, FastRestore restore) {
        String id() {
            return snapshot.id + "/" + zone;
        }
    }

    Ec2Tiers(AwsRegion region, Ec2Pages pages) {
        this.region = region;
        this.pages = pages;
    }

    void register(Map<String, Ec2Operation> operations) {
        operations.put("ModifySnapshotTier", new Ec2Operation(CallKind.CHANGE, this::archive));
        operations.put("RestoreSnapshotTier", new Ec2Operation(CallKind.CHANGE, this::restore));
        operations.put("DescribeSnapshotTierStatus", new Ec2Operation(CallKind.LIST, this::describe));
        operations.put("EnableFastSnapshotRestores", new Ec2Operation(CallKind.CHANGE, (call, xml) -> {
            change(
                    call,
                    xml,
                    restore ->
                            restore == null || restore.disabling() != null ? new FastRestore(call.now, null) : restore);
        }));
        operations.put("DisableFastSnapshotRestores", new Ec2Operation(CallKind.CHANGE, (call, xml) -> {
            change(call, xml, restore -> restore == null ? null : new FastRestore(restore.enabling(), call.now));
        }));
        operations.put("DescribeFastSnapshotRestores", new Ec2Operation(CallKind.LIST, this::describeFast));
    }

    private void archive(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeSnapshot snapshot = completed(call);
        String image = region.imageOfSnapshot.get(snapshot.id);
        if (image != null) {
            throw new Ec2Exception(
                    "InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s".formatted(snapshot.id, image));
        }
        SnapshotProtection protection = snapshot.protection();
        if (protection.archivedAt(call.now) || call.now.isBefore(protection.tieringEnds)) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is in the archive.".formatted(snapshot.id));
        }
        protection.tieringKind = "archival";
        protection.tieringStarted = call.now;
        protection.tieringEnds = call.now.plus(TIERING_TAKES);
        protection.restoreExpires = null;
        protection.fastRestores.replaceAll((zone, restore) ->
                restore.disabling() == null ? new FastRestore(restore.enabling(), call.now) : restore);
        xml.value("snapshotId", snapshot.id).time("tieringStartTime", call.now);
    }

    private void restore(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeSnapshot snapshot = completed(call);
        SnapshotProtection protection = snapshot.protection();
        Integer days = call.number("TemporaryRestoreDays");
        boolean permanent = call.flag("PermanentRestore");
        if ((days == null) == !permanent) {
            throw new Ec2Exception(
                    "InvalidParameterCombination", "Specify either TemporaryRestoreDays or PermanentRestore");
        }
        if (days != null && (days < 1 || days > RESTORE_DAYS_MAXIMUM)) {
            throw Ec2Call.invalid("TemporaryRestoreDays", days.toString(), "expecting 1 to 180");
        }
        boolean isBackForATime = protection.restoreExpires != null && call.now.isBefore(protection.restoreExpires);
        if (!protection.archivedAt(call.now) && !isBackForATime) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is not archived.".formatted(snapshot.id));
        }
        if (protection.archivedAt(call.now) && call.now.isBefore(protection.tieringEnds)) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is being restored.".formatted(snapshot.id));
        }
        protection.tieringEnds = protection.archivedAt(call.now) ? call.now.plus(TIERING_TAKES) : call.now;
        protection.tieringKind = permanent ? "permanent-restore" : "temporary-restore";
        protection.tieringStarted = call.now;
        protection.restoreExpires = days == null ? null : protection.tieringEnds.plus(Duration.ofDays(days));
        xml.value("snapshotId", snapshot.id)
                .time("restoreStartTime", call.now)
                .value("restoreDuration", days)
                .value("isPermanentRestore", permanent);
    }

    private FakeSnapshot completed(Ec2Call call) throws Ec2Exception {
        FakeSnapshot snapshot = Ec2Snapshots.owned(region, call.required("SnapshotId"));
        String state = snapshot.state(call.now);
        if (!state.equals("completed")) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is %s.".formatted(snapshot.id, state));
        }
        return snapshot;
    }

    private void describe(Ec2Call call, Xml xml) throws Ec2Exception {
        var filters = call.filters();
        var known = new Ec2Filters<FakeSnapshot>(
                Map.of(
                        "snapshot-id", snapshot -> snapshot.id,
                        "volume-id", snapshot -> snapshot.volumeId,
                        "last-tiering-operation",
                                snapshot -> snapshot.protection().tieringStatus(call.now)),
                snapshot -> snapshot.tags);
        known.check(filters);
        var page = pages.page(
                call,
                region.snapshotsAfter(""),
                snapshot -> snapshot.id,
                snapshot -> snapshot.ownerId.equals(region.accountId) && known.hold(filters, snapshot),
                BOUNDS);
        xml.open("snapshotTierStatusSet");
        for (var snapshot : page.items()) {
            tierFields(snapshot, call.now, xml.open("item"));
            xml.close("item");
        }
        xml.close("snapshotTierStatusSet").value("nextToken", page.nextToken());
    }

    private static void tierFields(FakeSnapshot snapshot, Instant now, Xml xml) {
        xml.value("snapshotId", snapshot.id)
                .value("volumeId", snapshot.volumeId)
                .value("status", snapshot.state(now))
                .value("ownerId", snapshot.ownerId)
                .value("storageTier", Ec2Snapshots.tier(snapshot, now));
        SnapshotProtection protection = snapshot.protection;
        String status = protection == null ? null : protection.tieringStatus(now);
        if (protection != null && status != null) {
            boolean under = now.isBefore(protection.tieringEnds);
            xml.time("lastTieringStartTime", protection.tieringStarted)
                    .value("lastTieringProgress", under ? 50 : 100)
                    .value("lastTieringOperationStatus", status)
                    .time("archivalCompleteTime", status.equals("archival-completed") ? protection.tieringEnds : null)
                    .time("restoreExpiryTime", protection.restoreExpires);
        }
        xml.tags(snapshot.tags);
    }

    /** What becomes of a fast restore. */
    private interface Step {
        @Nullable
        FastRestore next(@Nullable FastRestore present);
    }

    private void change(Ec2Call call, Xml xml, Step step) throws Ec2Exception {
        var zones = call.list("AvailabilityZone");
        var zoneIds = call.list("AvailabilityZoneId");
        if (zones.isEmpty() == zoneIds.isEmpty()) {
            throw new Ec2Exception(
                    "InvalidParameterCombination", "Specify either AvailabilityZones or AvailabilityZoneIds");
        }
        for (String id : zoneIds) {
            zones.add(region.name + id.substring(id.length() - 1));
        }
        var changed = new ArrayList<Zoned>();
        var failed = new Xml();
        for (String id : call.list("SourceSnapshotId")) {
            FakeSnapshot snapshot = region.snapshot(id);
            for (String zone : zones) {
                FastRestore next = snapshot == null
                        ? null
                        : step.next(snapshot.protection().fastRestores.get(zone));
                if (snapshot == null
                        || next == null
                        || !snapshot.state(call.now).equals("completed")
                        || Ec2Snapshots.tier(snapshot, call.now).equals("archive")) {
                    failure(failed, id, zone, snapshot == null ? "InvalidSnapshot.NotFound" : "IncorrectState");
                    continue;
                }
                snapshot.protection().fastRestores.put(zone, next);
                changed.add(new Zoned(snapshot, zone, next));
            }
        }
        xml.open("successful");
        changed.forEach(item -> fastFields(item, call.now, xml));
        xml.close("successful").open("unsuccessful").raw(failed).close("unsuccessful");
    }

    private static void failure(Xml xml, String id, String zone, String code) {
        xml.open("item")
                .value("snapshotId", id)
                .open("fastSnapshotRestoreStateErrorSet")
                .open("item")
                .value("availabilityZone", zone)
                .open("error")
                .value("code", code)
                .value("message", "The fast restore of this snapshot cannot be changed.")
                .close("error")
                .close("item")
                .close("fastSnapshotRestoreStateErrorSet")
                .close("item");
    }

    private void describeFast(Ec2Call call, Xml xml) throws Ec2Exception {
        var filters = call.filters();
        var known = new Ec2Filters<Zoned>(
                Map.of(
                        "snapshot-id", zoned -> zoned.snapshot().id,
                        "availability-zone", Zoned::zone,
                        "owner-id", zoned -> zoned.snapshot().ownerId,
                        "state", zoned -> zoned.restore().state(call.now)),
                zoned -> Map.of());
        known.check(filters);
        List<Zoned> all = new ArrayList<>();
        for (var snapshot : region.snapshotsAfter("")) {
            if (snapshot.protection != null) {
                snapshot.protection()
                        .fastRestores
                        .forEach((zone, restore) -> all.add(new Zoned(snapshot, zone, restore)));
            }
        }
        var page = pages.page(call, all, Zoned::id, zoned -> known.hold(filters, zoned), BOUNDS);
        xml.open("fastSnapshotRestoreSet");
        page.items().forEach(item -> fastFields(item, call.now, xml));
        xml.close("fastSnapshotRestoreSet").value("nextToken", page.nextToken());
    }

    private static void fastFields(Zoned item, Instant now, Xml xml) {
        xml.open("item")
                .value("snapshotId", item.snapshot().id)
                .value("availabilityZone", item.zone())
                .value("state", item.restore().state(now))
                .value("ownerId", item.snapshot().ownerId)
                .time("enablingTime", item.restore().enabling())
                .time("disablingTime", item.restore().disabling())
                .close("item");
    }
}
