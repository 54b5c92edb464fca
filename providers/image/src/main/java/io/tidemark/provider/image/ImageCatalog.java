package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Which volumes there are, in all folders; where two folders have one of the same name, the first folder's counts. */
final class ImageCatalog {
    private final List<ImageFolder> folders;
    private final Optional<HostCalls> host;
    private final LoopDevices loops;
    private final ImageConfig.Changes changes;

    /** Held for writing while a rollback's volume has no name for an instant. */
    private final ReadWriteLock renames = new ReentrantReadWriteLock();

    ImageCatalog(List<ImageFolder> folders, Optional<HostCalls> host, LoopDevices loops, ImageConfig.Changes changes) {
        this.folders = List.copyOf(folders);
        this.host = host;
        this.loops = loops;
        this.changes = changes;
    }

    ReadWriteLock renames() {
        return renames;
    }

    List<ImageFolder> folders() {
        return folders;
    }

    Optional<HostCalls> host() {
        return host;
    }

    Optional<ImageVolume> find(VolumeId volume) throws ProviderException {
        renames.readLock().lock();
        try {
            for (var folder : folders) {
                var found = folder.volume(volume);
                if (found.isPresent()) {
                    return found;
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw Failures.of("looking for " + volume, folders.getFirst().root(), e);
        } finally {
            renames.readLock().unlock();
        }
    }

    /** @throws ProviderException VolumeNotFound */
    ImageVolume get(VolumeId volume) throws ProviderException {
        return find(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    List<Volume> list() throws ProviderException {
        var volumes = new TreeMap<VolumeId, ImageVolume>();
        renames.readLock().lock();
        try {
            for (var folder : folders) {
                folder.volumes().forEach(volume -> volumes.putIfAbsent(volume.id(), volume));
            }
        } catch (IOException e) {
            throw Failures.of("listing volumes", folders.getFirst().root(), e);
        } finally {
            renames.readLock().unlock();
        }
        var described = new ArrayList<Volume>();
        for (var volume : volumes.values()) {
            described.add(describe(volume));
        }
        return described;
    }

    Volume describe(ImageVolume volume) throws ProviderException {
        try {
            var attachments = loops.on(volume.image());
            var mountPoints = attachments.stream()
                    .flatMap(attachment -> attachment.mountPoints().stream())
                    .distinct()
                    .toList();
            var ability = volume.folder().ability();
            var facts = new TreeMap<>(Map.of(
                    "fileSystem", ability.fileSystem(),
                    "method", volume.method().word(),
                    "changedRanges", changesOf(volume),
                    "folder", volume.folder().root().toString()));
            if (!attachments.isEmpty()) {
                facts.put(
                        "loopDevices",
                        String.join(
                                " ",
                                attachments.stream()
                                        .map(LoopDevices.Attachment::name)
                                        .toList()));
            }
            return new Volume(
                    volume.id(),
                    Files.size(volume.image()),
                    capabilities(volume),
                    Optional.of(volume.image()),
                    mountPoints,
                    facts);
        } catch (IOException e) {
            throw Failures.of("looking at " + volume.id(), volume.image(), e);
        }
    }

    /** The method by which the volume's changes will be found, as in {@code ChangedRanges.source()}. */
    private String changesOf(ImageVolume volume) {
        return switch (volume.method()) {
            case SUBVOLUME ->
                switch (changes) {
                    case BEST -> volume.folder().ability().sendsChanges() ? ChangeFinder.SEND : ChangeFinder.EXTENTS;
                    case EXTENTS -> ChangeFinder.EXTENTS;
                    case FULL -> ChangeFinder.FULL;
                };
            case REFLINK -> changes == ImageConfig.Changes.FULL ? ChangeFinder.FULL : ChangeFinder.EXTENTS;
            case COPY -> ChangeFinder.FULL;
        };
    }

    private EnumSet<Capability> capabilities(ImageVolume volume) {
        var can = EnumSet.of(
                Capability.RANDOM_READ,
                Capability.RANDOM_WRITE,
                Capability.CLONE,
                Capability.ROLLBACK,
                Capability.HOLDS,
                Capability.CREATE);
        if (volume.method() == CutMethod.SUBVOLUME) {
            can.add(Capability.INSTANT_SNAPSHOT);
        }
        switch (changesOf(volume)) {
            case ChangeFinder.SEND -> {
                can.add(Capability.TRACKED_CHANGES);
                can.add(Capability.CHANGED_RANGES);
            }
            case ChangeFinder.EXTENTS -> can.add(Capability.CHANGED_RANGES);
            default -> {
                return can;
            }
        }
        return can;
    }

    /** @throws ProviderException Busy, naming the loop device and where it is mounted */
    void refuseWhileAttached(ImageVolume volume) throws ProviderException {
        try {
            var attachments = loops.on(volume.image());
            if (!attachments.isEmpty()) {
                throw new ProviderException(new ProviderError.Busy(
                        volume.id().toString(), attachments.getFirst().describe(), Failures.BUSY_RETRY));
            }
        } catch (IOException e) {
            throw Failures.of("looking for loop devices on " + volume.id(), volume.image(), e);
        }
    }
}
