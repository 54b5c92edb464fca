package io.tidemark.provider.image;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.provider.devices.LongWork;
import io.tidemark.provider.devices.VolumeLocks;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Raw image files in folders, as volumes. What a volume can do depends on the file system under it: on Btrfs each has a
 * subvolume of its own, which is snapshotted in constant time; on other file systems with shared extents the file is
 * cloned; elsewhere it is copied.
 */
final class ImageProvider implements StorageProvider {
    private static final String CLONE = "clone";
    private static final String ROLLBACK = "rollback";

    private final ImageCatalog catalog;
    private final SnapshotShelf shelf;
    private final Uses uses = new Uses();
    private final VolumeLocks locks = new VolumeLocks();
    private final Cutting cutting;
    private final ChangeFinder changes;
    private final VolumeMaking making;
    private final LongWork work = new LongWork(ImageNames.PROVIDER);

    private ImageProvider(ImageConfig config, ImageHost host, List<ImageFolder> folders) {
        this.catalog = new ImageCatalog(folders, host.calls(), host.loops(), config.changes());
        this.shelf = new SnapshotShelf(folders);
        this.cutting = new Cutting(catalog, shelf, uses, host.clock(), host.nanos());
        this.changes = new ChangeFinder(shelf, host.calls(), host.commands(), config.changes(), uses);
        this.making = new VolumeMaking(catalog, shelf, host.clock());
    }

    /** Locks and sweeps every folder. */
    static ImageProvider open(ImageConfig config, ImageHost host) throws ProviderException {
        var folders = new ArrayList<ImageFolder>();
        try {
            for (var folder : config.folders()) {
                folders.add(ImageFolder.open(folder, host.calls(), host.commands()));
            }
            return new ImageProvider(config, host, folders);
        } catch (ProviderException | RuntimeException e) {
            folders.forEach(ImageFolder::close);
            throw e;
        }
    }

    @Override
    public String name() {
        return ImageNames.PROVIDER;
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return catalog.list();
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return catalog.describe(catalog.get(volume));
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        try (var held = locks.hold(List.of(volume))) {
            return catalog.describe(making.create(volume, sizeBytes));
        }
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        try (var held = locks.hold(List.of(volume))) {
            uses.refuseWhileWritten(volume);
            making.remove(volume);
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        return cutting.forecast(volumes);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        try (var held = locks.hold(request.volumes())) {
            cutting.prepare(request);
        }
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        try (var held = locks.hold(request.volumes())) {
            return cutting.cut(request);
        }
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        shelf.get(snapshot);
        return new Readiness.Ready();
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return shelf.page(query);
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        return ImageSnapshotReader.open(shelf.get(snapshot), uses);
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        return changes.between(older, newer);
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        return changes.allocated(snapshot);
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        return clone(request, LongWork.Asked.ANEW);
    }

    private Step<Volume> clone(CloneRequest request, LongWork.Asked asked) throws ProviderException {
        if (!making.copies(request.snapshot())) {
            return new Step.Done<>(cloned(request, copied -> {}));
        }
        var token = CLONE + " " + request.snapshot() + " " + request.name();
        return work.run(token, asked, making.copyBytes(request.snapshot()), copied -> cloned(request, copied));
    }

    private Volume cloned(CloneRequest request, LongConsumer copied) throws ProviderException {
        try (var held = locks.hold(List.of(request.name(), request.snapshot().volume()))) {
            return catalog.describe(making.clone(request, copied));
        }
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        return rollback(snapshot, LongWork.Asked.ANEW);
    }

    private Step<Volume> rollback(SnapshotId snapshot, LongWork.Asked asked) throws ProviderException {
        if (!making.copies(snapshot)) {
            return new Step.Done<>(rolledBack(snapshot, copied -> {}));
        }
        var token = ROLLBACK + " " + snapshot;
        return work.run(token, asked, making.copyBytes(snapshot), copied -> rolledBack(snapshot, copied));
    }

    private Volume rolledBack(SnapshotId snapshot, LongConsumer copied) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            uses.refuseWhileWritten(snapshot.volume());
            return catalog.describe(making.rollback(snapshot, copied));
        }
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        uses.refuseWhileWritten(volume);
        catalog.refuseWhileAttached(catalog.get(volume));
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        try (var held = locks.hold(List.of(volume))) {
            var found = catalog.get(volume);
            catalog.refuseWhileAttached(found);
            return ImageVolumeWriter.open(found, catalog.host(), uses);
        }
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            var folder = shelf.get(snapshot).folder();
            folder.hold(snapshot, owner);
        } catch (IOException e) {
            throw Failures.of(
                    "holding " + snapshot, catalog.folders().getFirst().root(), e);
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            for (var folder : catalog.folders()) {
                folder.release(snapshot, owner);
            }
        } catch (IOException e) {
            throw Failures.of(
                    "releasing " + snapshot, catalog.folders().getFirst().root(), e);
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            for (var folder : catalog.folders()) {
                delete(folder, snapshot);
            }
            return new Step.Done<>(true);
        } catch (IOException e) {
            throw Failures.of(
                    "deleting " + snapshot, catalog.folders().getFirst().root(), e);
        }
    }

    /** The bytes first, the record last: what a crash leaves between the two is swept. */
    private void delete(ImageFolder folder, SnapshotId snapshot) throws IOException, ProviderException {
        var owners = folder.holders(snapshot);
        if (!owners.isEmpty()) {
            throw new ProviderException(new ProviderError.Held(snapshot, owners));
        }
        uses.refuseWhilePinned(snapshot);
        FolderSweep.deleteTree(folder.snapshotSubvolume(snapshot), catalog.host());
        FolderSweep.deleteTree(folder.snapshotFile(snapshot), catalog.host());
        DurableFiles.sync(folder.snapshots());
        Files.deleteIfExists(folder.snapshotRecord(snapshot));
    }

    /** A handle says what to do; work of this process is joined, that of one before is done again from its beginning. */
    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        var words = handle.token().split(" ", -1);
        try {
            if (words.length == 3 && words[0].equals(CLONE)) {
                return clone(
                        new CloneRequest(SnapshotId.parse(words[1]), new VolumeId(words[2])), LongWork.Asked.AGAIN);
            }
            if (words.length == 2 && words[0].equals(ROLLBACK)) {
                return rollback(SnapshotId.parse(words[1]), LongWork.Asked.AGAIN);
            }
        } catch (IllegalArgumentException e) {
            throw new ProviderException(new ProviderError.Unexpected("resume", String.valueOf(e.getMessage())), e);
        }
        throw new ProviderException(new ProviderError.Unexpected("resume", "no work is called " + handle.token()));
    }

    @Override
    public void close() {
        work.close();
        for (var open : uses.open()) {
            try {
                open.close();
            } catch (Exception e) {
                System.getLogger(ImageProvider.class.getName())
                        .log(System.Logger.Level.WARNING, "image.close_failed reason={0}", e.getMessage());
            }
        }
        catalog.folders().forEach(ImageFolder::close);
    }
}
