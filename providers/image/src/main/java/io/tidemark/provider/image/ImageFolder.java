package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One configured folder: images directly in it, and all that is ours in {@code .tidemark} beside them. Locked for the
 * life of the provider, so that one process at a time sweeps, cuts and writes here.
 */
final class ImageFolder implements AutoCloseable {
    /** The image within a volume's own subvolume, and within a snapshot of it. */
    static final String IMAGE = "volume.img";

    static final String OURS = ".tidemark";

    private final Path root;
    private final Optional<HostCalls> host;
    private final FolderAbility ability;
    private final FileChannel lock;

    private ImageFolder(Path root, Optional<HostCalls> host, FolderAbility ability, FileChannel lock) {
        this.root = root;
        this.host = host;
        this.ability = ability;
        this.lock = lock;
    }

    /** Locks the folder, finishes or undoes what a crash left half done, and finds out what can be done here. */
    static ImageFolder open(Path configured, Optional<HostCalls> host, CommandRunner commands)
            throws ProviderException {
        if (!Files.isDirectory(configured)) {
            throw new ProviderException(
                    new ProviderError.Conflict("folder " + configured, "it does not exist or is no folder"));
        }
        try {
            var root = configured.toRealPath();
            var ours = root.resolve(OURS);
            makePrivate(ours);
            for (var name : List.of("snapshots", "holds", "origins", "work")) {
                makePrivate(ours.resolve(name));
            }
            var lock = lock(ours.resolve("lock"), configured);
            try {
                new FolderSweep(root, host).run();
                return new ImageFolder(root, host, FolderAbility.of(ours.resolve("work"), host, commands), lock);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw Failures.of("opening folder " + configured, configured, e);
        }
    }

    private static void makePrivate(Path folder) throws IOException {
        if (!DurableFiles.isFolder(folder)) {
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            DurableFiles.sync(DurableFiles.folderOf(folder));
        }
    }

    private static FileChannel lock(Path file, Path configured) throws IOException, ProviderException {
        var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Another provider of this very process: the same answer as for another process.
            channel.close();
        }
        channel.close();
        throw new ProviderException(new ProviderError.Busy(
                "folder " + configured, "another provider that locked " + file, Failures.BUSY_RETRY));
    }

    Path root() {
        return root;
    }

    FolderAbility ability() {
        return ability;
    }

    /** Where things are built before they get their names; swept at every start. */
    Path work(VolumeId volume, String suffix) {
        return root.resolve(OURS, "work", ImageNames.entry(volume) + suffix);
    }

    Path snapshots() {
        return root.resolve(OURS, "snapshots");
    }

    Path origin(VolumeId volume) {
        return root.resolve(OURS, "origins", ImageNames.entry(volume) + ImageRecord.SUFFIX);
    }

    Path entry(VolumeId volume) {
        return root.resolve(ImageNames.entry(volume));
    }

    /** Where a snapshot of a whole subvolume lies. */
    Path snapshotSubvolume(SnapshotId snapshot) {
        return snapshots().resolve(ImageNames.entry(snapshot));
    }

    /** Where a snapshot that is one file lies. */
    Path snapshotFile(SnapshotId snapshot) {
        return snapshots().resolve(ImageNames.entry(snapshot) + ".img");
    }

    Path snapshotRecord(SnapshotId snapshot) {
        return snapshots().resolve(ImageNames.entry(snapshot) + ImageRecord.SUFFIX);
    }

    Optional<ImageVolume> volume(VolumeId volume) throws IOException {
        if (!volume.provider().equals(ImageNames.PROVIDER)) {
            return Optional.empty();
        }
        var entry = entry(volume);
        if (DurableFiles.isFile(entry)) {
            return Optional.of(new ImageVolume(volume, this, entry, entry, fileMethod()));
        }
        var image = entry.resolve(IMAGE);
        if (!DurableFiles.isFolder(entry) || !DurableFiles.isFile(image)) {
            return Optional.empty();
        }
        boolean ownSubvolume = ability.best() == CutMethod.SUBVOLUME
                && host.isPresent()
                && host.get().btrfsIsSubvolume(entry);
        return Optional.of(
                new ImageVolume(volume, this, entry, image, ownSubvolume ? CutMethod.SUBVOLUME : fileMethod()));
    }

    private CutMethod fileMethod() {
        return ability.reflinks() ? CutMethod.REFLINK : CutMethod.COPY;
    }

    List<ImageVolume> volumes() throws IOException {
        var volumes = new ArrayList<ImageVolume>();
        for (var entry : DurableFiles.entries(root)) {
            var id = ImageNames.volume(DurableFiles.nameOf(entry));
            if (id.isPresent()) {
                volume(id.get()).ifPresent(volumes::add);
            }
        }
        return volumes;
    }

    /** Every snapshot that has a record; whether it is whole, {@link SnapshotShelf} says. */
    List<SnapshotId> snapshotNames() throws IOException {
        var names = new ArrayList<SnapshotId>();
        for (var file : DurableFiles.entries(snapshots())) {
            var name = DurableFiles.nameOf(file);
            if (name.endsWith(ImageRecord.SUFFIX)) {
                ImageNames.snapshot(name.substring(0, name.length() - ImageRecord.SUFFIX.length()))
                        .ifPresent(names::add);
            }
        }
        return names;
    }

    void hold(SnapshotId snapshot, HoldOwner owner) throws IOException {
        var file = holdFile(snapshot, owner);
        if (!DurableFiles.exists(file)) {
            DurableFiles.write(file, new byte[0]);
        }
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws IOException {
        if (Files.deleteIfExists(holdFile(snapshot, owner))) {
            DurableFiles.sync(holds());
        }
    }

    Set<HoldOwner> holders(SnapshotId snapshot) throws IOException {
        var prefix = ImageNames.entry(snapshot) + "@";
        var owners = new HashSet<HoldOwner>();
        for (var file : DurableFiles.entries(holds())) {
            var name = DurableFiles.nameOf(file);
            if (name.startsWith(prefix) && !name.endsWith(DurableFiles.UNFINISHED)) {
                owners.add(new HoldOwner(name.substring(prefix.length())));
            }
        }
        return owners;
    }

    private Path holds() {
        return root.resolve(OURS, "holds");
    }

    private Path holdFile(SnapshotId snapshot, HoldOwner owner) {
        return holds().resolve(ImageNames.entry(snapshot) + "@" + owner.value());
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            // The descriptor is gone either way, and the lock with it.
            System.getLogger(ImageFolder.class.getName())
                    .log(System.Logger.Level.WARNING, "image.unlock_failed folder={0} reason={1}", root, e);
        }
    }
}
