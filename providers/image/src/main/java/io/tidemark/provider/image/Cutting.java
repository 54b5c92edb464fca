package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Cuts volumes. The record of a snapshot is written first, and durable; then the bytes get their name, in one step that
 * the file system does wholly or not at all: with that name the snapshot exists.
 */
final class Cutting {
    private final ImageCatalog catalog;
    private final SnapshotShelf shelf;
    private final Uses uses;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final SparseCopy copies;
    private final CutCosts costs = new CutCosts();

    Cutting(ImageCatalog catalog, SnapshotShelf shelf, Uses uses, InstantSource clock, LongSupplier nanos) {
        this.catalog = catalog;
        this.shelf = shelf;
        this.uses = uses;
        this.clock = clock;
        this.nanos = nanos;
        this.copies = new SparseCopy(catalog.host());
    }

    CutForecast forecast(List<VolumeId> ids) throws ProviderException {
        var total = Duration.ZERO;
        var notes = new ArrayList<String>();
        boolean atomic = ids.size() == 1;
        for (var id : ids) {
            var volume = catalog.get(id);
            atomic &= volume.method() != CutMethod.COPY;
            long work = work(volume);
            var expected = costs.expected(volume, work);
            total = total.plus(expected);
            notes.add(costs.note(volume, work, expected));
        }
        return new CutForecast(total, atomic, notes);
    }

    /** What the method's time grows with: nothing, extents, or bytes. */
    private long work(ImageVolume volume) throws ProviderException {
        try {
            return switch (volume.method()) {
                case SUBVOLUME -> 1;
                case REFLINK -> host().extentCount(volume.image());
                case COPY -> copies.neededBytes(volume.image(), Files.size(volume.image()));
            };
        } catch (IOException e) {
            throw Failures.of("measuring " + volume.id(), volume.image(), e);
        }
    }

    private HostCalls host() {
        return catalog.host().orElseThrow(() -> new AssertionError("only with host calls is a volume not copied"));
    }

    void prepare(CutRequest request) throws ProviderException {
        var volumes = new ArrayList<ImageVolume>();
        var pending = new ArrayList<Pending>();
        for (var id : request.volumes()) {
            var volume = catalog.get(id);
            var snapshot = new SnapshotId(id, request.recoveryPoint());
            volumes.add(volume);
            if (shelf.find(volume.folder(), snapshot).isEmpty()) {
                pending.add(new Pending(volume, snapshot));
            }
        }
        // Here and not only in the cut: nothing is written, and nobody is frozen for a copy that cannot fit.
        refuseWithoutSpace(pending);
        for (var each : pending) {
            writeRecord(each.volume, each.id, sizeOf(each.volume));
        }
        var synced = new HashSet<Path>();
        for (var volume : volumes) {
            try {
                if (catalog.host().isEmpty()) {
                    DurableFiles.sync(volume.image());
                } else if (synced.add(volume.folder().root())) {
                    host().syncFileSystem(volume.image());
                }
            } catch (IOException e) {
                throw Failures.of("syncing " + volume.id(), volume.image(), e);
            }
        }
    }

    /** One volume on its way through a cut. */
    private static final class Pending {
        final ImageVolume volume;
        final SnapshotId id;
        long startedNanos;
        long finishedNanos;

        Pending(ImageVolume volume, SnapshotId id) {
            this.volume = volume;
            this.id = id;
        }

        Path unfinished() {
            var file = volume.folder().snapshotFile(id);
            return file.resolveSibling(DurableFiles.nameOf(file) + DurableFiles.UNFINISHED);
        }
    }

    Cut cut(CutRequest request) throws ProviderException {
        var present = new HashMap<VolumeId, Snapshot>();
        var pending = new ArrayList<Pending>();
        for (var id : request.volumes()) {
            var volume = catalog.get(id);
            var snapshot = new SnapshotId(id, request.recoveryPoint());
            var existing = shelf.find(volume.folder(), snapshot);
            if (existing.isPresent()) {
                present.put(id, existing.get().snapshot());
            } else {
                pending.add(new Pending(volume, snapshot));
            }
        }
        refuseWithoutSpace(pending);
        for (var each : pending) {
            ensureRecord(each);
        }
        try {
            for (var each : pending) {
                take(each);
            }
            publish(pending);
        } finally {
            deleteUnfinished(pending);
        }
        return answer(request, present, pending);
    }

    private Cut answer(CutRequest request, Map<VolumeId, Snapshot> present, List<Pending> pending)
            throws ProviderException {
        var members = new ArrayList<Cut.Member>();
        for (var each : pending) {
            members.add(new Cut.Member(settled(each), each.startedNanos, each.finishedNanos));
        }
        for (var volume : request.volumes()) {
            var existing = present.get(volume);
            if (existing != null) {
                // Cut by an earlier call: 0 lies before any freeze, so nobody takes it for an instant of this one.
                members.add(new Cut.Member(existing, 0, 0));
            }
        }
        boolean copied = pending.stream().anyMatch(each -> each.volume.method() == CutMethod.COPY);
        return new Cut(members.size() == 1 && !copied, members);
    }

    private void refuseWithoutSpace(List<Pending> pending) throws ProviderException {
        var needed = new HashMap<ImageFolder, Long>();
        for (var each : pending) {
            if (each.volume.method() == CutMethod.COPY) {
                needed.merge(each.volume.folder(), work(each.volume), Long::sum);
            }
        }
        for (var folder : needed.entrySet()) {
            long free = Failures.freeBytes(folder.getKey().snapshots());
            if (free < folder.getValue()) {
                throw new ProviderException(
                        new ProviderError.OutOfSpace(folder.getKey().root().toString(), free, folder.getValue()));
            }
        }
    }

    /** Usually written by {@link #prepare}; the image may have grown since. */
    private void ensureRecord(Pending each) throws ProviderException {
        long sizeBytes = sizeOf(each.volume);
        var file = each.volume.folder().snapshotRecord(each.id);
        try {
            if (DurableFiles.isFile(file)) {
                var record = ImageRecord.read(file);
                if (record.snapshot().equals(each.id)
                        && record.sizeBytes() == sizeBytes
                        && record.method() == each.volume.method()) {
                    return;
                }
            }
        } catch (ImageRecord.DamagedException e) {
            // Left by a crash or a bad disk before there was any snapshot: written anew below.
            System.getLogger(Cutting.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "image.record_replaced path={0} reason={1}",
                            file,
                            e.getMessage());
        } catch (IOException e) {
            throw Failures.of("reading the record of " + each.id, file, e);
        }
        writeRecord(each.volume, each.id, sizeBytes);
    }

    private void writeRecord(ImageVolume volume, SnapshotId id, long sizeBytes) throws ProviderException {
        var record = new ImageRecord(ImageRecord.Kind.SNAPSHOT, id, sizeBytes, clock.instant(), volume.method());
        var file = volume.folder().snapshotRecord(id);
        try {
            DurableFiles.write(file, record.encode());
        } catch (IOException e) {
            throw Failures.of("writing the record of " + id, file, e);
        }
    }

    /** Fixes the point in time. */
    private void take(Pending each) throws ProviderException {
        var volume = each.volume;
        try {
            each.startedNanos = nanos.getAsLong();
            switch (volume.method()) {
                case SUBVOLUME ->
                    host().btrfsSnapshot(volume.entry(), volume.folder().snapshotSubvolume(each.id), true);
                case REFLINK -> host().reflink(volume.image(), each.unfinished());
                case COPY -> copyHeld(each);
            }
            each.finishedNanos = nanos.getAsLong();
        } catch (IOException e) {
            throw Failures.of("cutting " + volume.id(), volume.image(), e);
        }
    }

    /** A writer of this process waits meanwhile; whoever else writes must be frozen, or the copy is of no one instant. */
    private void copyHeld(Pending each) throws IOException {
        Optional<ImageVolumeWriter> writer = uses.writer(each.volume.id());
        if (writer.isPresent()) {
            synchronized (writer.get()) {
                copies.copy(each.volume.image(), each.unfinished(), bytes -> {});
            }
        } else {
            copies.copy(each.volume.image(), each.unfinished(), bytes -> {});
        }
    }

    private void publish(List<Pending> pending) throws ProviderException {
        var folders = new HashSet<ImageFolder>();
        for (var each : pending) {
            if (each.volume.method() == CutMethod.SUBVOLUME) {
                continue;
            }
            var file = each.volume.folder().snapshotFile(each.id);
            try {
                DurableFiles.sync(each.unfinished());
                Files.setPosixFilePermissions(each.unfinished(), PosixFilePermissions.fromString("r--------"));
                DurableFiles.move(each.unfinished(), file);
                folders.add(each.volume.folder());
            } catch (IOException e) {
                throw Failures.of("publishing " + each.id, file, e);
            }
        }
        for (var folder : folders) {
            try {
                DurableFiles.sync(folder.snapshots());
            } catch (IOException e) {
                throw Failures.of("publishing in " + folder.root(), folder.snapshots(), e);
            }
        }
    }

    private void deleteUnfinished(List<Pending> pending) {
        for (var each : pending) {
            try {
                if (each.volume.method() != CutMethod.SUBVOLUME) {
                    Files.deleteIfExists(each.unfinished());
                }
            } catch (IOException e) {
                System.getLogger(Cutting.class.getName())
                        .log(
                                System.Logger.Level.WARNING,
                                "image.left_behind path={0} effect=\"swept at the next start\"",
                                each.unfinished());
            }
        }
    }

    /** The snapshot as it is now on disk; an image that grew between record and cut gets a true record. */
    private Snapshot settled(Pending each) throws ProviderException {
        var folder = each.volume.folder();
        var image = each.volume.method() == CutMethod.SUBVOLUME
                ? folder.snapshotSubvolume(each.id).resolve(ImageFolder.IMAGE)
                : folder.snapshotFile(each.id);
        try {
            long sizeBytes = Files.size(image);
            var record = ImageRecord.read(folder.snapshotRecord(each.id));
            if (record.sizeBytes() != sizeBytes) {
                writeRecord(each.volume, each.id, sizeBytes);
            }
            long took = each.finishedNanos - each.startedNanos;
            costs.measured(each.volume, measuredWork(each, sizeBytes), Duration.ofNanos(took));
            Instant createdAt = ImageRecord.read(folder.snapshotRecord(each.id)).createdAt();
            return new Snapshot(each.id, sizeBytes, createdAt);
        } catch (IOException e) {
            throw Failures.of("checking " + each.id, image, e);
        }
    }

    private long measuredWork(Pending each, long sizeBytes) {
        return costs.announced(each.volume.id()).orElse(each.volume.method() == CutMethod.COPY ? sizeBytes : 1);
    }

    private static long sizeOf(ImageVolume volume) throws ProviderException {
        try {
            return Files.size(volume.image());
        } catch (IOException e) {
            throw Failures.of("measuring " + volume.id(), volume.image(), e);
        }
    }
}
