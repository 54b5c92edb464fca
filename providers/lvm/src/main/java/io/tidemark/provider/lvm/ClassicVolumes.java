package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes and removes classic volumes. What LVM gives out has what was there before on it, so a new one is written with zeros
 * before it is one: (1) it is made, tagged as unfinished; (2) zeros are written; (3) the tag is taken off. What dies before
 * 3 is not listed, and removed by the next open or the next call for the same volume.
 */
record ClassicVolumes(String group, LvmCommands commands) {
    /** By one program, within its time: 30 MiB/s are enough. */
    private static final long ZEROED_AT_ONCE_BYTES = 1L << 30;

    void create(VolumeId volume, long sizeBytes, LvmCatalog catalog) throws ProviderException {
        var name = LvmNames.forVolume(volume);
        var left = catalog.named(name).filter(each -> each.tags().contains(LvmNames.UNFINISHED));
        if (left.isPresent()) {
            commands.remove(name);
        }
        var tags = List.of(LvmNames.VOLUME + volume.name(), LvmNames.BYTES + sizeBytes, LvmNames.UNFINISHED);
        commands.createClassic(name, sizeBytes, tags);
        try {
            var device = Path.of("/dev/mapper", LvmNames.mapped(group, name));
            for (long from = 0; from < sizeBytes; from += ZEROED_AT_ONCE_BYTES) {
                commands.zero(device, new BlockRange(from, Math.min(ZEROED_AT_ONCE_BYTES, sizeBytes - from)));
            }
            // Also what a disk has in its own cache: the tag must not go to disk before it.
            commands.flush();
            commands.tag(name, List.of(), List.of(LvmNames.UNFINISHED));
        } catch (ProviderException e) {
            try {
                commands.remove(name);
            } catch (ProviderException remaining) {
                e.addSuppressed(remaining);
            }
            throw e;
        }
    }

    /** What a process that was killed has left of a new volume. */
    void sweep(LvmCatalog catalog) throws ProviderException {
        for (var each : catalog.all()) {
            if (each.tags().contains(LvmNames.UNFINISHED)) {
                commands.remove(each.name());
            }
        }
    }

    /** LVM removes a volume's snapshots with it: also those that are not ours, and those that have overflowed. */
    static void refuseWithSnapshots(VolumeId volume, LogicalVolume on, LvmCatalog catalog) throws ProviderException {
        var snapshots =
                catalog.classicSnapshotsOf(on).stream().map(LogicalVolume::name).toList();
        if (!snapshots.isEmpty()) {
            throw new ProviderException(
                    new ProviderError.Conflict(volume.toString(), "it has classic snapshots: " + snapshots));
        }
    }
}
