package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.ChainRecord.Content;
import io.tidemark.provider.ebs.ChainRecord.Sealed;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * One volume that is no volume at Amazon but a chain of snapshots: what is written since the last cut lies in the overlay on
 * this host, what was cut and is not uploaded yet in sealed layers below it, the rest in the base, a snapshot. Its files are a
 * folder: {@code chain} and two a layer.
 *
 * <p>Safe for several threads; one lock, never held while Amazon is asked.
 */
final class Chain implements AutoCloseable {
    static final String RECORD = "chain";
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;
    private static final Duration WRITER_RETRY = Duration.ofSeconds(5);

    private final StagingFiles files;
    private final Path folder;
    private final VolumeId id;
    private final NavigableMap<Integer, ChainLayer> layers = new TreeMap<>();
    private ChainRecord record;
    private boolean written;
    private boolean removed;

    private Chain(StagingFiles files, Path folder, VolumeId id, ChainRecord record) {
        this.files = files;
        this.folder = folder;
        this.id = id;
        this.record = record;
    }

    /**
     * Makes a new one, which exists when its folder has its name.
     *
     * @param begun a name for the folder until then; what is in it is deleted
     */
    static Chain make(StagingFiles files, Path begun, Path folder, VolumeId id, ChainRecord record)
            throws ProviderException {
        files.makeFolder(begun);
        for (var each : files.list(begun)) {
            files.delete(each);
        }
        ChainLayer.make(files, begun, record.overlay(), record.sizeBytes()).close();
        files.replace(begun.resolve(RECORD), record.toBytes());
        files.nameFolder(begun, folder);
        return open(files, folder, id, record);
    }

    /**
     * Deletes what a process that died has left of layers that are no more.
     *
     * @throws ProviderException Corrupt where a layer's files are not what they were; then nothing is deleted
     */
    static Chain open(StagingFiles files, Path folder, VolumeId id, ChainRecord record) throws ProviderException {
        var chain = new Chain(files, folder, id, record);
        var needed = new HashSet<Path>();
        needed.add(folder.resolve(RECORD));
        try {
            for (var sealed : record.sealed()) {
                chain.load(sealed.number(), Optional.of(sealed.content()), needed);
            }
            chain.load(record.overlay(), Optional.empty(), needed);
        } catch (ProviderException e) {
            chain.close();
            throw e;
        }
        for (var each : files.list(folder)) {
            if (!needed.contains(each)) {
                files.delete(each);
            }
        }
        return chain;
    }

    private void load(int number, Optional<Content> sealed, Set<Path> needed) throws ProviderException {
        layers.put(number, ChainLayer.open(files, folder, number, record.sizeBytes(), sealed));
        needed.add(ChainLayer.data(folder, number));
        needed.add(ChainLayer.blocks(folder, number));
    }

    VolumeId id() {
        return id;
    }

    long sizeBytes() {
        return record().sizeBytes();
    }

    synchronized ChainRecord record() {
        return record;
    }

    private void keep(ChainRecord next) throws ProviderException {
        files.replace(folder.resolve(RECORD), next.toBytes());
        record = next;
    }

    /** Replaces the record by what is made of it as it is now. */
    synchronized ChainRecord update(UnaryOperator<ChainRecord> change) throws ProviderException {
        var next = change.apply(record);
        if (!next.equals(record)) {
            keep(next);
        }
        return record;
    }

    synchronized List<Snapshot> snapshots() {
        var found = new ArrayList<Snapshot>();
        record.sealed().forEach(each -> each.point().ifPresent(point -> found.add(snapshot(point, each))));
        return found;
    }

    private Snapshot snapshot(RecoveryPointId point, Sealed layer) {
        return new Snapshot(new SnapshotId(id, point), record.sizeBytes(), layer.cutAt());
    }

    synchronized void flush() throws ProviderException {
        overlay().flush();
    }

    /** Seals the overlay; one that is sealed for the recovery point already is answered. */
    synchronized Snapshot cut(RecoveryPointId point, Instant now) throws ProviderException {
        refuseRemoved();
        var existing = record.sealedOf(point);
        if (existing.isPresent()) {
            return snapshot(point, existing.get());
        }
        overlay().flush();
        var next = record.cut(point, now, overlay().content());
        // Made before the record names it; what a process that dies here leaves is empty.
        var fresh = ChainLayer.make(files, folder, next.overlay(), next.sizeBytes());
        try {
            keep(next);
        } catch (ProviderException e) {
            fresh.close();
            throw e;
        }
        layers.put(next.overlay(), fresh);
        return snapshot(point, record.sealedOf(point).orElseThrow());
    }

    /** @return whether there was such a layer; its blocks are then part of the next one's */
    synchronized boolean drop(SnapshotId snapshot) throws ProviderException {
        var layer = record.sealedOf(snapshot.recoveryPoint());
        if (layer.isEmpty()) {
            return false;
        }
        if (!layer.get().holds().isEmpty()) {
            throw new ProviderException(
                    new ProviderError.Held(snapshot, layer.get().holds()));
        }
        keep(record.dropped(layer.get()));
        return true;
    }

    /** @return whether there is such a layer */
    synchronized boolean hold(SnapshotId snapshot, HoldOwner owner, boolean on) throws ProviderException {
        var layer = record.sealedOf(snapshot.recoveryPoint());
        if (layer.isEmpty()) {
            return false;
        }
        var owners = new HashSet<>(layer.get().holds());
        if (on ? owners.add(owner) : owners.remove(owner)) {
            if (owners.size() > EbsNames.HOLDS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.toString(),
                        "it has %d holds, which become tags, and Amazon allows no more: release one"
                                .formatted(EbsNames.HOLDS_MAXIMUM)));
            }
            keep(record.replaced(layer.get().held(owners)));
        }
        return true;
    }

    /**
     * The layer, with all below it, lies at Amazon now, and its holds do.
     *
     * @return whether it is still the same attempt, with the same holds
     */
    synchronized boolean completed(Sealed layer, String cloudId) throws ProviderException {
        var current = record.current(layer);
        if (current.isEmpty() || !current.get().holds().equals(layer.holds())) {
            return false;
        }
        keep(record.completed(layer, cloudId));
        var done = new ArrayList<>(layers.headMap(layer.number(), true).values());
        layers.headMap(layer.number(), true).clear();
        for (var each : done) {
            each.delete();
        }
        return true;
    }

    /** Blocks that any layer up to a number has, above another. */
    synchronized BitSet blocks(int above, int upTo) {
        var set = new BitSet();
        if (upTo > above) {
            layers.subMap(above, false, upTo, true).values().forEach(each -> each.addTo(set));
        }
        return set;
    }

    /** The sealed layers up to one, the highest first, to be read and closed by the caller. */
    synchronized List<ChainLayer> sealedAgain(int upTo) throws ProviderException {
        var found = new ArrayList<ChainLayer>();
        try {
            for (var each : layers.headMap(upTo, true).descendingMap().values()) {
                found.add(each.again());
            }
        } catch (ProviderException e) {
            for (var each : found) {
                each.close();
            }
            throw e;
        }
        return found;
    }

    /** Takes the one place of a writer. */
    synchronized void beginWriting() throws ProviderException {
        refuseRemoved();
        if (written) {
            throw new ProviderException(
                    new ProviderError.Busy(id.toString(), "a writer of this process", WRITER_RETRY));
        }
        written = true;
    }

    synchronized void endWriting() {
        written = false;
    }

    synchronized boolean isWritten() {
        return written;
    }

    /**
     * Writes within one block.
     *
     * @return false where the overlay lacks the block's other bytes: then nothing was written
     */
    synchronized boolean put(int index, int within, ByteBuffer bytes) throws ProviderException {
        long blockEnd = Math.min((index + 1L) * BLOCK, record.sizeBytes());
        boolean whole = within == 0 && (long) index * BLOCK + bytes.remaining() == blockEnd;
        if (!whole && !overlay().hasBytes(index)) {
            return false;
        }
        overlay().put(index, within, bytes);
        return true;
    }

    /** A block of which the overlay may lack bytes, all of it. */
    synchronized void putWhole(int index, byte[] block) throws ProviderException {
        overlay().put(index, 0, ByteBuffer.wrap(block));
    }

    synchronized void putZeros(int index) throws ProviderException {
        boolean unwritten = record.base().isEmpty() && layers.values().stream().noneMatch(each -> each.has(index));
        if (!unwritten) {
            overlay().putZeros(index);
        }
    }

    /** @return whether a layer has the block; else it is the base's, or zeros where there is none, and nothing was read */
    synchronized boolean readStaged(int index, int within, ByteBuffer target) throws ProviderException {
        return read(layers.descendingMap().values(), index, within, target);
    }

    static boolean read(Iterable<ChainLayer> highestFirst, int index, int within, ByteBuffer target)
            throws ProviderException {
        for (var layer : highestFirst) {
            if (layer.has(index)) {
                layer.read(index, within, target);
                return true;
            }
        }
        return false;
    }

    private ChainLayer overlay() {
        return layers.lastEntry().getValue();
    }

    private void refuseRemoved() throws ProviderException {
        if (removed) {
            throw new ProviderException(new ProviderError.VolumeNotFound(id));
        }
    }

    synchronized void remove() throws ProviderException {
        refuseRemoved();
        for (var each : layers.values()) {
            each.close();
        }
        files.deleteFolder(folder);
        removed = true;
    }

    @Override
    public synchronized void close() throws ProviderException {
        for (var each : layers.values()) {
            each.close();
        }
    }
}
