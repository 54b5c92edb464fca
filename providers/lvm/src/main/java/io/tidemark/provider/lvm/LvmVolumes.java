package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.Mounts;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** A group's volumes as the SPI tells of them, each by its kind. */
record LvmVolumes(String group, VolumeKind thin, VolumeKind classic) {
    /** In a message. */
    private static final int MOUNTS_SHOWN = 3;

    VolumeKind kind(LogicalVolume on) {
        return on.thin() ? thin : classic;
    }

    Path device(LogicalVolume on) {
        return Path.of("/dev/mapper", LvmNames.mapped(group, on.name()));
    }

    Volume described(Entry<VolumeId> entry) throws ProviderException {
        return described(List.of(entry)).getFirst();
    }

    List<Volume> described(List<Entry<VolumeId>> entries) throws ProviderException {
        try {
            var mounts = Mounts.ofHost();
            var volumes = new ArrayList<Volume>();
            for (var entry : entries) {
                volumes.add(described(entry, mounts.of(device(entry.on()))));
            }
            return volumes;
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected("reading where volumes are mounted", e.toString()), e);
        }
    }

    /** For people: who has a volume open, as far as the host tells. */
    String openedBy(Entry<VolumeId> entry) throws ProviderException {
        var mountPoints = described(entry).mountPoints();
        if (mountPoints.isEmpty()) {
            return "a process of this host, or a mount in another namespace";
        }
        var shown = mountPoints.stream().limit(MOUNTS_SHOWN).map(Path::toString).collect(Collectors.joining(", "));
        int more = mountPoints.size() - MOUNTS_SHOWN;
        return "a mount at " + shown + (more > 0 ? " and %d more".formatted(more) : "");
    }

    private Volume described(Entry<VolumeId> entry, List<Path> mountPoints) {
        var kind = kind(entry.on());
        var facts = new LinkedHashMap<>(kind.facts(entry.on()));
        facts.put("group", group);
        facts.put("logicalVolume", entry.on().name());
        return new Volume(
                entry.id(),
                entry.sizeBytes(),
                kind.capabilities(),
                Optional.of(device(entry.on())),
                mountPoints,
                facts);
    }
}
