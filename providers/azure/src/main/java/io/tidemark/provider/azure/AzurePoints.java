package io.tidemark.provider.azure;

import io.tidemark.provider.azure.Arm.Begun;
import io.tidemark.provider.azure.PointCalls.CloudMachine;
import io.tidemark.provider.azure.PointCalls.CloudPoint;
import io.tidemark.provider.azure.PointCalls.Snapshotted;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Restore points: several disks of one machine at one instant, where Azure says that it is one; one a recovery point.
 */
final class AzurePoints {
    /** Which versions of which sizes: "Overview of VM restore points", crash consistency. */
    private static final Pattern SIZE = Pattern.compile("[A-Za-z]+_[A-Z]+[0-9]+(?:-[0-9]+)?([a-z]*).*?(?:_v([0-9]+))?");

    private static final int INTEL_UNSURE_FROM = 6;
    private static final int AMD_UNSURE_FROM = 7;
    /** From its preparation on; a cut that was prepared and is not at its end then was abandoned. */
    static final Duration UNDER_WAY_MAXIMUM = Duration.ofMinutes(10);

    private static final Duration PAUSE_FIRST = Duration.ofMillis(500);
    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(8);

    private final PointCalls calls;
    private final Attempts attempts;
    private final AzureConfig config;
    private final InstantSource clock;
    private final RecentEffects recent;
    /** Cuts of this process, from their preparation to their end. */
    private final Map<RecoveryPointId, Instant> underWay = new HashMap<>();

    /** @param excluded other disks of the machine; its system's is never among them */
    record Together(CloudMachine machine, List<String> excluded) {}

    /** What becomes of a request: together, or not and why. */
    record Verdict(Optional<Together> together, String reason) {}

    AzurePoints(PointCalls calls, Attempts attempts, AzureConfig config, InstantSource clock, RecentEffects recent) {
        this.calls = calls;
        this.attempts = attempts;
        this.config = config;
        this.clock = clock;
        this.recent = recent;
    }

    /** Which of Azure's rules allows these disks to be cut at one instant, or forbids it. */
    Verdict verdict(Map<VolumeId, CloudDisk> disks) throws ProviderException {
        if (disks.size() < 2) {
            return new Verdict(Optional.empty(), "one disk");
        }
        var machines =
                disks.values().stream().map(CloudDisk::machine).distinct().toList();
        if (machines.size() != 1 || machines.getFirst().isEmpty()) {
            return no("they are not all of one machine");
        }
        if (disks.size() > CloudCollection.MEMBERS_MAXIMUM) {
            return no("they are more than %d".formatted(CloudCollection.MEMBERS_MAXIMUM));
        }
        for (var each : disks.entrySet()) {
            if (!AzureNames.isTold(each.getKey())) {
                return no("%s does not say which disk it is, which its part is found by".formatted(each.getKey()));
            }
            if (each.getValue().isCopiedLater()) {
                return no("%s is of type %s, which no crash-consistent restore point has"
                        .formatted(each.getKey(), each.getValue().sku()));
            }
        }
        var id = AzureNames.lower(machines.getFirst().get());
        var machine = attempts.until(() -> calls.machine(id));
        if (machine.isEmpty()) {
            return no("machine %s is not seen".formatted(id));
        }
        var wanted = disks.values().stream().map(CloudDisk::id).toList();
        var excluded = machine.get().data().stream()
                .filter(each -> !wanted.contains(each))
                .toList();
        var unsure = unsure(machine.get().size());
        return unsure.isPresent()
                ? no(unsure.get())
                : new Verdict(Optional.of(new Together(machine.get(), excluded)), "");
    }

    private static Verdict no(String reason) {
        return new Verdict(Optional.empty(), reason);
    }

    /** Why several disks of a machine of that size are not sure to be of one instant. */
    static Optional<String> unsure(String size) {
        var matched = SIZE.matcher(size);
        if (!matched.matches()) {
            return Optional.of("nothing is known of size " + size);
        }
        var features = matched.group(1);
        int version = matched.group(2) == null ? 1 : Integer.parseInt(matched.group(2));
        if (!features.contains("s")) {
            return Optional.of(
                    "size %s has no premium storage, which crash-consistent restore points need".formatted(size));
        }
        return version >= (features.contains("a") ? AMD_UNSURE_FROM : INTEL_UNSURE_FROM)
                ? Optional.of(
                        "several disks of a machine of size %s might not be consistent, says Azure".formatted(size))
                : Optional.empty();
    }

    /** Its name follows from the recovery point alone: deleting needs no machine. */
    String name(RecoveryPointId of) {
        var text = "%s %s %s".formatted(config.installation(), config.location(), of);
        return "tidemark-%s-%s".formatted(of, AzureNames.digest(text));
    }

    private String armId(RecoveryPointId of) {
        return AzureNames.armId(config, config.resourceGroup(), "restorePointCollections", name(of));
    }

    /** How often, and for how long. */
    private interface Asking {
        <T> T ask(Attempts.Call<T> call) throws ProviderException;
    }

    /** @throws ProviderException Conflict where what has its name is not ours */
    Optional<CloudCollection> find(RecoveryPointId of) throws ProviderException {
        return find(of, attempts::until);
    }

    private Optional<CloudCollection> find(RecoveryPointId of, Asking asking) throws ProviderException {
        if (recent.isDeleted(armId(of))) {
            return Optional.empty();
        }
        var found = asking.ask(() -> calls.collection(config.resourceGroup(), name(of)))
                .or(() -> recent.knownCollection(armId(of)));
        if (found.isPresent() && !isOurs(found.get())) {
            throw new ProviderException(new ProviderError.Conflict(
                    of.toString(),
                    "%s has no tags of installation %s: it is not ours"
                            .formatted(found.get().id(), config.installation())));
        }
        return found.map(each -> each.withTags(recent.tags(each.id(), each.tags())));
    }

    /** Tags alone make nothing ours, nor does the name. */
    boolean isOurs(CloudCollection collection) {
        try {
            var of = new RecoveryPointId(collection.tags().getOrDefault(AzureNames.RECOVERY_POINT, ""));
            return config.installation().equals(collection.tags().get(AzureNames.INSTALLATION))
                    && collection.id().equals(armId(of));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Ahead of the freeze: the collection, with the members that are planned. They are listed as soon as the cut has
     * failed or was abandoned, for what is not listed nobody deletes.
     */
    void prepare(RecoveryPointId of, Together together, Map<VolumeId, CloudDisk> disks) throws ProviderException {
        var planned = new ArrayList<Snapshot>();
        disks.forEach((volume, disk) ->
                planned.add(new Snapshot(new SnapshotId(volume, of), disk.sizeBytes(), clock.instant())));
        var tags = CloudCollection.numbered(CloudCollection.PLANNED, planned);
        tags.put(AzureNames.INSTALLATION, config.installation());
        tags.put(AzureNames.RECOVERY_POINT, of.value());
        var wanted = new CloudCollection(armId(of), together.machine().id(), tags);
        attempts.until(() -> {
            calls.createCollection(wanted, config.location());
            return true;
        });
        recent.made(wanted);
    }

    /** The restore point, to the end of its creation; the collection then names its members. */
    List<Snapshot> cut(RecoveryPointId of, Together together, Map<VolumeId, CloudDisk> disks, CutDeadline deadline)
            throws ProviderException {
        var collection = find(of, deadline::ask)
                .orElseThrow(() -> new ProviderException(new ProviderError.Busy(
                        of.toString(), "Azure, which does not show yet what was prepared", Duration.ofSeconds(2))));
        deadline.ask(() -> {
            calls.createPoint(collection, together.excluded());
            return true;
        });
        var point = ended(of, collection, deadline);
        if (!point.mode().equals("CrashConsistent")) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "restore point of " + of, "it is %s, not CrashConsistent".formatted(point.mode())));
        }
        var members = new ArrayList<Snapshot>();
        for (var each : disks.entrySet()) {
            if (!point.disks().containsKey(each.getValue().id())) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "restore point of " + of,
                        "it has no part of " + each.getValue().id()));
            }
            members.add(new Snapshot(
                    new SnapshotId(each.getKey(), of), each.getValue().sizeBytes(), point.createdAt()));
        }
        tag(collection, collection.withMembers(members), deadline::ask);
        return members;
    }

    private CloudPoint ended(RecoveryPointId of, CloudCollection collection, CutDeadline deadline)
            throws ProviderException {
        for (var pause = PAUSE_FIRST; ; pause = pause.multipliedBy(2)) {
            var told = deadline.ask(() -> calls.point(collection));
            var state = told.map(CloudPoint::state).orElse("");
            if (state.equals(CloudSnapshot.SUCCEEDED)) {
                return told.orElseThrow();
            }
            if (state.equals(CloudSnapshot.FAILED)) {
                throw new ProviderException(
                        new ProviderError.Unexpected("the restore point of " + of, "it ended as Failed at Azure"));
            }
            deadline.pause(pause.compareTo(PAUSE_MAXIMUM) < 0 ? pause : PAUSE_MAXIMUM);
        }
    }

    /** A change of tags is in place of all there are; it is done when it is answered. */
    void tag(CloudCollection present, CloudCollection changed) throws ProviderException {
        tag(present, changed, attempts::until);
    }

    private void tag(CloudCollection present, CloudCollection changed, Asking asking) throws ProviderException {
        asking.ask(() -> {
            calls.tagCollection(changed);
            return true;
        });
        recent.made(changed);
        recent.tagged(changed.id(), present.tags(), changed.tags());
    }

    /** @throws ProviderException SnapshotNotFound where the collection names it and the restore point has it not */
    CloudSnapshot part(CloudCollection collection, String memberKey, String diskId) throws ProviderException {
        var member = collection.members(config).get(memberKey);
        if (member == null) {
            throw new IllegalArgumentException("%s has no %s".formatted(collection.id(), memberKey));
        }
        var point = attempts.until(() -> calls.point(collection));
        var id = point.map(each -> each.disks().get(diskId));
        var of = new Snapshotted(member.sizeBytes(), config.location(), collection.tags());
        var part = id.isPresent() ? attempts.until(() -> calls.part(id.get(), of)) : Optional.<CloudSnapshot>empty();
        return part.orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(member.id())));
    }

    /** From here on it is not listed, until it has ended. */
    synchronized void begun(RecoveryPointId of) {
        underWay.values().removeIf(this::isOver);
        underWay.put(of, clock.instant());
    }

    synchronized void ended(RecoveryPointId of) {
        underWay.remove(of);
    }

    private synchronized boolean isUnderWay(RecoveryPointId of) {
        var since = underWay.get(of);
        return since != null && !isOver(since);
    }

    private boolean isOver(Instant since) {
        return !clock.instant().isBefore(since.plus(UNDER_WAY_MAXIMUM));
    }

    /** Its members; of a cut that has failed or was abandoned those that it was to have. */
    Collection<Snapshot> listed(CloudCollection collection) {
        var members = collection.members(config).values();
        if (!members.isEmpty()) {
            return members;
        }
        return collection.planned(config).values().stream()
                .filter(each -> !isUnderWay(each.id().recoveryPoint()))
                .toList();
    }

    /** Members that are listed, of every collection that is ours. */
    Map<SnapshotId, Snapshot> members(List<CloudCollection> listed) {
        var members = new LinkedHashMap<SnapshotId, Snapshot>();
        for (var each : recent.ontoCollections(listed)) {
            if (isOurs(each)) {
                listed(each).forEach(member -> members.put(member.id(), member));
            }
        }
        return members;
    }

    PointCalls calls() {
        return calls;
    }

    Begun deleted(RecoveryPointId of) throws ProviderException {
        var begun = attempts.until(() -> calls.deleteCollection(config.resourceGroup(), name(of)));
        if (begun.existed()) {
            recent.deleted(armId(of));
        }
        return begun;
    }

    /** Its deletion was begun by this process, and may go on. */
    boolean isBeingDeleted(RecoveryPointId of) {
        return recent.isDeleted(armId(of));
    }
}
