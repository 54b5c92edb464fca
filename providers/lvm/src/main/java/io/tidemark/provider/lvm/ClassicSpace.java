package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** Room for classic snapshots: what a store needs, whether the group has it, and when a store will overflow. */
final class ClassicSpace {
    /** LVM's own: the finer, the less is copied for a small write, and named as changed. */
    static final int CHUNK_BYTES = 4 << 10;

    private static final int ENTRIES = CHUNK_BYTES / 16;
    private static final int PERCENT = 100;

    private final LvmConfig config;
    private final LvmCommands commands;
    private final Samples samples;

    ClassicSpace(LvmConfig config, LvmCommands commands, InstantSource clock) {
        this.config = config;
        this.commands = commands;
        this.samples = new Samples(clock);
    }

    /** Of a store that holds the configured part of the volume: its chunks, a table for every 256 of them, and a header. */
    long storeBytes(LogicalVolume origin) {
        long chunks = Math.ceilDiv(origin.sizeBytes(), (long) CHUNK_BYTES);
        long kept = Math.max(1, Math.ceilDiv(chunks * config.classicSnapshotPercent(), PERCENT));
        long tables = Math.ceilDiv(kept, (long) ENTRIES) + 1;
        return (1 + tables + kept) * CHUNK_BYTES;
    }

    /** @throws ProviderException OutOfSpace where the group has no room for a store of each */
    void refuseWhereScarce(List<LogicalVolume> origins) throws ProviderException {
        var room = commands.room();
        long neededBytes = 0;
        for (var origin : origins) {
            neededBytes += Math.ceilDiv(storeBytes(origin), room.extentBytes()) * room.extentBytes();
        }
        if (neededBytes > room.freeBytes()) {
            throw new ProviderException(new ProviderError.OutOfSpace(
                    "volume group %s (a store for each classic snapshot; vgextend %1$s, delete snapshots, or lower classicSnapshotPercent)"
                            .formatted(config.group()),
                    room.freeBytes(),
                    neededBytes));
        }
    }

    /** For people: how full each store of the volume is, and when it overflows. */
    List<String> notes(LvmCatalog catalog, LogicalVolume origin) {
        var notes = new ArrayList<String>();
        for (var store : catalog.classicSnapshotsOf(origin)) {
            if (store.store().invalid()) {
                notes.add("snapshot %s has overflowed: delete it".formatted(store.name()));
                continue;
            }
            long used = (long) (store.sizeBytes() * store.store().percent() / PERCENT);
            samples.add(store.name(), used, 0);
            notes.add("snapshot %s has %.2f %% of its store in use%s"
                    .formatted(
                            store.name(),
                            store.store().percent(),
                            new PoolForecast(store.sizeBytes(), 0, samples.of(store.name()))
                                    .note()
                                    .map(", "::concat)
                                    .orElse("")));
        }
        return notes;
    }
}
