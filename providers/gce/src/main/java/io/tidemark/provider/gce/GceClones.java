package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Disk;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/** Disks made of snapshots. */
final class GceClones {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);

    private final GceCalls calls;
    private final Attempts attempts;
    private final GceOperations operations;
    private final GceVolumes volumes;
    private final SnapshotFinder finder;
    private final GceConfig config;

    GceClones(GceOperations operations, GceVolumes volumes, SnapshotFinder finder, GceConfig config) {
        this.operations = operations;
        this.calls = operations.calls();
        this.attempts = operations.attempts();
        this.volumes = volumes;
        this.finder = finder;
        this.config = config;
    }

    /** Begins, or goes on where an earlier request has begun. */
    Step<Volume> begin(CloneRequest request) throws ProviderException {
        return step(new GceHandles.Clone(request, placeOf(request), Optional.empty()));
    }

    Step<Volume> step(GceHandles.Clone asked) throws ProviderException {
        if (asked.operation().isPresent()) {
            // Whether it goes on, the disk tells.
            var unused = operations.isUnderWay(
                    "disks.insert of " + asked.request().name(),
                    asked.location(),
                    asked.operation().get());
        }
        var existing = attempts.until(
                () -> calls.disk(asked.location(), diskName(asked.request().name())));
        if (existing.isPresent()) {
            return step(asked, existing.get());
        }
        var snapshot = finder.one(asked.request().snapshot());
        return switch (snapshot.status()) {
            case "READY" -> make(asked, snapshot);
            case "FAILED" ->
                throw new ProviderException(new ProviderError.Corrupt(
                        asked.request().snapshot().toString(), "Google says that it has FAILED"));
            default -> running(asked, Optional.empty());
        };
    }

    private Step<Volume> step(GceHandles.Clone asked, CloudDisk disk) throws ProviderException {
        var request = asked.request();
        boolean isIt = volumes.isOurs(disk)
                && finder.nameOf(request.snapshot()).equals(disk.labels().get(GceNames.ORIGIN));
        if (!isIt) {
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        return switch (disk.status()) {
            case "READY" -> new Step.Done<>(volumes.described(disk));
            case "FAILED" ->
                throw new ProviderException(new ProviderError.Unexpected(
                        "disks.insert of " + request.name(), "disk %s is FAILED".formatted(disk.name())));
            default -> running(asked, asked.operation());
        };
    }

    /** Its name is made of the volume's, so one that an earlier request made is found, not made again. */
    private Step<Volume> make(GceHandles.Clone asked, CloudSnapshot snapshot) throws ProviderException {
        var request = asked.request();
        var wanted = Disk.newBuilder()
                .setName(diskName(request.name()))
                .setSourceSnapshot(config.snapshotLink(snapshot.name()))
                .putLabels(GceNames.INSTALLATION, config.installation())
                .putLabels(GceNames.ORIGIN, snapshot.name());
        config.onlyLabelled().ifPresent(label -> wanted.putLabels(label.key(), label.value()));
        if (GceNames.diskOf(request.name()).isEmpty()) {
            var labels = new java.util.LinkedHashMap<String, String>();
            GceNames.putVolume(labels, request.name());
            wanted.putAllLabels(labels);
        }
        if (!asked.location().isZone()) {
            volumes.lookUp(request.snapshot().volume())
                    .filter(disk -> !disk.replicaZones().isEmpty())
                    .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                            request.name().toString(),
                            "its two zones are its snapshot's disk's, which is none of a region; clone into a zone")))
                    .replicaZones()
                    .forEach(wanted::addReplicaZones);
        }
        var requestId = UUID.randomUUID();
        var begun = attempts.until(() -> calls.insertDisk(asked.location(), wanted.build(), requestId));
        if (begun.isPresent() && !begun.get().errorCode().isEmpty()) {
            throw GceFailures.exception("disks.insert of " + request.name(), begun.get());
        }
        return running(asked, begun.map(CloudOperation::name));
    }

    private static Step<Volume> running(GceHandles.Clone asked, Optional<String> operation) {
        var handle = new GceHandles.Clone(asked.request(), asked.location(), operation).handle();
        return new Step.Running<>(handle, 0, ASK_AGAIN);
    }

    private String diskName(VolumeId volume) {
        return GceNames.diskOf(volume)
                .map(GceNames.DiskName::name)
                .orElseGet(() -> GceNames.diskOf(config.installation(), volume));
    }

    /** Where the clone's name says; else beside the snapshot's disk. */
    private GceLocation placeOf(CloneRequest request) throws ProviderException {
        var named = GceNames.diskOf(request.name()).map(GceNames.DiskName::location);
        var place = named.or(() -> GceNames.diskOf(request.snapshot().volume()).map(GceNames.DiskName::location));
        if (place.isPresent() && config.locations().contains(place.get())) {
            return place.get();
        }
        if (place.isPresent()) {
            throw new ProviderException(new ProviderError.Conflict(
                    request.name().toString(), "%s is none of the locations in the settings".formatted(place.get())));
        }
        return volumes.lookUp(request.snapshot().volume())
                .map(CloudDisk::location)
                .orElse(config.locations().getFirst());
    }
}
