package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Makes, clones, rolls back and removes volumes. Everything is built in the work folder under a name that the next start
 * sweeps, made durable, and then renamed: with its name in the folder the volume exists.
 */
final class VolumeMaking {
    private static final System.Logger LOG = System.getLogger(VolumeMaking.class.getName());
    private static final int SECTOR_BYTES = 512;

    private final ImageCatalog catalog;
    private final SnapshotShelf shelf;
    private final InstantSource clock;
    private final Optional<HostCalls> host;
    private final SparseCopy copies;

    VolumeMaking(ImageCatalog catalog, SnapshotShelf shelf, InstantSource clock) {
        this.catalog = catalog;
        this.shelf = shelf;
        this.clock = clock;
        this.host = catalog.host();
        this.copies = new SparseCopy(host);
    }

    /** Whether bytes must be copied to make a volume of the snapshot, which may take minutes. */
    boolean copies(SnapshotId snapshot) throws ProviderException {
        return !shelf.get(snapshot).folder().ability().reflinks();
    }

    long copyBytes(SnapshotId id) throws ProviderException {
        var snapshot = shelf.get(id);
        try {
            return copies.neededBytes(snapshot.image(), snapshot.snapshot().sizeBytes());
        } catch (IOException e) {
            throw Failures.of("measuring " + id, snapshot.image(), e);
        }
    }

    ImageVolume create(VolumeId id, long sizeBytes) throws ProviderException {
        if (sizeBytes < SECTOR_BYTES || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException("sizeBytes is not a positive multiple of 512: " + sizeBytes);
        }
        if (!id.provider().equals(ImageNames.PROVIDER)) {
            throw new IllegalArgumentException("not a volume of provider image: " + id);
        }
        var existing = catalog.find(id);
        if (existing.isPresent()) {
            return sameAgain(existing.get(), sizeBytes);
        }
        var folder = catalog.folders().getFirst();
        refuseForeignEntry(folder, id);
        var unfinished = folder.work(id, FolderSweep.NEW);
        boolean named = false;
        try {
            FolderSweep.deleteTree(unfinished, host);
            if (folder.ability().best() == CutMethod.SUBVOLUME) {
                host().btrfsCreateSubvolume(unfinished);
                makeSparse(unfinished.resolve(ImageFolder.IMAGE), sizeBytes);
                DurableFiles.sync(unfinished);
            } else {
                makeSparse(unfinished, sizeBytes);
            }
            DurableFiles.move(unfinished, folder.entry(id));
            named = true;
            DurableFiles.sync(folder.root());
        } catch (IOException e) {
            throw Failures.of("making " + id, folder.entry(id), e);
        } finally {
            if (!named) {
                drop(unfinished);
            }
        }
        return catalog.get(id);
    }

    /** The failure that led here is the one to report; what cannot be deleted now, the next start sweeps. */
    private void drop(Path unfinished) {
        try {
            FolderSweep.deleteTree(unfinished, host);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "image.not_dropped path={0} reason={1}", unfinished, e.getMessage());
        }
    }

    private static void makeSparse(Path file, long sizeBytes) throws IOException {
        SparseCopy.createSparse(file, sizeBytes);
        DurableFiles.sync(file);
    }

    private ImageVolume sameAgain(ImageVolume existing, long sizeBytes) throws ProviderException {
        try {
            boolean same = Files.size(existing.image()) == sizeBytes
                    && !DurableFiles.exists(existing.folder().origin(existing.id()))
                    && !shelf.hasAny(existing.id());
            if (!same) {
                throw new ProviderException(new ProviderError.VolumeExists(existing.id()));
            }
            return existing;
        } catch (IOException e) {
            throw Failures.of("looking at " + existing.id(), existing.image(), e);
        }
    }

    /** Something that is no volume lies where one would go. */
    private static void refuseForeignEntry(ImageFolder folder, VolumeId id) throws ProviderException {
        if (DurableFiles.exists(folder.entry(id))) {
            throw new ProviderException(new ProviderError.Conflict(
                    id.toString(), "%s is there and is no image".formatted(folder.entry(id))));
        }
    }

    ImageVolume clone(CloneRequest request, LongConsumer copied) throws ProviderException {
        var snapshot = shelf.get(request.snapshot());
        var id = request.name();
        var existing = catalog.find(id);
        if (existing.isPresent()) {
            if (originOf(existing.get()).equals(Optional.of(request.snapshot()))) {
                return existing.get();
            }
            throw new ProviderException(new ProviderError.VolumeExists(id));
        }
        var folder = snapshot.folder();
        refuseForeignEntry(folder, id);
        var unfinished = folder.work(id, FolderSweep.NEW);
        boolean named = false;
        try {
            bringBytes(snapshot, unfinished, copied);
            var origin = new ImageRecord(
                    ImageRecord.Kind.ORIGIN,
                    request.snapshot(),
                    snapshot.snapshot().sizeBytes(),
                    clock.instant(),
                    snapshot.method());
            DurableFiles.write(folder.origin(id), origin.encode());
            DurableFiles.move(unfinished, folder.entry(id));
            named = true;
            DurableFiles.sync(folder.root());
        } catch (IOException e) {
            throw Failures.of("cloning %s as %s".formatted(request.snapshot(), id), folder.entry(id), e);
        } finally {
            if (!named) {
                drop(folder.origin(id));
                drop(unfinished);
            }
        }
        return catalog.get(id);
    }

    private static Optional<SnapshotId> originOf(ImageVolume volume) throws ProviderException {
        var file = volume.folder().origin(volume.id());
        try {
            return DurableFiles.isFile(file)
                    ? Optional.of(ImageRecord.read(file).snapshot())
                    : Optional.empty();
        } catch (ImageRecord.DamagedException e) {
            throw new ProviderException(
                    new ProviderError.Corrupt("origin of " + volume.id(), String.valueOf(e.getMessage())), e);
        } catch (IOException e) {
            throw Failures.of("reading the origin of " + volume.id(), file, e);
        }
    }

    /** Builds a durable, writable twin of the snapshot's entry: a subvolume from a subvolume, a file from a file. */
    private void bringBytes(StoredSnapshot snapshot, Path unfinished, LongConsumer copied)
            throws IOException, ProviderException {
        FolderSweep.deleteTree(unfinished, host);
        if (snapshot.isSubvolume() && snapshot.folder().ability().best() == CutMethod.SUBVOLUME) {
            host().btrfsSnapshot(snapshot.entry(), unfinished, false);
            return;
        }
        bringFile(snapshot, unfinished, copied);
    }

    private void bringFile(StoredSnapshot snapshot, Path unfinished, LongConsumer copied)
            throws IOException, ProviderException {
        Files.deleteIfExists(unfinished);
        if (snapshot.folder().ability().reflinks()) {
            host().reflink(snapshot.image(), unfinished);
        } else {
            refuseWithoutSpace(snapshot);
            copies.copy(snapshot.image(), unfinished, copied);
        }
        Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rw-------"));
        DurableFiles.sync(unfinished);
    }

    private void refuseWithoutSpace(StoredSnapshot snapshot) throws IOException, ProviderException {
        long needed = copies.neededBytes(snapshot.image(), snapshot.snapshot().sizeBytes());
        long free = Failures.freeBytes(snapshot.folder().snapshots());
        if (free < needed) {
            throw new ProviderException(
                    new ProviderError.OutOfSpace(snapshot.folder().root().toString(), free, needed));
        }
    }

    ImageVolume rollback(SnapshotId id, LongConsumer copied) throws ProviderException {
        var snapshot = shelf.get(id);
        var volume = catalog.get(id.volume());
        catalog.refuseWhileAttached(volume);
        try {
            if (volume.method() == CutMethod.SUBVOLUME && snapshot.isSubvolume()) {
                swapSubvolume(volume, snapshot);
            } else {
                // Beside the image, on its own subvolume if it has one: a rename cannot leave that.
                var unfinished = volume.image().equals(volume.entry())
                        ? volume.folder().work(volume.id(), FolderSweep.NEW)
                        : volume.image().resolveSibling(ImageFolder.IMAGE + DurableFiles.UNFINISHED);
                swapFile(volume, snapshot, unfinished, copied);
            }
        } catch (IOException e) {
            throw Failures.of("rolling back " + id, volume.image(), e);
        }
        return catalog.get(id.volume());
    }

    /** Looks for loop devices again after the copy, which may have taken minutes. */
    private void swapFile(ImageVolume volume, StoredSnapshot snapshot, Path unfinished, LongConsumer copied)
            throws IOException, ProviderException {
        boolean named = false;
        try {
            bringFile(snapshot, unfinished, copied);
            catalog.refuseWhileAttached(volume);
            DurableFiles.move(unfinished, volume.image());
            named = true;
        } finally {
            if (!named) {
                drop(unfinished);
            }
        }
        DurableFiles.sync(DurableFiles.folderOf(volume.image()));
    }

    /** No call swaps two folders for us: the volume is moved aside first, and a start in between finishes the swap. */
    private void swapSubvolume(ImageVolume volume, StoredSnapshot snapshot) throws IOException, ProviderException {
        var folder = volume.folder();
        var ready = folder.work(volume.id(), FolderSweep.NEW);
        var old = folder.work(volume.id(), FolderSweep.OLD);
        FolderSweep.deleteTree(ready, host);
        FolderSweep.deleteTree(old, host);
        boolean named = false;
        catalog.renames().writeLock().lock();
        try {
            host().btrfsSnapshot(snapshot.entry(), ready, false);
            catalog.refuseWhileAttached(volume);
            DurableFiles.move(volume.entry(), old);
            moveOrUndo(ready, volume.entry(), old);
            named = true;
        } finally {
            catalog.renames().writeLock().unlock();
            // Where even the undoing failed, the next start takes the ready one.
            if (!named && DurableFiles.exists(volume.entry())) {
                drop(ready);
            }
        }
        DurableFiles.sync(folder.root());
        FolderSweep.deleteTree(old, host);
    }

    private static void moveOrUndo(Path ready, Path entry, Path old) throws IOException {
        try {
            DurableFiles.move(ready, entry);
        } catch (IOException e) {
            DurableFiles.move(old, entry);
            throw e;
        }
    }

    /** Does nothing if the volume is gone. */
    void remove(VolumeId id) throws ProviderException {
        var found = catalog.find(id);
        if (found.isEmpty()) {
            return;
        }
        var volume = found.get();
        catalog.refuseWhileAttached(volume);
        if (shelf.hasAny(id)) {
            throw new ProviderException(new ProviderError.Conflict(id.toString(), "it has snapshots"));
        }
        var gone = volume.folder().work(id, FolderSweep.GONE);
        try {
            FolderSweep.deleteTree(gone, host);
            DurableFiles.move(volume.entry(), gone);
            DurableFiles.sync(volume.folder().root());
            Files.deleteIfExists(volume.folder().origin(id));
            FolderSweep.deleteTree(gone, host);
        } catch (IOException e) {
            throw Failures.of("removing " + id, volume.entry(), e);
        }
    }

    private HostCalls host() {
        return host.orElseThrow(() -> new AssertionError("only with host calls is a volume not copied"));
    }
}
