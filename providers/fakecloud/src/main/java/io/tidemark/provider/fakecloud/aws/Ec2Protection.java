package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Locks and the recycle bin. Guarded by the lock of the account. */
final class Ec2Protection {
    private static final Ec2Pages.Bounds BOUNDS = new Ec2Pages.Bounds(5, 1000);
    private static final int DAYS_MAXIMUM = 36_500;
    private static final int COOL_OFF_HOURS_MAXIMUM = 72;

    private final AwsRegion region;
    private final Ec2Pages pages;

    Ec2Protection(AwsRegion region, Ec2Pages pages) {
        this.region = region;
        this.pages = pages;
    }

    void register(Map<String, Ec2Operation> operations) {
        operations.put("LockSnapshot", new Ec2Operation(CallKind.CHANGE, this::lock));
        operations.put("UnlockSnapshot", new Ec2Operation(CallKind.CHANGE, this::unlock));
        operations.put("DescribeLockedSnapshots", new Ec2Operation(CallKind.LIST, this::describeLocked));
        operations.put("ListSnapshotsInRecycleBin", new Ec2Operation(CallKind.LIST, this::listBin));
        operations.put("RestoreSnapshotFromRecycleBin", new Ec2Operation(CallKind.CHANGE, this::restoreFromBin));
    }

    private void lock(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeSnapshot snapshot = Ec2Snapshots.owned(region, call.required("SnapshotId"));
        String mode = call.required("LockMode");
        if (!List.of("governance", "compliance").contains(mode)) {
            throw Ec2Call.invalid("LockMode", mode, "expecting governance or compliance");
        }
        if (snapshot.state(call.now).equals("error")) {
            throw new Ec2Exception("IncorrectState", "The snapshot '%s' is in error.".formatted(snapshot.id));
        }
        Integer coolOff = call.number("CoolOffPeriod");
        if (coolOff != null && (mode.equals("governance") || coolOff < 1 || coolOff > COOL_OFF_HOURS_MAXIMUM)) {
            throw Ec2Call.invalid("CoolOffPeriod", coolOff.toString(), "1 to 72 hours, in compliance mode alone");
        }
        Instant expires = expires(call);
        SnapshotProtection protection = snapshot.protection();
        if ("compliance".equals(protection.lockState(call.now))) {
            if (!mode.equals("compliance") || coolOff != null || expires.isBefore(protection.lockExpires)) {
                throw new Ec2Exception(
                        "InvalidParameterValue",
                        "A compliance lock after its cooling-off period can only be extended.");
            }
        } else {
            protection.coolOffHours = Objects.requireNonNullElse(coolOff, 0);
            protection.coolOffExpires = call.now.plus(Duration.ofHours(protection.coolOffHours));
        }
        if (!protection.locked(call.now)) {
            protection.lockCreated = call.now;
        }
        protection.lockMode = mode;
        protection.lockExpires = expires;
        lockFields(snapshot, call.now, xml);
    }

    /** When the lock ends: LockDuration in days from now, or ExpirationDate, exactly one of them. */
    private static Instant expires(Ec2Call call) throws Ec2Exception {
        Integer days = call.number("LockDuration");
        String date = call.text("ExpirationDate");
        if ((days == null) == (date == null)) {
            throw new Ec2Exception(
                    "InvalidParameterCombination", "Specify either LockDuration or ExpirationDate, not both");
        }
        if (days != null) {
            if (days < 1 || days > DAYS_MAXIMUM) {
                throw Ec2Call.invalid("LockDuration", days.toString(), "expecting 1 to 36500");
            }
            return call.now.plus(Duration.ofDays(days));
        }
        Instant end = instant(date);
        if (end == null || end.isBefore(call.now.plus(Duration.ofDays(1)))) {
            throw Ec2Call.invalid("ExpirationDate", date, "expecting a time at least one day away");
        }
        return end;
    }

    private static @Nullable Instant instant(@Nullable String text) {
        try {
            return text == null ? null : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            return null;
        }
    }

    private void unlock(Ec2Call call, Xml xml) throws Ec2Exception {
        FakeSnapshot snapshot = Ec2Snapshots.owned(region, call.required("SnapshotId"));
        SnapshotProtection protection = snapshot.protection();
        String state = protection.lockState(call.now);
        if (state == null || state.equals("expired")) {
            throw new Ec2Exception("SnapshotNotLocked", "The snapshot '%s' is not locked.".formatted(snapshot.id));
        }
        if (state.equals("compliance")) {
            throw new Ec2Exception(
                    "SnapshotLocked", "The snapshot '%s' is locked in compliance mode.".formatted(snapshot.id));
        }
        protection.lockMode = null;
        xml.value("snapshotId", snapshot.id);
    }

    private void describeLocked(Ec2Call call, Xml xml) throws Ec2Exception {
        var ids = call.list("SnapshotId");
        for (String id : ids) {
            Ec2Snapshots.snapshot(region, id);
        }
        var filters = call.filters();
        var known = new Ec2Filters<FakeSnapshot>(
                Map.of("lock-state", snapshot -> snapshot.protection().lockState(call.now)), snapshot -> snapshot.tags);
        known.check(filters);
        var page = pages.page(
                call,
                region.snapshotsAfter(""),
                snapshot -> snapshot.id,
                snapshot -> snapshot.protection != null
                        && snapshot.protection().lockState(call.now) != null
                        && (ids.isEmpty() || ids.contains(snapshot.id))
                        && known.hold(filters, snapshot),
                BOUNDS);
        xml.open("snapshotSet");
        for (var snapshot : page.items()) {
            xml.open("item").value("ownerId", snapshot.ownerId);
            lockFields(snapshot, call.now, xml);
            xml.close("item");
        }
        xml.close("snapshotSet").value("nextToken", page.nextToken());
    }

    private static void lockFields(FakeSnapshot snapshot, Instant now, Xml xml) {
        SnapshotProtection protection = snapshot.protection();
        boolean compliance = "compliance".equals(protection.lockMode);
        xml.value("snapshotId", snapshot.id)
                .value("lockState", protection.lockState(now))
                .value(
                        "lockDuration",
                        Duration.between(protection.lockCreated, protection.lockExpires)
                                .toDays())
                .value("coolOffPeriod", compliance ? protection.coolOffHours : null)
                .time("coolOffPeriodExpiresOn", compliance ? protection.coolOffExpires : null)
                .time("lockCreatedOn", protection.lockCreated)
                .time("lockDurationStartTime", protection.lockCreated)
                .time("lockExpiresOn", protection.lockExpires);
    }

    private void listBin(Ec2Call call, Xml xml) throws Ec2Exception {
        var ids = call.list("SnapshotId");
        var page = pages.page(
                call,
                List.copyOf(region.snapshots.values()),
                snapshot -> snapshot.id,
                snapshot -> snapshot.inBin()
                        && call.now.isBefore(snapshot.protection().leavesBin)
                        && (ids.isEmpty() || ids.contains(snapshot.id)),
                BOUNDS);
        xml.open("snapshotSet");
        for (var snapshot : page.items()) {
            xml.open("item")
                    .value("snapshotId", snapshot.id)
                    .time("recycleBinEnterTime", snapshot.protection().enteredBin)
                    .time("recycleBinExitTime", snapshot.protection().leavesBin)
                    .value("description", snapshot.description)
                    .value("volumeId", snapshot.volumeId)
                    .close("item");
        }
        xml.close("snapshotSet").value("nextToken", page.nextToken());
    }

    private void restoreFromBin(Ec2Call call, Xml xml) throws Ec2Exception {
        String id = call.required("SnapshotId");
        FakeSnapshot snapshot = region.inBin(id);
        if (snapshot == null) {
            throw Ec2Snapshots.notFound(id);
        }
        snapshot.protection().enteredBin = null;
        xml.value("snapshotId", snapshot.id)
                .value("description", snapshot.description)
                .value("encrypted", snapshot.encrypted)
                .value("ownerId", snapshot.ownerId)
                .value("progress", snapshot.progress(call.now))
                .time("startTime", snapshot.startTime)
                .value("status", snapshot.state(call.now))
                .value("volumeId", snapshot.volumeId)
                .value("volumeSize", snapshot.volumeSizeGib);
    }
}
