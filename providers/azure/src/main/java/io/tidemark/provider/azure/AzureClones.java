package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Disks from snapshots, by name; they are of their source's kind and zones, where it is still there. */
final class AzureClones {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(5);
    private static final String SKU_DEFAULT = "StandardSSD_LRS";

    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureVolumes volumes;
    private final AzureFinder finder;
    private final AzureConfig config;

    AzureClones(DiskCalls calls, Attempts attempts, AzureVolumes volumes, AzureFinder finder, AzureConfig config) {
        this.calls = calls;
        this.attempts = attempts;
        this.volumes = volumes;
        this.finder = finder;
        this.config = config;
    }

    Step<Volume> step(CloneRequest request) throws ProviderException {
        AzureNames.refuseUntold(config, request.name());
        var place = AzureNames.placeOf(config, request.name());
        var existing = attempts.until(() -> calls.disk(place.group(), place.name()));
        if (existing.isPresent() && !isOf(existing.get(), request)) {
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        if (existing.isPresent() && !existing.get().state().equals(CloudSnapshot.FAILED)) {
            return step(request, existing.get());
        }
        var snapshot = finder.one(request.snapshot());
        var askAgain = finder.pending(request.snapshot(), snapshot);
        if (askAgain.isPresent()) {
            return running(request, snapshot.progress(), askAgain.get());
        }
        var wanted = wanted(request, place, snapshot);
        var made = attempts.until(() -> calls.createDisk(wanted, snapshot.id(), finder.isPoint(snapshot)));
        return made.told().isPresent()
                ? step(request, made.told().get())
                : running(request, 1, made.begun().askAgain());
    }

    private boolean isOf(CloudDisk disk, CloneRequest request) {
        return config.installation().equals(disk.tags().get(AzureNames.INSTALLATION))
                && request.snapshot().toString().equals(disk.tags().get(AzureNames.ORIGIN));
    }

    private Step<Volume> step(CloneRequest request, CloudDisk disk) throws ProviderException {
        return switch (disk.state()) {
            case CloudSnapshot.SUCCEEDED -> new Step.Done<>(volumes.described(disk));
            case CloudSnapshot.FAILED ->
                throw new ProviderException(new ProviderError.Unexpected(
                        "the creation of " + request.name(), "it ended as Failed at Azure; ask again"));
            default -> running(request, 1, ASK_AGAIN);
        };
    }

    private static Step<Volume> running(CloneRequest request, double progress, Duration askAgain) {
        return new Step.Running<>(AzureHandles.ofClone(request), progress, askAgain);
    }

    private CloudDisk wanted(CloneRequest request, AzureNames.Place place, CloudSnapshot snapshot)
            throws ProviderException {
        var source = volumes.lookUp(request.snapshot().volume());
        var tags = new LinkedHashMap<String, String>();
        tags.put(AzureNames.INSTALLATION, config.installation());
        tags.put(AzureNames.ORIGIN, request.snapshot().toString());
        config.onlyTagged().ifPresent(tag -> tags.put(tag.key(), tag.value()));
        return new CloudDisk(
                AzureNames.armId(config, place.group(), "disks", place.name()),
                snapshot.location().isEmpty() ? config.location() : snapshot.location(),
                snapshot.sizeBytes(),
                source.map(CloudDisk::sku).orElse(SKU_DEFAULT),
                "",
                "",
                Optional.empty(),
                source.map(CloudDisk::zones).orElse(List.of()),
                Map.copyOf(tags));
    }
}
