package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.provider.devices.OpenDevices;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.provider.zfs.VolumeCatalog.VolumeEntry;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** Cuts by ZFS's library: all snapshots of a request in one transaction, which carries their properties too. */
final class Cutting {
    /** Cuts that were prepared and not made; the oldest is forgotten, and looks again when it is made. */
    private static final int PREPARED_MAXIMUM = 256;

    private final Storage storage;
    private final OpenDevices open;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final Map<CutRequest, Plan> prepared = new LinkedHashMap<>();

    /** {@link ZfsCore#snapshot}. */
    interface Storage {
        void snapshot(List<String> snapshots, Map<String, String> properties) throws HostCallException;

        /** {@link ZfsCore#referencedBytes}. */
        Map<String, Long> referencedBytes(List<String> snapshots) throws HostCallException;

        static Storage of(ZfsCore core) {
            return new Storage() {
                @Override
                public void snapshot(List<String> snapshots, Map<String, String> properties) throws HostCallException {
                    core.snapshot(snapshots, properties);
                }

                @Override
                public Map<String, Long> referencedBytes(List<String> snapshots) throws HostCallException {
                    return core.referencedBytes(snapshots);
                }
            };
        }
    }

    Cutting(Storage storage, OpenDevices open, InstantSource clock, LongSupplier nanos) {
        this.storage = storage;
        this.open = open;
        this.clock = clock;
        this.nanos = nanos;
    }

    /** Which volumes a cut is of, and what exists of it, as known before the freeze. */
    private record Plan(List<VolumeEntry> missing, List<SnapshotEntry> existing) {}

    private static Plan plan(CutRequest request, VolumeCatalog catalog) throws ProviderException {
        var missing = new ArrayList<VolumeEntry>();
        var existing = new ArrayList<SnapshotEntry>();
        for (var volume : request.volumes()) {
            var entry = catalog.get(volume);
            catalog.find(new SnapshotId(volume, request.recoveryPoint()))
                    .ifPresentOrElse(existing::add, () -> missing.add(entry));
        }
        return new Plan(missing, existing);
    }

    void prepare(CutRequest request, VolumeCatalog catalog, PoolRoom room) throws ProviderException {
        var plan = plan(request, catalog);
        if (!plan.missing().isEmpty()) {
            room.refuseWhereShort();
        }
        for (var volume : plan.missing()) {
            // One at its quota has nothing available, and is cut all the same.
            if (!volume.on().isFileSystem()) {
                ZfsErrors.refuseWhereFull(volume.on());
            }
        }
        synchronized (prepared) {
            prepared.put(request, plan);
            if (prepared.size() > PREPARED_MAXIMUM) {
                prepared.remove(prepared.keySet().iterator().next());
            }
        }
    }

    /** @param listing asked only where the cut was not prepared, or the storage is not as it was then */
    Cut cut(CutRequest request, Listing listing) throws ProviderException {
        Optional<Plan> known;
        synchronized (prepared) {
            known = Optional.ofNullable(prepared.remove(request));
        }
        if (known.isPresent()) {
            try {
                return cut(request, known.get());
            } catch (HostCallException e) {
                if (!isOutdated(e)) {
                    throw failed(request, e);
                }
            }
        }
        try {
            return cut(request, plan(request, listing.list()));
        } catch (HostCallException e) {
            throw failed(request, e);
        }
    }

    /** Whether a volume is gone, or a snapshot there, that was not so in the plan. */
    private static boolean isOutdated(HostCallException e) {
        return e.errno() == HostCallException.ENOENT || e.errno() == HostCallException.EEXIST;
    }

    private static ProviderException failed(CutRequest request, HostCallException e) {
        return e.errno() == HostCallException.ENOENT
                ? new ProviderException(
                        new ProviderError.Unexpected("lzc_snapshot", "volumes came or went meanwhile"), e)
                : ZfsErrors.of(request.volumes().toString(), "zfs snapshot", e);
    }

    /** @throws HostCallException nothing was cut then */
    private Cut cut(CutRequest request, Plan plan) throws ProviderException, HostCallException {
        var members = new ArrayList<Cut.Member>();
        plan.existing().forEach(entry -> members.add(new Cut.Member(entry.describe(), 0, 0)));
        if (plan.missing().isEmpty()) {
            return new Cut(oneTransaction(plan.existing()), members);
        }
        open.flush(plan.missing().stream().map(VolumeEntry::id).toList());
        var cutAt = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        var names = plan.missing().stream()
                .map(volume -> volume.on().name() + "@" + ZfsNames.forSnapshot(id(volume, request)))
                .toList();
        var properties = Map.of(
                ZfsNames.POINT, request.recoveryPoint().value(), ZfsNames.CUT_AT, String.valueOf(cutAt.toEpochMilli()));
        long started = nanos.getAsLong();
        storage.snapshot(names, properties);
        long finished = nanos.getAsLong();
        var sizes = sizes(plan.missing(), names);
        for (int index = 0; index < names.size(); index++) {
            var volume = plan.missing().get(index);
            long sizeBytes = sizes.getOrDefault(names.get(index), volume.sizeBytes());
            var snapshot = new Snapshot(id(volume, request), sizeBytes, cutAt);
            members.add(new Cut.Member(snapshot, started, finished));
        }
        return new Cut(plan.existing().isEmpty(), members);
    }

    /** Of file systems: they were written to until the cut. Not known where ZFS does not say it: the cut is made. */
    private Map<String, Long> sizes(List<VolumeEntry> volumes, List<String> snapshots) {
        var ofFiles = IntStream.range(0, snapshots.size())
                .filter(index -> volumes.get(index).on().isFileSystem())
                .mapToObj(snapshots::get)
                .toList();
        try {
            return ofFiles.isEmpty() ? Map.of() : storage.referencedBytes(ofFiles);
        } catch (HostCallException e) {
            return Map.of();
        }
    }

    private static SnapshotId id(VolumeEntry volume, CutRequest request) {
        return new SnapshotId(volume.id(), request.recoveryPoint());
    }

    /** Snapshots of one transaction group are of one instant, whoever asked for them. */
    private static boolean oneTransaction(List<SnapshotEntry> snapshots) {
        return snapshots.stream()
                        .map(entry -> entry.on().transaction())
                        .distinct()
                        .count()
                == 1;
    }
}
