package io.tidemark.spi;

import java.nio.file.Path;

/** What a provider can do besides whose volumes have {@link Capability#FILES}: show the files of a snapshot. */
public interface FileTrees {

    /**
     * Makes the files of a snapshot seen on this host, read-only, at least until the tree is closed. A snapshot whose
     * tree is open is not deleted: {@code Busy}.
     *
     * @throws ProviderException SnapshotNotFound; Conflict where its volume has blocks
     */
    SnapshotTree tree(SnapshotId snapshot) throws ProviderException;

    /** Files of one snapshot. Closing it twice is closing it once. */
    interface SnapshotTree extends AutoCloseable {

        /** The folder that is the volume's root. */
        Path root();

        @Override
        void close() throws ProviderException;
    }
}
