package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.provider.devices.HostLock;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The configured folder: its subvolumes are the volumes, and all that is ours lies in {@code .tidemark/btrfs} of it. A
 * snapshot's name says what it is of; nothing else has to be known of it.
 */
final class BtrfsFolder implements AutoCloseable {
    static final String PROVIDER = "btrfs";
    static final String OURS = ".tidemark/btrfs";

    /** For who configured one folder for two providers. */
    static final String OF_IMAGES = "the image provider keeps its volumes there. Name another folder";

    /** {@code statfs(2) f_type}, linux/magic.h. */
    private static final long BTRFS_MAGIC = 0x9123683EL;

    /** What was left in the work folder and could not be deleted; more of one volume is a fault that nobody mends. */
    private static final int LEFT_MAXIMUM = 100;

    private static final System.Logger LOG = System.getLogger(BtrfsFolder.class.getName());

    private final Path root;
    private final HostCalls host;
    private final HostLock lock;
    private final QuotaGroups quotas;

    /** A subvolume that can be snapshotted. */
    record Subvolume(VolumeId id, Path path, HostCalls.Subvolume known) {}

    private BtrfsFolder(Path root, HostCalls host, HostLock lock) {
        this.root = root;
        this.host = host;
        this.lock = lock;
        this.quotas = new QuotaGroups(root, new CommandRunner());
    }

    /**
     * Locks the folder; makes in it what is missing of ours.
     *
     * @throws ProviderException Busy while another instance manages it; Conflict where it is none that can be managed
     */
    static BtrfsFolder open(Path configured, HostCalls host) throws ProviderException {
        var subject = "folder " + configured;
        if (!Files.isDirectory(configured)) {
            throw BtrfsErrors.conflict(subject, "it does not exist or is no folder");
        }
        try {
            var root = configured.toRealPath();
            if (host.fileSystemMagic(root) != BTRFS_MAGIC) {
                throw BtrfsErrors.conflict(subject, "it lies on no Btrfs. Name a folder on a mounted Btrfs");
            }
            if (isOfImages(root)) {
                throw BtrfsErrors.conflict(subject, OF_IMAGES);
            }
            makePrivate(root.resolve(".tidemark"));
            var ours = root.resolve(OURS);
            makePrivate(ours);
            var lock = HostLock.take(ours, PROVIDER, subject);
            var opened = new BtrfsFolder(root, host, lock);
            try {
                for (var folder : List.of(opened.snapshots(), opened.holds(), opened.work())) {
                    makePrivate(folder);
                }
                opened.sweepHolds();
                opened.tellOfOthers();
                return opened;
            } catch (IOException | ProviderException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("opening " + subject, configured, e);
        }
    }

    /** By the lock of its own that the image provider makes in a folder. */
    static boolean isOfImages(Path folder) {
        return DurableFiles.exists(folder.resolve(".tidemark/lock"));
    }

    private static void makePrivate(Path folder) throws IOException {
        if (!DurableFiles.isFolder(folder)) {
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            DurableFiles.sync(DurableFiles.folderOf(folder));
        }
    }

    Path root() {
        return root;
    }

    QuotaGroups quotas() {
        return quotas;
    }

    Path snapshots() {
        return root.resolve(OURS, "snapshots");
    }

    private Path holds() {
        return root.resolve(OURS, "holds");
    }

    /** Where subvolumes lie before they take a place, and after they have lost it. */
    Path work() {
        return root.resolve(OURS, "work");
    }

    /** @throws ProviderException Conflict where too much was left there that nobody could delete */
    Path freeWork(VolumeId volume) throws ProviderException {
        return freeWork(volume, "");
    }

    /** @param kind in the name, so that a start knows what to do with what it finds */
    Path freeWork(VolumeId volume, String kind) throws ProviderException {
        for (int number = 1; number <= LEFT_MAXIMUM; number++) {
            var path = work().resolve(volume.name() + "@" + kind + number);
            if (!DurableFiles.exists(path)) {
                return path;
            }
        }
        throw BtrfsErrors.conflict(
                work(), "%d subvolumes of %s were left there; delete them".formatted(LEFT_MAXIMUM, volume));
    }

    /** The entry that a volume of this id is; none where it can be none: an entry's name has no slash. */
    Optional<Path> entry(VolumeId volume) {
        return volume.provider().equals(PROVIDER) && volume.name().indexOf('/') < 0
                ? Optional.of(root.resolve(volume.name()))
                : Optional.empty();
    }

    private static Optional<VolumeId> id(String entry) {
        try {
            return Optional.of(VolumeId.of(PROVIDER, entry)).filter(id -> entry.indexOf('/') < 0);
        } catch (IllegalArgumentException e) {
            // A name that no volume can have.
            return Optional.empty();
        }
    }

    /** @throws ProviderException VolumeNotFound */
    Subvolume get(VolumeId volume) throws ProviderException {
        return find(volume).orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    Optional<Subvolume> find(VolumeId volume) throws ProviderException {
        var entry = entry(volume);
        if (entry.isEmpty()) {
            return Optional.empty();
        }
        try {
            return subvolume(volume, entry.get(), BtrfsMounts.ofHost());
        } catch (IOException e) {
            throw BtrfsErrors.of("looking for " + volume, entry.get(), e);
        }
    }

    /** In order of id. */
    List<Subvolume> volumes() throws ProviderException {
        try {
            var mounts = BtrfsMounts.ofHost();
            var volumes = new ArrayList<Subvolume>();
            for (var entry : DurableFiles.entries(root)) {
                var id = id(DurableFiles.nameOf(entry));
                if (id.isPresent()) {
                    subvolume(id.get(), entry, mounts).ifPresent(volumes::add);
                }
            }
            return volumes;
        } catch (IOException e) {
            throw BtrfsErrors.of("listing volumes", root, e);
        }
    }

    /** Writable, and seen there because it lies there: what is mounted on an entry is not what the folder holds. */
    private Optional<Subvolume> subvolume(VolumeId id, Path entry, BtrfsMounts mounts) throws IOException {
        if (mounts.isMountPoint(entry)) {
            return Optional.empty();
        }
        return known(entry).filter(known -> !known.readOnly()).map(known -> new Subvolume(id, entry, known));
    }

    /** None where no subvolume lies there. */
    Optional<HostCalls.Subvolume> known(Path path) throws IOException {
        try {
            return DurableFiles.isFolder(path) && host.btrfsIsSubvolume(path)
                    ? Optional.of(host.btrfsSubvolume(path))
                    : Optional.empty();
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.ENOENT) {
                // Deleted while we looked.
                return Optional.empty();
            }
            throw e;
        }
    }

    static String name(SnapshotId snapshot) {
        return snapshot.volume().name() + "@" + snapshot.recoveryPoint().value();
    }

    static Optional<SnapshotId> snapshot(String name) {
        int at = name.indexOf('@');
        if (at < 0) {
            return Optional.empty();
        }
        try {
            var point = new RecoveryPointId(name.substring(at + 1));
            return id(name.substring(0, at)).map(volume -> new SnapshotId(volume, point));
        } catch (IllegalArgumentException e) {
            // Somebody else's.
            return Optional.empty();
        }
    }

    /** Only of a volume whose id {@link #entry} accepts. */
    Path path(SnapshotId snapshot) {
        return snapshots().resolve(name(snapshot));
    }

    /** @throws ProviderException SnapshotNotFound */
    HostCalls.Subvolume get(SnapshotId snapshot) throws ProviderException {
        return find(snapshot).orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(snapshot)));
    }

    /**
     * One that was just made, or is needed while file systems are frozen. Its size is 0 where that cannot be read: it is
     * there all the same.
     *
     * @throws ProviderException SnapshotNotFound
     */
    Snapshot described(SnapshotId snapshot) throws ProviderException {
        var known = get(snapshot);
        return new Snapshot(snapshot, bytesIfTold(known), known.createdAt());
    }

    private long bytesIfTold(HostCalls.Subvolume subvolume) {
        try {
            return quotas.shown().bytesOf(subvolume.id());
        } catch (ProviderException e) {
            return 0;
        }
    }

    /**
     * Of a snapshot that a stream is of, or builds upon.
     *
     * @throws ProviderException SnapshotNotFound; Corrupt where somebody has written to it, who made it writable
     */
    HostCalls.Lineage lineage(SnapshotId snapshot) throws ProviderException {
        get(snapshot);
        try {
            var lineage = host.btrfsSubvolume(path(snapshot)).lineage();
            if (!lineage.untouched()) {
                throw BtrfsErrors.corrupt(
                        "snapshot " + snapshot,
                        "it was made in transaction %d and changed in %d by somebody who made it writable"
                                .formatted(lineage.madeIn(), lineage.changedIn()));
            }
            return lineage;
        } catch (IOException e) {
            throw BtrfsErrors.of("looking at " + snapshot, path(snapshot), e);
        }
    }

    /** What is there under a snapshot's name and can be written to is no snapshot any more. */
    Optional<HostCalls.Subvolume> find(SnapshotId snapshot) throws ProviderException {
        if (entry(snapshot.volume()).isEmpty()) {
            return Optional.empty();
        }
        try {
            return known(path(snapshot)).filter(HostCalls.Subvolume::readOnly);
        } catch (IOException e) {
            throw BtrfsErrors.of("looking for " + snapshot, path(snapshot), e);
        }
    }

    boolean hasSnapshots(VolumeId volume) throws ProviderException {
        return !found(id -> id.volume().equals(volume)).isEmpty();
    }

    /** In no order. */
    List<Snapshot> snapshots(Predicate<SnapshotId> wanted) throws ProviderException {
        var found = found(wanted);
        if (found.isEmpty()) {
            return List.of();
        }
        var counts = quotas.report();
        var snapshots = new ArrayList<Snapshot>();
        for (var each : found.entrySet()) {
            long sizeBytes = counts.bytesOf(each.getValue().id());
            snapshots.add(new Snapshot(each.getKey(), sizeBytes, each.getValue().createdAt()));
        }
        return snapshots;
    }

    private Map<SnapshotId, HostCalls.Subvolume> found(Predicate<SnapshotId> wanted) throws ProviderException {
        try {
            var found = new HashMap<SnapshotId, HostCalls.Subvolume>();
            for (var entry : DurableFiles.entries(snapshots())) {
                var id = snapshot(DurableFiles.nameOf(entry)).filter(wanted);
                if (id.isPresent()) {
                    find(id.get()).ifPresent(known -> found.put(id.get(), known));
                }
            }
            return found;
        } catch (IOException e) {
            throw BtrfsErrors.of("listing snapshots", snapshots(), e);
        }
    }

    /** What is neither listed nor deleted is told once. */
    private void tellOfOthers() throws IOException, ProviderException {
        for (var entry : DurableFiles.entries(snapshots())) {
            var id = snapshot(DurableFiles.nameOf(entry));
            if (id.isEmpty() || find(id.get()).isEmpty()) {
                LOG.log(Level.WARNING, "btrfs.unexplained path={0} reason=no_snapshot_of_ours", entry);
            }
        }
    }

    void hold(SnapshotId snapshot, HoldOwner owner) throws IOException {
        var file = holdFile(snapshot, owner);
        if (!DurableFiles.exists(file)) {
            DurableFiles.write(file, new byte[0]);
        }
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws IOException {
        if (entry(snapshot.volume()).isPresent() && Files.deleteIfExists(holdFile(snapshot, owner))) {
            DurableFiles.sync(holds());
        }
    }

    Set<HoldOwner> holders(SnapshotId snapshot) throws IOException {
        var prefix = name(snapshot) + "@";
        var owners = new HashSet<HoldOwner>();
        for (var file : DurableFiles.entries(holds())) {
            var name = DurableFiles.nameOf(file);
            if (name.startsWith(prefix) && !name.endsWith(DurableFiles.UNFINISHED)) {
                owners.add(new HoldOwner(name.substring(prefix.length())));
            }
        }
        return owners;
    }

    private Path holdFile(SnapshotId snapshot, HoldOwner owner) {
        return holds().resolve(name(snapshot) + "@" + owner.value());
    }

    /** Of a snapshot that does not exist: somebody has deleted one of this name by hand. */
    void forgetHolds(SnapshotId snapshot) throws IOException {
        for (var owner : holders(snapshot)) {
            release(snapshot, owner);
        }
    }

    private void sweepHolds() throws IOException {
        for (var hold : DurableFiles.entries(holds())) {
            var name = DurableFiles.nameOf(hold);
            int owner = name.lastIndexOf('@');
            boolean known = owner > 0
                    && !name.endsWith(DurableFiles.UNFINISHED)
                    && DurableFiles.exists(snapshots().resolve(name.substring(0, owner)));
            if (!known) {
                Files.delete(hold);
                LOG.log(Level.INFO, "btrfs.swept path={0} reason=hold_of_nothing", hold);
            }
        }
        DurableFiles.sync(holds());
    }

    @Override
    public void close() {
        lock.close();
    }
}
