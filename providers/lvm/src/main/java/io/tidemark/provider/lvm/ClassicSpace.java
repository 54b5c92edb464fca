package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.FillForecast;
import io.tidemark.provider.devices.FillRates;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Room for classic snapshots: what a store needs, whether the group has it, and when a store will overflow. */
final class ClassicSpace {
    /** LVM's own: the finer, the less is copied for a small write, and named as changed. */
    static final int CHUNK_BYTES = 4 << 10;

    private static final int ENTRIES = CHUNK_BYTES / 16;
    private static final int PERCENT = 100;

    private final LvmConfig config;
    private final LvmCommands commands;
    private final FillRates rates;

    ClassicSpace(LvmConfig config, LvmCommands commands, InstantSource clock) {
        this.config = config;
        this.commands = commands;
        this.rates = new FillRates(clock);
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

    /**
     * By the rates at which the volume's other stores fill: whichever says that its new one would overflow too soon. They
     * only ever slow down, for what is written again is not kept again.
     *
     * @throws ProviderException OutOfSpace where the volume's new store would overflow before its snapshot may go
     */
    void refuseWhereShort(LvmCatalog catalog, LogicalVolume origin) throws ProviderException {
        for (var forecast : newStore(catalog, origin)) {
            config.keepFor()
                    .refuseWhereShort(
                            "a snapshot of %s/%s, its store".formatted(config.group(), origin.name()),
                            forecast,
                            "raise classicSnapshotPercent");
        }
    }

    /** By each of the other stores, all of which are looked at. One that has room for all of the volume never overflows. */
    private List<FillForecast> newStore(LvmCatalog catalog, LogicalVolume origin) {
        var seen = valid(catalog, origin).stream().map(this::seen).toList();
        return config.classicSnapshotPercent() == PERCENT
                ? List.of()
                : seen.stream().map(each -> each.towards(storeBytes(origin))).toList();
    }

    private static List<LogicalVolume> valid(LvmCatalog catalog, LogicalVolume origin) {
        return catalog.classicSnapshotsOf(origin).stream()
                .filter(each -> !each.store().invalid())
                .toList();
    }

    private FillForecast seen(LogicalVolume store) {
        long usedBytes = (long) (store.sizeBytes() * store.store().percent() / PERCENT);
        return rates.seen(store.name(), store.sizeBytes(), usedBytes);
    }

    /** For people: how full each store of the volume is, and when it overflows; then what keepFor says of a new one. */
    List<String> notes(LvmCatalog catalog, LogicalVolume origin) {
        var notes = new ArrayList<String>();
        for (var store : catalog.classicSnapshotsOf(origin)) {
            if (store.store().invalid()) {
                notes.add("snapshot %s has overflowed: delete it".formatted(store.name()));
                continue;
            }
            notes.add("snapshot %s has %.2f %% of its store in use%s"
                    .formatted(store.name(), store.store().percent(), full(List.of(seen(store)))));
        }
        var forecasts = newStore(catalog, origin);
        var kept = config.keepFor().note(forecasts);
        if (!kept.isEmpty() && config.classicSnapshotPercent() < PERCENT) {
            notes.add("a new store" + full(forecasts) + kept);
        }
        return notes;
    }

    private static String full(List<FillForecast> forecasts) {
        return forecasts.stream()
                .flatMap(each -> each.left().stream())
                .min(Comparator.naturalOrder())
                .map(left -> ", at the present rate it is full in " + FillForecast.text(left))
                .orElse("");
    }
}
