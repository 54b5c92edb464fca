package io.tidemark.provider.image;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The snapshots of all folders: what is whole is listed, what is damaged says so when asked for. */
final class SnapshotShelf {
    private static final Comparator<SnapshotId> BY_ID =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);
    private static final System.Logger LOG = System.getLogger(SnapshotShelf.class.getName());

    private final List<ImageFolder> folders;

    SnapshotShelf(List<ImageFolder> folders) {
        this.folders = folders;
    }

    /** @throws ProviderException SnapshotNotFound, Corrupt */
    StoredSnapshot get(SnapshotId snapshot) throws ProviderException {
        return find(snapshot).orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(snapshot)));
    }

    /** @throws ProviderException Corrupt */
    Optional<StoredSnapshot> find(SnapshotId snapshot) throws ProviderException {
        for (var folder : folders) {
            var found = find(folder, snapshot);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    Optional<StoredSnapshot> find(ImageFolder folder, SnapshotId snapshot) throws ProviderException {
        var record = folder.snapshotRecord(snapshot);
        try {
            var entry = folder.snapshotSubvolume(snapshot);
            var image = entry.resolve(ImageFolder.IMAGE);
            if (!DurableFiles.isFile(image)) {
                entry = folder.snapshotFile(snapshot);
                image = entry;
            }
            if (!DurableFiles.isFile(image) || !DurableFiles.isFile(record)) {
                return Optional.empty();
            }
            var read = ImageRecord.read(record);
            if (!read.snapshot().equals(snapshot)) {
                throw corrupt(snapshot, "its record is of " + read.snapshot());
            }
            long sizeBytes = Files.size(image);
            if (sizeBytes != read.sizeBytes()) {
                throw corrupt(snapshot, "it has %d bytes, %d when it was cut".formatted(sizeBytes, read.sizeBytes()));
            }
            var known = new Snapshot(snapshot, sizeBytes, read.createdAt());
            return Optional.of(new StoredSnapshot(known, folder, entry, image, read.method()));
        } catch (ImageRecord.DamagedException e) {
            throw corrupt(snapshot, String.valueOf(e.getMessage()));
        } catch (NoSuchFileException e) {
            // Deleted while we looked.
            return Optional.empty();
        } catch (IOException e) {
            throw Failures.of("looking for " + snapshot, record, e);
        }
    }

    private static ProviderException corrupt(SnapshotId snapshot, String evidence) {
        return new ProviderException(new ProviderError.Corrupt("snapshot " + snapshot, evidence));
    }

    SnapshotPage page(SnapshotQuery query) throws ProviderException {
        var after = query.cursor().map(SnapshotId::parse);
        var page = new ArrayList<Snapshot>();
        for (var id : names(query)) {
            if (after.isPresent() && BY_ID.compare(id, after.get()) <= 0) {
                continue;
            }
            var snapshot = whole(id);
            if (snapshot.isEmpty()) {
                continue;
            }
            if (page.size() == query.limit()) {
                return new SnapshotPage(page, Optional.of(page.getLast().id().toString()));
            }
            page.add(snapshot.get().snapshot());
        }
        return new SnapshotPage(page, Optional.empty());
    }

    boolean hasAny(VolumeId volume) throws ProviderException {
        return !names(SnapshotQuery.ofVolume(volume)).stream()
                .filter(id -> whole(id).isPresent())
                .toList()
                .isEmpty();
    }

    private List<SnapshotId> names(SnapshotQuery query) throws ProviderException {
        var names = new ArrayList<SnapshotId>();
        for (var folder : folders) {
            try {
                names.addAll(folder.snapshotNames());
            } catch (IOException e) {
                throw Failures.of("listing snapshots", folder.snapshots(), e);
            }
        }
        return names.stream()
                .filter(id -> query.volume().map(id.volume()::equals).orElse(true))
                .filter(id ->
                        query.recoveryPoint().map(id.recoveryPoint()::equals).orElse(true))
                .distinct()
                .sorted(BY_ID)
                .toList();
    }

    /** A damaged snapshot is not listed: nobody may build on it. */
    private Optional<StoredSnapshot> whole(SnapshotId id) {
        try {
            return find(id);
        } catch (ProviderException e) {
            LOG.log(Level.WARNING, "image.snapshot_unusable snapshot={0} reason={1}", id, e.getMessage());
            return Optional.empty();
        }
    }
}
