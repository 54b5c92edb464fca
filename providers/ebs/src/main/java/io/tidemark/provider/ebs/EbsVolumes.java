package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.ebs.Ec2Calls.Page;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The volumes that the configuration lets us see, and what they are called. */
final class EbsVolumes {
    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.INSTANT_SNAPSHOT,
            Capability.TRACKED_CHANGES,
            Capability.CHANGED_RANGES,
            Capability.RANDOM_READ,
            Capability.CLONE,
            Capability.HOLDS);
    private static final Set<String> GONE = Set.of("deleting", "deleted");
    private static final int PAGES_MAXIMUM = 1_000;

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final EbsConfig config;
    private final RecentEffects recent;
    private final Supplier<HostDisks> disks;

    EbsVolumes(Ec2Calls ec2, Attempts attempts, EbsConfig config, RecentEffects recent, Supplier<HostDisks> disks) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.config = config;
        this.recent = recent;
        this.disks = disks;
    }

    /** In order of id. */
    List<Volume> all() throws ProviderException {
        var host = disks.get();
        return recent.ontoVolumes(list(Map.of())).stream()
                .map(each -> described(each, host))
                .sorted(Comparator.comparing(Volume::id))
                .toList();
    }

    Volume described(CloudVolume volume) {
        return described(volume, disks.get());
    }

    /** @throws ProviderException VolumeNotFound */
    CloudVolume find(VolumeId volume) throws ProviderException {
        return lookUp(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    Optional<CloudVolume> lookUp(VolumeId volume) throws ProviderException {
        if (!volume.provider().equals(config.name())) {
            return Optional.empty();
        }
        var filters = new LinkedHashMap<String, String>();
        if (EbsNames.isCloudVolume(volume)) {
            filters.put("volume-id", volume.name());
        } else {
            filters.put("tag:" + EbsNames.VOLUME, volume.name());
            filters.put("tag:" + EbsNames.INSTALLATION, config.installation());
        }
        return recent.ontoVolumes(list(filters)).stream()
                .filter(each -> idOf(each).equals(volume))
                .min(Comparator.comparing(CloudVolume::id));
    }

    /** All that the instance has, those too that the configuration does not show. */
    List<CloudVolume> attachedTo(String instance) throws ProviderException {
        return listAll(Map.of("attachment.instance-id", instance));
    }

    VolumeId idOf(CloudVolume volume) {
        var name = config.installation().equals(volume.tags().get(EbsNames.INSTALLATION))
                ? volume.tags().get(EbsNames.VOLUME)
                : null;
        try {
            return VolumeId.of(config.name(), name == null ? volume.id() : name);
        } catch (IllegalArgumentException e) {
            // Somebody has changed our tag to what is no name.
            return VolumeId.of(config.name(), volume.id());
        }
    }

    private List<CloudVolume> list(Map<String, String> narrowing) throws ProviderException {
        var filters = new LinkedHashMap<>(narrowing);
        config.onlyTagged().ifPresent(tag -> filters.putIfAbsent("tag:" + tag.key(), tag.value()));
        return listAll(filters);
    }

    private List<CloudVolume> listAll(Map<String, String> filters) throws ProviderException {
        var all = new ArrayList<CloudVolume>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < PAGES_MAXIMUM; page++) {
            var token = next;
            Page<CloudVolume> answer = attempts.until(() -> ec2.volumes(filters, token));
            answer.items().stream().filter(each -> !GONE.contains(each.state())).forEach(all::add);
            next = answer.next();
            if (next.isEmpty()) {
                return all;
            }
        }
        throw new ProviderException(
                new ProviderError.Unexpected("DescribeVolumes", "%d pages and none the last".formatted(PAGES_MAXIMUM)));
    }

    private Volume described(CloudVolume volume, HostDisks host) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("method", "ebs");
        facts.put("cloudId", volume.id());
        facts.put("type", volume.type());
        facts.put("zone", volume.zone());
        facts.put("state", volume.state());
        facts.put("encrypted", String.valueOf(volume.encrypted()));
        volume.attachments().stream().findFirst().ifPresent(each -> facts.put("instance", each.instance()));
        var device = host.device(volume.id());
        return new Volume(
                idOf(volume),
                volume.sizeBytes(),
                CAPABILITIES,
                device,
                device.map(host::mountPoints).orElse(List.of()),
                facts);
    }
}
