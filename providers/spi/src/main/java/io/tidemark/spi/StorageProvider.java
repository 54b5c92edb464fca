package io.tidemark.spi;

import java.util.List;
import java.util.Optional;

/**
 * A kind of storage that can take snapshots.
 *
 * <p>Two moments matter: the <em>cut</em> fixes the point in time, after which writers may go on; later the snapshot
 * becomes <em>readable</em>. Local storage reaches both at once.
 *
 * <p>Methods block until the storage has answered (never for minutes: long work answers a {@link Step.Running} with a
 * handle), and are never called on an event loop. One instance is called from several threads at once. A method that
 * throws has changed nothing, except where its own description says otherwise. Providers do not retry: the caller
 * does, from {@link ProviderError}. Every request is idempotent by the id of what it makes.
 */
public interface StorageProvider extends AutoCloseable {

    /** Lower-case name used in configuration, ids and URLs. Never changes. */
    String name();

    /** All volumes this instance manages, in order of id. */
    List<Volume> volumes() throws ProviderException;

    /** @throws ProviderException VolumeNotFound */
    Volume volume(VolumeId volume) throws ProviderException;

    /**
     * Makes a volume that reads as zeros. Asking again with the same size answers the existing one while it has no
     * snapshots; another size is {@code VolumeExists}. Needs {@link Capability#CREATE}.
     *
     * @param sizeBytes a positive multiple of 512
     * @throws ProviderException VolumeExists, OutOfSpace; Busy where it takes long: then it is being made, and whoever asks
     *     again once it is whole is answered it
     */
    Volume create(VolumeId volume, long sizeBytes) throws ProviderException;

    /**
     * As {@link #create}, for who follows long work to its end: some storage gives out what somebody else has written, and
     * has to write zeros first. Until it is whole the volume is not listed, and a crash leaves nothing of it.
     *
     * @throws ProviderException VolumeExists, OutOfSpace
     */
    default Step<Volume> startCreate(VolumeId volume, long sizeBytes) throws ProviderException {
        return new Step.Done<>(create(volume, sizeBytes));
    }

    /**
     * Removes a volume that has no snapshots; does nothing if it is gone.
     *
     * @throws ProviderException Busy when it is mounted or attached, Conflict when it has snapshots
     */
    void remove(VolumeId volume) throws ProviderException;

    /**
     * What cutting these volumes now would cost and be. Changes nothing; asked before the freeze.
     *
     * @throws ProviderException VolumeNotFound
     */
    CutForecast forecast(List<VolumeId> volumes) throws ProviderException;

    /**
     * Does ahead of the freeze whatever makes the cut shorter (flushing dirty pages, records of the
     * snapshots to be); changes nothing that is seen.
     *
     * @throws ProviderException VolumeNotFound; OutOfSpace where it is clear already that the cut cannot fit
     */
    void prepare(CutRequest request) throws ProviderException;

    /**
     * Cuts all volumes of the request; returns when writers may go on. Asking again for the same recovery point
     * answers the snapshots that exist and cuts only what lacks one. Runs while file systems are frozen: it starts no
     * program and writes only to the volume's own storage.
     *
     * <p>A failure may leave some of the request's snapshots behind; they carry the recovery point's id, and
     * {@link #snapshots} finds them.
     *
     * @throws ProviderException VolumeNotFound, OutOfSpace, Busy
     */
    Cut cut(CutRequest request) throws ProviderException;

    /** @throws ProviderException SnapshotNotFound */
    Readiness readiness(SnapshotId snapshot) throws ProviderException;

    /** Snapshots taken through this SPI, paged in order of id. */
    SnapshotPage snapshots(SnapshotQuery query) throws ProviderException;

    /** @throws ProviderException SnapshotNotFound, Corrupt */
    SnapshotReader read(SnapshotId snapshot) throws ProviderException;

    /**
     * Ranges whose bytes may differ between two snapshots of one volume. Where sizes differ, the bytes past the
     * smaller end are named.
     *
     * @throws ProviderException SnapshotNotFound
     */
    ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException;

    /** Ranges that may hold anything but zeros: what a first copy must read. */
    ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException;

    /** Makes a writable volume from a snapshot. Needs {@link Capability#CLONE}. */
    Step<Volume> clone(CloneRequest request) throws ProviderException;

    /**
     * Puts the volume back to the snapshot, atomically: a crash leaves the old content or the snapshot's. Storage that can
     * only copy goes on copying at its next start; until that is at its end every use of the volume is Busy. Snapshots,
     * newer ones too, stay. Needs {@link Capability#ROLLBACK}.
     *
     * @throws ProviderException Busy when the volume is mounted or attached; OutOfSpace where its other snapshots could not
     *     keep what is overwritten
     */
    Step<Volume> rollback(SnapshotId snapshot) throws ProviderException;

    /**
     * Whether {@link #rollback} would refuse the volume because somebody has it open; changes nothing. Asked of all volumes
     * of a recovery point before any is put back, for one that cannot be would leave them of two times. It promises
     * nothing: whoever opens the volume afterwards is found by the rollback itself.
     *
     * @throws ProviderException Busy, naming who has it open; VolumeNotFound
     */
    void refuseWhileOpen(VolumeId volume) throws ProviderException;

    /**
     * Opens a volume for writing from outside, as a replication target does.
     *
     * @throws ProviderException Busy when it is mounted, attached, or open for writing already
     */
    VolumeWriter write(VolumeId volume) throws ProviderException;

    /** Keeps the snapshot from being deleted through this SPI until released; durable; twice is once. */
    void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException;

    /** Does nothing if there is no such hold. */
    void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException;

    /**
     * Deletes a snapshot; done at once if it is already gone.
     *
     * @throws ProviderException Held
     */
    Step<Boolean> delete(SnapshotId snapshot) throws ProviderException;

    /** Continues what a crash interrupted; the result's type is that of the call that gave the handle. */
    Step<?> resume(Handle handle) throws ProviderException;

    /**
     * A rare ability, by its interface ({@link SnapshotLocks}, {@link SnapshotArchives}, ...); empty where this storage has it
     * not. A provider has it itself, or answers the part of it that has.
     */
    default <T> Optional<T> ability(Class<T> type) {
        return type.isInstance(this) ? Optional.of(type.cast(this)) : Optional.empty();
    }

    /** Ends every reader and writer still open. */
    @Override
    void close();
}
