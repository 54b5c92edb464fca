package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The disks that the configuration lets us see, and what they are called. */
final class AzureVolumes {
    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.INSTANT_SNAPSHOT,
            Capability.TRACKED_CHANGES,
            Capability.CHANGED_RANGES,
            Capability.RANDOM_READ,
            Capability.CLONE,
            Capability.HOLDS);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureLists lists;
    private final AzureConfig config;

    AzureVolumes(DiskCalls calls, Attempts attempts, AzureLists lists, AzureConfig config) {
        this.calls = calls;
        this.attempts = attempts;
        this.lists = lists;
        this.config = config;
    }

    /** In order of id. */
    List<Volume> all() throws ProviderException {
        return lists.all(calls::disks).stream()
                .filter(this::isSeen)
                .map(this::described)
                .sorted(Comparator.comparing(Volume::id))
                .toList();
    }

    /** @throws ProviderException VolumeNotFound */
    CloudDisk find(VolumeId volume) throws ProviderException {
        return lookUp(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    Optional<CloudDisk> lookUp(VolumeId volume) throws ProviderException {
        if (!volume.provider().equals(config.name())) {
            return Optional.empty();
        }
        if (!AzureNames.isTold(volume)) {
            return lists.all(calls::disks).stream()
                    .filter(this::isSeen)
                    .filter(each -> idOf(each).equals(volume))
                    .findFirst();
        }
        var place = AzureNames.placeOf(config, volume);
        if (!config.sees(place.group())) {
            return Optional.empty();
        }
        return attempts.until(() -> calls.disk(place.group(), place.name()))
                .filter(this::isSeen)
                .filter(each -> idOf(each).equals(volume));
    }

    VolumeId idOf(CloudDisk disk) {
        return AzureNames.volumeOf(config, disk.group(), disk.name());
    }

    private boolean isSeen(CloudDisk disk) {
        return disk.location().equals(config.location())
                && config.sees(disk.group())
                && config.onlyTagged()
                        .map(tag -> tag.value().equals(disk.tags().get(tag.key())))
                        .orElse(true);
    }

    Volume described(CloudDisk disk) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("method", "azure");
        facts.put("cloudId", disk.id());
        facts.put("type", disk.sku());
        facts.put("state", disk.state());
        facts.put("location", disk.location());
        disk.machine().ifPresent(each -> facts.put("machine", each));
        return new Volume(idOf(disk), disk.sizeBytes(), capabilities(disk), Optional.empty(), List.of(), facts);
    }

    private Set<Capability> capabilities(CloudDisk disk) {
        if (disk.isUploading() && disk.isOf(config.installation())) {
            var more = EnumSet.copyOf(CAPABILITIES);
            more.add(Capability.CREATE);
            more.add(Capability.RANDOM_WRITE);
            return more;
        }
        if (!disk.isCopiedLater()) {
            return CAPABILITIES;
        }
        var fewer = EnumSet.copyOf(CAPABILITIES);
        fewer.remove(Capability.TRACKED_CHANGES);
        fewer.remove(Capability.CHANGED_RANGES);
        return fewer;
    }
}
