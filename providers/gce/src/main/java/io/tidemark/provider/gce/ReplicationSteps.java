package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageReplication.State;
import io.tidemark.spi.StorageReplication.Status;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Follows {@link AsyncReplication} step by step: what is next is seen by the disks, so that any process can go on. */
final class ReplicationSteps {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);
    private static final Set<AsyncReplication.State> GOING_ON = EnumSet.of(
            AsyncReplication.State.STARTING,
            AsyncReplication.State.ACTIVE,
            AsyncReplication.State.STOPPING,
            AsyncReplication.State.UNKNOWN);

    private final AsyncReplication replication;
    private final GceCalls calls;
    private final Attempts attempts;
    private final GceOperations operations;
    private final GceVolumes volumes;
    private final GceConfig config;

    ReplicationSteps(AsyncReplication replication, GceOperations operations, GceVolumes volumes, GceConfig config) {
        this.replication = replication;
        this.operations = operations;
        this.calls = operations.calls();
        this.attempts = operations.attempts();
        this.volumes = volumes;
        this.config = config;
    }

    Status status(VolumeId volume) throws ProviderException {
        return status(volume, volumes.find(volume));
    }

    private Status status(VolumeId volume, CloudDisk disk) throws ProviderException {
        var partners = new ArrayList<VolumeId>();
        for (var pair : disk.pairs()) {
            named(pair.other()).ifPresent(partners::add);
        }
        return new Status(
                volume,
                State.valueOf(disk.replication().name()),
                partners,
                groups(disk).stream().map(GceAnswers::lastOf).toList(),
                AsyncReplication.costOfStop(volume));
    }

    /** Of a link that ends with {@code zones/ZONE/disks/NAME}, or a region's. */
    private Optional<VolumeId> named(String link) {
        var words = List.of(link.split("/", -1));
        return words.size() < 4
                ? Optional.empty()
                : Optional.of(VolumeId.of(config.name(), words.get(words.size() - 3) + "/" + words.getLast()));
    }

    Step<Status> start(GceHandles.Replicate asked) throws ProviderException {
        if (isUnderWay("replication of " + asked.primary(), asked.operation())) {
            return running(asked);
        }
        var primary = volumes.find(asked.primary());
        var place = placeOf(asked.secondary());
        var secondary = volumes.lookUp(asked.secondary());
        if (secondary.isEmpty()) {
            var begun = replication.createSecondary(asked.primary(), asked.secondary());
            if (begun.isEmpty()) {
                refuseHidden(asked, place, primary);
            }
            return running(asked, place, begun);
        }
        var state = secondary.get().replicationFrom(primary).orElseThrow(() -> other(asked));
        if (secondary.get().status().equals("FAILED")) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "disks.insert of " + asked.secondary(), "the disk is FAILED; delete it, and start again"));
        }
        if (!secondary.get().status().equals("READY")) {
            return running(asked);
        }
        return switch (state) {
            case ACTIVE -> new Step.Done<>(status(asked.primary()));
            case STARTING -> running(asked);
            default -> running(asked, primary.location(), replication.start(asked.primary(), asked.secondary()));
        };
    }

    private GceLocation placeOf(VolumeId secondary) throws ProviderException {
        var named = GceNames.diskOf(secondary).map(GceNames.DiskName::location);
        return named.filter(config.locations()::contains)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        secondary.toString(),
                        "a secondary is named by its place, ZONE/NAME or REGION/NAME, one of the setting locations: %s"
                                .formatted(config.locations()))));
    }

    /** What has its name and is not seen would be waited for in vain. */
    private void refuseHidden(GceHandles.Replicate asked, GceLocation place, CloudDisk primary)
            throws ProviderException {
        String name = GceNames.diskOf(asked.secondary()).orElseThrow().name();
        var found = attempts.until(() -> calls.disk(place, name));
        if (found.isEmpty() || found.get().status().equals("DELETING")) {
            return;
        }
        if (found.get().replicationFrom(primary).isEmpty()) {
            throw other(asked);
        }
        if (!volumes.isShown(found.get())) {
            throw new ProviderException(new ProviderError.Conflict(
                    asked.secondary().toString(),
                    "there is a disk of that name without the label that the setting onlyLabelled asks for"));
        }
    }

    /** One that is there may be anybody's. */
    private static ProviderException other(GceHandles.Replicate asked) {
        return new ProviderException(new ProviderError.Conflict(
                asked.secondary().toString(),
                "there is a disk of that name that was not made as a secondary of " + asked.primary()));
    }

    Step<Status> stop(GceHandles.StopReplication asked, boolean accepted) throws ProviderException {
        if (!accepted) {
            throw new ProviderException(
                    new ProviderError.Conflict(asked.volume().toString(), AsyncReplication.costOfStop(asked.volume())));
        }
        if (isUnderWay("stop of the replication of " + asked.volume(), asked.operation())) {
            return running(asked, asked.operation());
        }
        var disk = volumes.find(asked.volume());
        var group = asked.wholeGroup() ? groupOf(asked.volume(), disk) : Optional.<String>empty();
        return switch (group.isEmpty() ? disk.replication() : together(disk, group.get())) {
            case STOPPED -> new Step.Done<>(status(asked.volume(), disk));
            case STOPPING -> running(asked, Optional.empty());
            default -> {
                var begun = group.isEmpty()
                        ? replication.stop(asked.volume(), true)
                        : replication.stopGroup(disk, group.get());
                yield running(asked, begun.map(each -> new GceHandles.Work(disk.location(), each.name())));
            }
        };
    }

    /** Empty: it is stopped, and in none. */
    private Optional<String> groupOf(VolumeId volume, CloudDisk disk) throws ProviderException {
        if (disk.replication() == AsyncReplication.State.NONE || disk.replication() == AsyncReplication.State.CREATED) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it is not replicated"));
        }
        var groups = groups(disk);
        if (groups.isEmpty() && disk.replication() == AsyncReplication.State.STOPPED) {
            return Optional.empty();
        }
        if (groups.size() != 1) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "it is in %d consistency groups; what is stopped as a whole is in one".formatted(groups.size())));
        }
        return Optional.of(groups.getFirst());
    }

    /** One may have been stopped by itself: then it is for the group's others there to say. */
    private AsyncReplication.State together(CloudDisk disk, String group) throws ProviderException {
        if (disk.replication() != AsyncReplication.State.STOPPED) {
            return disk.replication();
        }
        var all = GceLists.all("disks.aggregatedList", token -> attempts.until(() -> calls.disks("", token)));
        return all.stream()
                .filter(each -> each.location().equals(disk.location()))
                .flatMap(each -> each.replicationIn(group).stream())
                .filter(GOING_ON::contains)
                .min(Comparator.naturalOrder())
                .orElse(AsyncReplication.State.STOPPED);
    }

    /** Its policies may be schedules too; a secondary has none, and is in its primary's group. */
    private List<String> groups(CloudDisk disk) throws ProviderException {
        var groups = new ArrayList<String>();
        for (var policy : disk.policies()) {
            String name = GceAnswers.lastOf(policy);
            if (attempts.until(() -> calls.isConsistencyGroup(disk.location().region(), name))) {
                groups.add(policy);
            }
        }
        if (groups.isEmpty()) {
            disk.pairs().stream()
                    .filter(each -> each.isPrimary() && !each.group().isEmpty())
                    .forEach(each -> groups.add(each.group()));
        }
        return groups;
    }

    private boolean isUnderWay(String about, Optional<GceHandles.Work> work) throws ProviderException {
        return work.isPresent()
                && operations.isUnderWay(about, work.get().place(), work.get().name());
    }

    private static Step<Status> running(GceHandles.Replicate asked) {
        return new Step.Running<>(asked.handle(), 0, ASK_AGAIN);
    }

    private static Step<Status> running(GceHandles.Replicate asked, GceLocation place, Optional<CloudOperation> begun) {
        return running(new GceHandles.Replicate(
                asked.primary(), asked.secondary(), begun.map(each -> new GceHandles.Work(place, each.name()))));
    }

    private static Step<Status> running(GceHandles.StopReplication asked, Optional<GceHandles.Work> work) {
        var handle = new GceHandles.StopReplication(asked.volume(), asked.wholeGroup(), work).handle();
        return new Step.Running<>(handle, 0, ASK_AGAIN);
    }
}
