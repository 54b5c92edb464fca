package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.Mounts;
import io.tidemark.provider.zfs.VolumeCatalog.VolumeEntry;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Volumes as the service sees them: what ZFS says of them, their devices, and where they are mounted. */
final class VolumeDescriptions {
    /** Whatever is left out here, the contract does not test. */
    static final Set<Capability> OF_BLOCKS = Capability.ofBlocks();

    /** {@code create} makes blocks: a file system is made, with all that may be chosen of it, by {@code zfs create}. */
    static final Set<Capability> OF_FILES = Set.of(
            Capability.FILES,
            Capability.INSTANT_SNAPSHOT,
            Capability.ATOMIC_GROUP,
            Capability.CLONE,
            Capability.ROLLBACK,
            Capability.HOLDS);

    private static final List<String> FACTS_OF_FILES = List.of("mountpoint", "canmount", "origin");

    private final ZvolDevices devices;
    private final MountTable mounts;

    VolumeDescriptions(ZvolDevices devices, MountTable mounts) {
        this.devices = devices;
        this.mounts = mounts;
    }

    List<Volume> of(List<VolumeEntry> entries) throws ProviderException {
        boolean blocks = entries.stream().anyMatch(entry -> !entry.on().isFileSystem());
        boolean files = entries.stream().anyMatch(entry -> entry.on().isFileSystem());
        var nodes = blocks ? devices.all() : Map.<String, Path>of();
        var ofFiles = files ? mounts.ofHost() : List.<MountTable.Mount>of();
        try {
            var ofDevices = Mounts.ofHost();
            var volumes = new ArrayList<Volume>();
            for (var entry : entries) {
                if (entry.on().isFileSystem()) {
                    volumes.add(
                            files(entry, MountTable.pointsOf(ofFiles, entry.on().name())));
                } else {
                    var node = Optional.ofNullable(nodes.get(entry.on().name()));
                    volumes.add(blocks(entry, node, node.isPresent() ? ofDevices.of(node.get()) : List.of()));
                }
            }
            return volumes;
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected("reading where volumes are mounted", e.toString()), e);
        }
    }

    private static Volume blocks(VolumeEntry entry, Optional<Path> node, List<Path> mountPoints) {
        return new Volume(
                entry.id(),
                entry.sizeBytes(),
                OF_BLOCKS,
                node.map(path -> ZvolDevices.shown(entry.on().name(), path)),
                mountPoints,
                Map.of(
                        "zvol",
                        entry.on().name(),
                        "blockBytes",
                        String.valueOf(entry.on().number("volblocksize"))));
    }

    /** There is no device: it lies in the pool's. */
    private static Volume files(VolumeEntry entry, List<Path> mountPoints) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("fileSystem", "zfs");
        facts.put("dataset", entry.on().name());
        for (var property : FACTS_OF_FILES) {
            entry.on().property(property).ifPresent(value -> facts.put(property, value));
        }
        return new Volume(entry.id(), entry.sizeBytes(), OF_FILES, Optional.empty(), mountPoints, facts);
    }
}
