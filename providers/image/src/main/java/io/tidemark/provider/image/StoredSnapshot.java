package io.tidemark.provider.image;

import io.tidemark.spi.Snapshot;
import java.nio.file.Path;

/**
 * One snapshot as it lies on disk.
 *
 * @param entry in the folder's snapshots: a file, or a read-only subvolume
 * @param image the file with the bytes
 * @param method how it was taken
 */
record StoredSnapshot(Snapshot snapshot, ImageFolder folder, Path entry, Path image, CutMethod method) {
    boolean isSubvolume() {
        return !entry.equals(image);
    }
}
