package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.ListedRanges;
import io.tidemark.provider.devices.OpenDevices;
import io.tidemark.provider.devices.Storage;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Classic volumes: each snapshot's store tells what its origin has lost since. */
record ClassicKind(String group, ClassicStores stores, ClassicSpace space, Vanished vanished) implements VolumeKind {
    /** A classic snapshot has no snapshots, and so no clones. */
    static final Set<Capability> CAPABILITIES = Set.of(
            Capability.INSTANT_SNAPSHOT,
            Capability.ATOMIC_GROUP,
            Capability.TRACKED_CHANGES,
            Capability.CHANGED_RANGES,
            Capability.RANDOM_READ,
            Capability.RANDOM_WRITE,
            Capability.ROLLBACK,
            Capability.HOLDS,
            Capability.CREATE);

    private static final String SOURCE = "dm-snapshot";

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public Map<String, String> facts(LogicalVolume volume) {
        return ClassicRollback.restoring(volume)
                .map(point -> Map.of("rollback", "to %s, not at its end".formatted(point)))
                .orElse(Map.of());
    }

    /** Active with its origin; to activate that is not a reader's business, nor to end it. */
    @Override
    public OpenDevices.Activation activation(LogicalVolume snapshot) {
        return new OpenDevices.Activation() {
            @Override
            public void begin() throws ProviderException {
                if (!snapshot.active()) {
                    throw new ProviderException(
                            ClassicStores.inactive(group, snapshot.store().origin()));
                }
            }

            @Override
            public void end() {}
        };
    }

    @Override
    public Storage storage(LvmCatalog catalog, LogicalVolume volume) {
        return new Storage() {
            @Override
            public int granuleBytes() {
                return ClassicSpace.CHUNK_BYTES;
            }

            @Override
            public boolean discard(Path device, BlockRange granules) {
                // Zeros are written: what is discarded need not read as such.
                return false;
            }
        };
    }

    /**
     * Both stores, for nothing but clocks says which of the two was cut first: what has changed since the first one has in
     * it what has changed since the second.
     */
    @Override
    public ChangedRanges changed(LvmCatalog catalog, Entry<SnapshotId> older, Entry<SnapshotId> newer)
            throws ProviderException {
        if (!older.on().store().origin().equals(newer.on().store().origin())) {
            throw new ProviderException(
                    new ProviderError.Conflict(newer.id().toString(), "it is of another volume than " + older.id()));
        }
        return vanished.confirmed(List.of(older, newer), () -> joined(older, newer));
    }

    private ChangedRanges joined(Entry<SnapshotId> older, Entry<SnapshotId> newer) throws ProviderException {
        var first = changedSince(older);
        var second = changedSince(newer);
        long sizeBytes = Math.max(older.sizeBytes(), newer.sizeBytes());
        var joined = Ranges.joined(List.of(first.ranges(), second.ranges()), sizeBytes);
        // Past the smaller end whatever there is has come since.
        long smaller = Math.min(older.sizeBytes(), newer.sizeBytes());
        if (smaller < sizeBytes) {
            joined = Ranges.joined(List.of(joined, List.of(new BlockRange(smaller, sizeBytes - smaller))), sizeBytes);
        }
        return new ListedRanges(SOURCE, Math.max(first.chunkBytes(), second.chunkBytes()), joined);
    }

    private record Since(int chunkBytes, List<BlockRange> ranges) {}

    private Since changedSince(Entry<SnapshotId> snapshot) throws ProviderException {
        return stores.reading(snapshot.on(), bytes -> {
            var store = ExceptionStore.open("snapshot " + snapshot.id(), bytes);
            return new Since(
                    store.chunkBytes(), store.changed(snapshot.on().store().originBytes()));
        });
    }

    /** All of it: nothing says what of a classic volume was never written. */
    @Override
    public ChangedRanges allocated(LvmCatalog catalog, Entry<SnapshotId> snapshot) {
        return new ListedRanges(SOURCE, ClassicSpace.CHUNK_BYTES, List.of(new BlockRange(0, snapshot.sizeBytes())));
    }

    @Override
    public List<String> notes(LvmCatalog catalog, List<VolumeId> volumes) throws ProviderException {
        var notes = new ArrayList<String>();
        for (var volume : volumes) {
            var origin = catalog.get(volume).on();
            var stores = space.notes(catalog, origin);
            notes.add("%s: a classic snapshot with a store of %d bytes%s"
                    .formatted(
                            volume,
                            space.storeBytes(origin),
                            stores.isEmpty() ? "" : "; " + String.join("; ", stores)));
        }
        return notes;
    }
}
