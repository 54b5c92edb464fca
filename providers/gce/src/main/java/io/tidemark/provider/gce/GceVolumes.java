package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** The disks that the configuration lets us see, and what they are called. */
final class GceVolumes {
    /** No API tells what changed, or reads a snapshot's bytes (discovery document of 2026-09-22: no such method). */
    private static final Set<Capability> CAPABILITIES =
            Set.of(Capability.INSTANT_SNAPSHOT, Capability.CLONE, Capability.HOLDS);

    private static final Set<Capability> WITH_HELPER =
            Set.of(Capability.INSTANT_SNAPSHOT, Capability.CLONE, Capability.HOLDS, Capability.RANDOM_READ);

    private static final String DELETING = "DELETING";

    private final GceCalls calls;
    private final Attempts attempts;
    private final GceConfig config;

    GceVolumes(GceCalls calls, Attempts attempts, GceConfig config) {
        this.calls = calls;
        this.attempts = attempts;
        this.config = config;
    }

    /** In order of id. */
    List<Volume> all() throws ProviderException {
        return disks().stream()
                .map(this::described)
                .sorted(Comparator.comparing(Volume::id))
                .toList();
    }

    List<CloudDisk> disks() throws ProviderException {
        String filter = config.onlyLabelled()
                .map(label -> "labels.%s = \"%s\"".formatted(label.key(), label.value()))
                .orElse("");
        var all = GceLists.all("disks.aggregatedList", token -> attempts.until(() -> calls.disks(filter, token)));
        return all.stream()
                .filter(each -> config.locations().contains(each.location())
                        && !each.status().equals(DELETING)
                        && !isReading(each))
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
        var named = GceNames.diskOf(volume);
        if (named.isPresent()) {
            var place = named.get().location();
            return config.locations().contains(place) ? at(place, named.get().name(), volume) : Optional.empty();
        }
        for (var place : config.locations()) {
            var found = at(place, GceNames.diskOf(config.installation(), volume), volume);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private Optional<CloudDisk> at(GceLocation place, String name, VolumeId volume) throws ProviderException {
        return attempts.until(() -> calls.disk(place, name))
                .filter(each -> !each.status().equals(DELETING) && isShown(each) && !isReading(each))
                .filter(each -> idOf(each).equals(volume));
    }

    /** Whether {@code onlyLabelled} lets it be seen. */
    boolean isShown(CloudDisk disk) {
        return config.onlyLabelled()
                .map(label -> label.value().equals(disk.labels().get(label.key())))
                .orElse(true);
    }

    /** A helper's, which is gone soon. */
    private boolean isReading(CloudDisk disk) {
        return isOurs(disk) && disk.labels().containsKey(GceNames.READING);
    }

    boolean isOurs(CloudDisk disk) {
        return config.installation().equals(disk.labels().get(GceNames.INSTALLATION));
    }

    /** Of one that we made for a name of ours, that name; else its place and its own name. */
    VolumeId idOf(CloudDisk disk) {
        var name = isOurs(disk) ? GceNames.volumeIn(disk.labels()) : Optional.<String>empty();
        try {
            return VolumeId.of(config.name(), name.orElse(disk.location() + "/" + disk.name()));
        } catch (IllegalArgumentException e) {
            // Somebody has changed our label to what is no name.
            return VolumeId.of(config.name(), disk.location() + "/" + disk.name());
        }
    }

    private Set<Capability> capabilities() {
        return config.helper().isPresent() ? WITH_HELPER : CAPABILITIES;
    }

    Volume described(CloudDisk disk) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("method", "gce");
        facts.put("cloudId", disk.location() + "/" + disk.name());
        facts.put("type", disk.type());
        facts.put("status", disk.status());
        facts.put(
                "changedRanges",
                config.helper().isPresent()
                        ? "none by the API; each snapshot is read whole by the helper and compared with an index of hashes"
                        : "none by the API, nor snapshots read: that needs the setting helper");
        if (disk.replication() != AsyncReplication.State.NONE) {
            facts.put("asyncReplication", disk.replication().name().toLowerCase(Locale.ROOT));
        }
        if (!disk.users().isEmpty()) {
            facts.put("instance", String.join(",", disk.users()));
        }
        return new Volume(idOf(disk), disk.sizeBytes(), capabilities(), Optional.empty(), List.of(), facts);
    }
}
