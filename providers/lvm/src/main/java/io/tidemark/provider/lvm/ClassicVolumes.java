package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * Makes and removes classic volumes. What LVM gives out has what was there before on it, so a new one is written with zeros
 * before it is one: (1) it is made, tagged as unfinished; (2) zeros are written; (3) the tag is taken off. What dies before
 * 3 is not listed, and removed by the next open or the next call for the same volume.
 */
final class ClassicVolumes {
    private static final System.Logger LOG = System.getLogger(ClassicVolumes.class.getName());

    /** By one program, within its time: 5 MiB/s are enough. One that outlives a killed process ends soon. */
    private static final long ZEROED_AT_ONCE_BYTES = 256L << 20;

    private static final Duration RETRY = Duration.ofSeconds(5);

    private final String group;
    private final LvmCommands commands;
    /** What is being made by this process, and its size. */
    private final Map<VolumeId, Long> making = new ConcurrentHashMap<>();

    ClassicVolumes(String group, LvmCommands commands) {
        this.group = group;
        this.commands = commands;
    }

    /** @throws ProviderException OutOfSpace, as {@link #make} would, at once */
    void refuseWithoutRoom(long sizeBytes) throws ProviderException {
        var room = commands.room();
        if (sizeBytes > room.freeBytes()) {
            throw new ProviderException(
                    new ProviderError.OutOfSpace("volume group " + group, room.freeBytes(), sizeBytes));
        }
    }

    /**
     * All three steps; takes as long as writing the volume. A failure leaves nothing.
     *
     * @param zeroed is told how many bytes have been written since it was told last
     */
    void make(VolumeId volume, long sizeBytes, Alone alone, LongConsumer zeroed) throws ProviderException {
        if (making.putIfAbsent(volume, sizeBytes) != null) {
            // Of the same size it would have been joined.
            throw new ProviderException(new ProviderError.VolumeExists(volume));
        }
        try {
            makeAlone(volume, sizeBytes, alone, zeroed);
        } finally {
            making.remove(volume);
        }
    }

    private void makeAlone(VolumeId volume, long sizeBytes, Alone alone, LongConsumer zeroed) throws ProviderException {
        var name = LvmNames.forVolume(volume);
        if (!alone.run(catalog -> begin(volume, sizeBytes, catalog))) {
            return;
        }
        try {
            zero(name, sizeBytes, zeroed);
            var unused = alone.run(_ -> finish(name));
        } catch (ProviderException e) {
            // Who asked may be gone by now.
            LOG.log(System.Logger.Level.WARNING, "lvm.create_failed volume={0} reason=\"{1}\"", volume, e.getMessage());
            try {
                var unused = alone.run(_ -> removed(name));
            } catch (ProviderException remaining) {
                e.addSuppressed(remaining);
            }
            throw e;
        }
    }

    /** @return false where it was made since it was looked for */
    private boolean begin(VolumeId volume, long sizeBytes, LvmCatalog catalog) throws ProviderException {
        var name = LvmNames.forVolume(volume);
        var existing = catalog.find(volume);
        if (existing.isPresent()) {
            if (existing.get().sizeBytes() != sizeBytes) {
                throw new ProviderException(new ProviderError.VolumeExists(volume));
            }
            return false;
        }
        if (catalog.named(name).filter(ClassicVolumes::unfinished).isPresent()) {
            commands.remove(name);
        }
        var tags = List.of(LvmNames.VOLUME + volume.name(), LvmNames.BYTES + sizeBytes, LvmNames.UNFINISHED);
        commands.createClassic(name, sizeBytes, tags);
        return true;
    }

    private boolean finish(String name) throws ProviderException {
        // Also what a disk has in its own cache: the tag must not go to disk before it.
        commands.flush();
        commands.tag(name, List.of(), List.of(LvmNames.UNFINISHED));
        return true;
    }

    private boolean removed(String name) throws ProviderException {
        commands.remove(name);
        return true;
    }

    private void zero(String name, long sizeBytes, LongConsumer zeroed) throws ProviderException {
        var device = Path.of("/dev/mapper", LvmNames.mapped(group, name));
        for (long from = 0; from < sizeBytes; from += ZEROED_AT_ONCE_BYTES) {
            long length = Math.min(ZEROED_AT_ONCE_BYTES, sizeBytes - from);
            commands.zero(device, new BlockRange(from, length));
            zeroed.accept(length);
        }
    }

    /** @throws ProviderException Busy: it is not listed yet, and so looks as if it were not there */
    void refuseWhileMade(VolumeId volume) throws ProviderException {
        if (making.containsKey(volume)) {
            throw new ProviderException(
                    new ProviderError.Busy(volume.toString(), "the zeros that are written to it as it is made", RETRY));
        }
    }

    /** What a process that was killed has left of a new volume; a program of its may still write to it. */
    void sweep(LvmCatalog catalog) {
        for (var each : catalog.all()) {
            if (unfinished(each)) {
                try {
                    commands.remove(each.name());
                } catch (ProviderException e) {
                    LOG.log(
                            System.Logger.Level.ERROR,
                            "lvm.unfinished_left logicalVolume={0} reason=\"{1}\" effect=\"not listed\"",
                            each.name(),
                            e.getMessage());
                }
            }
        }
    }

    private static boolean unfinished(LogicalVolume volume) {
        return volume.tags().contains(LvmNames.UNFINISHED);
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
