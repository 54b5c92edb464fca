package io.tidemark.spi;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What a provider can do besides whose volumes have {@link Capability#FILES}: carry a snapshot to a volume of another
 * storage of the same kind, as that storage's own send stream. Both volumes may be of one storage, too.
 */
public interface SnapshotStreams {

    /** Lower-case name of the kind of stream; only equal ones understand each other. Never changes. */
    String format();

    /**
     * Begins the stream of all that a snapshot has, or of what it has and an older one of its volume has not. The same
     * snapshots give the same bytes again, unless the storage was reorganised meanwhile: who goes on in the middle
     * checks that the beginning is the same. Neither snapshot is deleted while the stream is open: {@code Busy}.
     *
     * @throws ProviderException SnapshotNotFound; Conflict where the volume has blocks
     */
    Outgoing send(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException;

    /**
     * Begins to take a stream in as a snapshot of a volume that is here. Until {@link Incoming#finish} the snapshot is
     * not listed and the volume is as it was, after a death too. What an earlier try left is removed. Snapshots that are
     * here stay, also those that came after the older one.
     *
     * @param older the snapshot of the volume that the stream builds upon, any of them; empty: the stream is whole, whatever
     *     there is
     * @throws ProviderException VolumeNotFound; SnapshotNotFound of the older; Conflict where the snapshot is here already
     */
    Incoming receive(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException;

    /**
     * How it is known that somebody has changed the volume's files since the snapshot that it stands at; empty when
     * nobody has. Times of last access do not count.
     *
     * @param stands empty: whether the volume has any file at all
     * @throws ProviderException VolumeNotFound, SnapshotNotFound
     */
    Optional<String> changedSince(VolumeId volume, Optional<RecoveryPointId> stands) throws ProviderException;

    /** One snapshot on its way out. One thread. Closing it twice is closing it once. */
    interface Outgoing extends AutoCloseable {

        /**
         * Reads what fits, at least one byte.
         *
         * @return how many bytes, -1 at the stream's end
         * @throws ProviderException when the storage gave up: then nothing that was read may be used
         */
        int read(ByteBuffer into) throws ProviderException;

        @Override
        void close() throws ProviderException;
    }

    /** One snapshot on its way in. One thread. Closing it unfinished removes what has come; twice is once. */
    interface Incoming extends AutoCloseable {

        /** @throws ProviderException OutOfSpace; Corrupt where the bytes are no stream of this kind, or of another base */
        void write(ByteBuffer from) throws ProviderException;

        /**
         * To be called at the stream's end. On return the snapshot is there, whole and durable. The volume's files are
         * the snapshot's or what they were before: {@link StorageProvider#rollback} makes sure of the former.
         *
         * @throws ProviderException Corrupt where the stream ended early, or the snapshot is not what it tells
         */
        Snapshot finish() throws ProviderException;

        @Override
        void close() throws ProviderException;
    }
}
