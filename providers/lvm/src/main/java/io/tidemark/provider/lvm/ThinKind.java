package io.tidemark.provider.lvm;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Thin volumes: their pools' metadata tell what differs. */
record ThinKind(LvmCommands commands, ThinMetadata metadata, PoolSpace space, Vanished vanished) implements VolumeKind {
    /** Whatever is left out here, the contract does not test. */
    static final Set<Capability> CAPABILITIES = Set.of(
            Capability.INSTANT_SNAPSHOT,
            Capability.ATOMIC_GROUP,
            Capability.TRACKED_CHANGES,
            Capability.CHANGED_RANGES,
            Capability.RANDOM_READ,
            Capability.RANDOM_WRITE,
            Capability.CLONE,
            Capability.ROLLBACK,
            Capability.HOLDS,
            Capability.CREATE);

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public Map<String, String> facts(LogicalVolume volume) {
        return Map.of("pool", volume.pool());
    }

    @Override
    public OpenDevices.Activation activation(LogicalVolume snapshot) {
        return new Activated(commands, snapshot.name());
    }

    @Override
    public Storage storage(LvmCatalog catalog, LogicalVolume volume) throws ProviderException {
        return new ThinStorage(commands, catalog.pool(volume.pool()));
    }

    @Override
    public ChangedRanges changed(LvmCatalog catalog, Entry<SnapshotId> older, Entry<SnapshotId> newer)
            throws ProviderException {
        if (!older.on().pool().equals(newer.on().pool())) {
            throw new ProviderException(
                    new ProviderError.Conflict(newer.id().toString(), "it lies in another pool than " + older.id()));
        }
        var pool = catalog.pool(newer.on().pool());
        long sizeBytes = Math.max(older.sizeBytes(), newer.sizeBytes());
        return vanished.confirmed(
                List.of(older, newer),
                () -> metadata.changed(pool, older.on().thinId(), newer.on().thinId(), sizeBytes));
    }

    @Override
    public ChangedRanges allocated(LvmCatalog catalog, Entry<SnapshotId> snapshot) throws ProviderException {
        var pool = catalog.pool(snapshot.on().pool());
        return vanished.confirmed(
                List.of(snapshot), () -> metadata.mapped(pool, snapshot.on().thinId(), snapshot.sizeBytes()));
    }

    @Override
    public List<String> notes(LvmCatalog catalog, List<VolumeId> volumes) throws ProviderException {
        var byPool = new LinkedHashMap<String, List<VolumeId>>();
        for (var volume : volumes) {
            byPool.computeIfAbsent(catalog.get(volume).on().pool(), _ -> new ArrayList<>())
                    .add(volume);
        }
        var notes = new ArrayList<String>();
        for (var each : byPool.entrySet()) {
            var pool = catalog.pool(each.getKey());
            notes.add("%s: create_snap of dm-thin, pool %s has %.2f %% of data and %.2f %% of metadata in use%s"
                    .formatted(
                            each.getValue(),
                            pool.name(),
                            pool.dataPercent(),
                            pool.metadataPercent(),
                            space.note(pool)));
        }
        return notes;
    }

    /** A thin snapshot has no device before it is activated. */
    private record Activated(LvmCommands commands, String name) implements OpenDevices.Activation {
        @Override
        public void begin() throws ProviderException {
            commands.activate(name);
        }

        @Override
        public void end() throws ProviderException {
            commands.deactivate(name);
        }
    }

    /** Of a volume that is written: its pool, to which whole chunks of zeros are given back. */
    private record ThinStorage(LvmCommands commands, LogicalVolume pool) implements Storage {
        @Override
        public int granuleBytes() {
            return pool.chunkBytes();
        }

        @Override
        public boolean discard(Path device, BlockRange chunks) throws ProviderException {
            return commands.discard(device, chunks);
        }

        @Override
        public ProviderException explained(ProviderException failure) {
            return commands.explained(pool.name(), failure);
        }
    }
}
