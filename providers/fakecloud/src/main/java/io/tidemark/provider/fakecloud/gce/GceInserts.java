package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.gce.GceCall.Fate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** What makes things. Guarded by the lock of the account. */
final class GceInserts {
    private static final Pattern NAME = Pattern.compile("[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?");
    /** Longer than any client waits. */
    private static final Duration STUCK = Duration.ofHours(6);

    private static final Duration HOUR = Duration.ofMinutes(60);
    private static final int DEFAULT_GB = 500;
    private static final int GROUP_NAME_CHARACTERS = 50;

    private final GceAccount account;

    GceInserts(GceAccount account) {
        this.account = account;
    }

    GceOperation insert(GceCall call, Fate fate) throws GceException {
        String name = call.text("name");
        if (!NAME.matcher(name).matches()) {
            throw GceException.invalid("Invalid value for field 'resource.name': '%s'".formatted(name));
        }
        String path = call.path() + "/" + name;
        if (account.find(path) != null) {
            throw GceException.exists(path);
        }
        var birth = account.birth(call.location(), call.collection(), name);
        GceResource made = switch (call.collection()) {
            case "disks" -> disk(call, birth, fate);
            case "snapshots" -> snapshot(call, birth, fate);
            case "instantSnapshots" -> instant(call, birth, fate);
            case "instantSnapshotGroups" -> group(call, birth);
            case "resourcePolicies" -> new GcePlain(birth, "", "", later(account.settings.operations()));
            default -> throw GceException.invalid("nothing is made of " + call.collection());
        };
        return begun(call, made, fate);
    }

    private GceOperation begun(GceCall call, GceResource made, Fate fate) throws GceException {
        made.labels = GceResource.texts(call.body().path("labels"));
        made.description = call.text("description");
        String rate = made instanceof FakeGceSnapshot snapshot ? overRate(snapshot) : "";
        boolean fails = fate.is(Fault.END_IN_ERROR);
        // One that fails does so before anything is there, or, of snapshots every other, with a wreck left behind.
        boolean wreck =
                fails && made instanceof FakeGceSnapshot snapshot && !snapshot.isInstant() && (made.id >> 1) % 2 == 0;
        if (made instanceof FakeGceSnapshot snapshot) {
            snapshot.failed = wreck;
        }
        String planned = account.plannedError(call.operation());
        String error = !planned.isEmpty() ? planned : !rate.isEmpty() ? rate : fails && !wreck ? "INTERNAL_ERROR" : "";
        if (error.isEmpty()) {
            pair(call, made);
            made.hidden = fate.script().invisibleLists(fate.fault());
            account.put(made);
            if (made instanceof FakeGceSnapshot snapshot && snapshot.sourceInstantSnapshot.isEmpty()) {
                FakeDisk disk = account.disk(snapshot.sourceDisk);
                disk.unfixed.put(snapshot.path(), snapshot);
                disk.fix(account.now());
            }
            if (made instanceof GcePlain group && call.collection().equals("instantSnapshotGroups")) {
                members(group);
            }
        }
        String verb = call.collection().equals("snapshots") ? "createSnapshot" : "insert";
        return account.operation(
                call.location(), new GceOperation.Work(verb, target(made), made.id, doneAt(made), error));
    }

    private void pair(GceCall call, GceResource made) throws GceException {
        String primary = call.body().path("asyncPrimaryDisk").path("disk").asText("");
        if (!primary.isEmpty() && made instanceof FakeDisk disk) {
            GceReplication.pair(account.disk(primary), disk);
        }
    }

    /** Of a snapshot's creation it is the disk. */
    private static String target(GceResource made) {
        return made instanceof FakeGceSnapshot snapshot && !snapshot.isInstant() ? snapshot.sourceDisk : made.path();
    }

    private static Instant doneAt(GceResource made) {
        return switch (made) {
            case FakeDisk disk -> disk.readyAt;
            case FakeGceSnapshot snapshot -> snapshot.readyAt;
            case GcePlain plain -> plain.readyAt;
            default -> made.createdAt;
        };
    }

    private Instant later(Duration by) {
        return account.now().plus(by);
    }

    private FakeDisk disk(GceCall call, GceResource.Birth birth, Fate fate) throws GceException {
        var content = new SparseBlocks();
        long sizeGb = call.body().path("sizeGb").asLong(0);
        String snapshot = call.text("sourceSnapshot");
        String instant = call.text("sourceInstantSnapshot");
        if (!snapshot.isEmpty() || !instant.isEmpty()) {
            FakeGceSnapshot source = source(snapshot.isEmpty() ? instant : snapshot);
            content = SparseBlocks.of(source.content);
            sizeGb = Math.max(sizeGb, source.sizeGb());
        }
        Duration takes = fate.is(Fault.STUCK) ? STUCK : account.settings.operations();
        var disk = new FakeDisk(account, birth, sizeGb == 0 ? DEFAULT_GB : sizeGb, content, later(takes));
        disk.sourceSnapshot = account.pathOf(snapshot);
        disk.sourceInstantSnapshot = account.pathOf(instant);
        var zones = new ArrayList<String>();
        call.body().path("replicaZones").forEach(each -> zones.add(GceResource.link(account.pathOf(each.asText()))));
        disk.replicaZones = List.copyOf(zones);
        for (JsonNode each : call.body().path("resourcePolicies")) {
            disk.policies.add(account.pathOf(each.asText()));
        }
        return disk;
    }

    /** A snapshot that is whole. */
    private FakeGceSnapshot source(String link) throws GceException {
        String path = account.pathOf(link);
        if (!(account.find(path) instanceof FakeGceSnapshot found)) {
            throw GceException.notFound(path);
        }
        if (!found.status(account.now()).equals("READY")) {
            throw GceException.notReady(path);
        }
        return found;
    }

    private FakeGceSnapshot snapshot(GceCall call, GceResource.Birth birth, Fate fate) throws GceException {
        String instantLink = call.text("sourceInstantSnapshot");
        String diskLink = call.text("sourceDisk");
        if (instantLink.isEmpty() == diskLink.isEmpty()) {
            throw GceException.invalid("one of 'sourceDisk' and 'sourceInstantSnapshot' is to be given");
        }
        Duration stuck = fate.is(Fault.STUCK) ? STUCK : Duration.ZERO;
        FakeGceSnapshot made;
        if (instantLink.isEmpty()) {
            FakeDisk disk = snapshottable(diskLink);
            Instant fixedAt = later(account.settings.creating());
            var times = new FakeGceSnapshot.Times(
                    fixedAt, fixedAt.plus(account.settings.takes()).plus(stuck));
            made = new FakeGceSnapshot(birth, disk.path(), disk.id, disk.sizeGb(), times);
        } else {
            FakeGceSnapshot instant = source(instantLink);
            var times = new FakeGceSnapshot.Times(
                    account.now(), later(account.settings.takes()).plus(stuck));
            made = new FakeGceSnapshot(birth, instant.sourceDisk, instant.sourceDiskId, instant.sizeGb(), times);
            made.content = instant.content;
            made.sourceInstantSnapshot = instant.path();
        }
        made.guestFlush = call.body().path("guestFlush").asBoolean();
        made.type = call.body().path("snapshotType").asText("STANDARD").toUpperCase(Locale.ROOT);
        var locations = new ArrayList<String>();
        call.body().path("storageLocations").forEach(each -> locations.add(each.asText()));
        if (locations.size() > 1) {
            throw GceException.invalid("one storage location is allowed, not " + locations);
        }
        made.storageLocations = List.copyOf(locations);
        return made;
    }

    private FakeDisk snapshottable(String link) throws GceException {
        FakeDisk disk = account.disk(link);
        if (!disk.status(account.now()).equals("READY")) {
            throw GceException.notReady(disk.path());
        }
        disk.refuseWhileReplicatedTo();
        return disk;
    }

    private FakeGceSnapshot instant(GceCall call, GceResource.Birth birth, Fate fate) throws GceException {
        FakeDisk disk = snapshottable(call.text("sourceDisk"));
        if (!disk.location.equals(call.location())) {
            throw GceException.invalid("an instant snapshot is where its disk is: " + disk.location);
        }
        return instantOf(disk, birth, fate.is(Fault.STUCK) ? STUCK : account.settings.operations());
    }

    /** Fixed at once; its status is CREATING until it can be used. */
    private FakeGceSnapshot instantOf(FakeDisk disk, GceResource.Birth birth, Duration takes) {
        var times = new FakeGceSnapshot.Times(later(takes), later(takes));
        var made = new FakeGceSnapshot(birth, disk.path(), disk.id, disk.sizeGb(), times);
        made.content = disk.content.freeze();
        return made;
    }

    private GcePlain group(GceCall call, GceResource.Birth birth) throws GceException {
        String policy = account.pathOf(call.text("sourceConsistencyGroup"));
        if (account.find(policy) == null) {
            throw GceException.notFound(policy);
        }
        boolean any = account.all("disks").values().stream()
                .anyMatch(each -> each instanceof FakeDisk disk
                        && disk.location.equals(call.location())
                        && disk.policies.contains(policy));
        if (!any) {
            throw GceException.invalid("no disk of %s is in %s".formatted(call.location(), policy));
        }
        return new GcePlain(birth, "sourceConsistencyGroup", policy, later(account.settings.operations()));
    }

    private void members(GcePlain group) {
        for (var each : List.copyOf(account.all("disks").values())) {
            if (each instanceof FakeDisk disk
                    && disk.location.equals(group.location)
                    && disk.policies.contains(group.linked)) {
                long id = account.nextId();
                String stem = group.name.substring(0, Math.min(group.name.length(), GROUP_NAME_CHARACTERS));
                var birth = account.birth(group.location, "instantSnapshots", stem + "-" + id % 1_000_000_000L);
                var made = instantOf(disk, birth, account.settings.operations());
                made.group = group.path();
                made.hidden = group.hidden;
                account.put(made);
            }
        }
    }

    /** What the operation's error is called when the disk's rate is used up; empty: it is not. */
    private String overRate(FakeGceSnapshot snapshot) throws GceException {
        FakeDisk disk = account.disk(snapshot.sourceDisk);
        Instant now = account.now();
        if (snapshot.isInstant()) {
            long there = account.all("instantSnapshots").values().stream()
                    .filter(each -> each instanceof FakeGceSnapshot other && other.sourceDisk.equals(disk.path()))
                    .count();
            Instant last = disk.lastInstantAt;
            boolean soon = last != null
                    && now.isBefore(last.plus(account.settings.limits().instantPause()));
            if (soon || there >= account.settings.limits().instantMaximum()) {
                return soon ? "RESOURCE_OPERATION_RATE_EXCEEDED" : "QUOTA_EXCEEDED";
            }
            disk.lastInstantAt = now;
            return "";
        }
        if (!snapshot.sourceInstantSnapshot.isEmpty()) {
            return "";
        }
        while (!disk.snapshotTimes.isEmpty()
                && !disk.snapshotTimes.getFirst().plus(HOUR).isAfter(now)) {
            disk.snapshotTimes.removeFirst();
        }
        if (disk.snapshotTimes.size() >= account.settings.limits().snapshotsAnHour()) {
            return "RESOURCE_OPERATION_RATE_EXCEEDED";
        }
        disk.snapshotTimes.addLast(now);
        return "";
    }
}
