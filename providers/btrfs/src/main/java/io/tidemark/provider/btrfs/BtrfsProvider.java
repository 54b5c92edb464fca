package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.btrfs.BtrfsFolder.Subvolume;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.devices.VolumeLocks;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/** Subvolumes of Btrfs in one folder, as volumes that are files. Only streams need a program. */
final class BtrfsProvider implements StorageProvider, FileTrees, SnapshotStreams {
    static final Set<Capability> CAPABILITIES = Set.of(
            Capability.FILES, Capability.INSTANT_SNAPSHOT, Capability.CLONE, Capability.ROLLBACK, Capability.HOLDS);

    private static final Comparator<SnapshotId> BY_ID =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);

    private static final int SECTOR_BYTES = 512;

    private final BtrfsFolder folder;
    private final Replacing replacing;
    private final Cutting cutting;
    private final HostCalls host;
    private final OpenTrees trees = new OpenTrees();
    private final VolumeLocks locks = new VolumeLocks();
    private final Streams streams;

    private BtrfsProvider(BtrfsFolder folder, HostCalls host, SubvolumeUse use, LongSupplier nanos) {
        this.folder = folder;
        this.host = host;
        this.replacing = new Replacing(folder, host, use);
        this.cutting = new Cutting(folder, host, replacing, nanos);
        this.streams = new Streams(folder, host, new StreamProgram(new CommandRunner()), trees, locks);
    }

    /**
     * Deletes what a crash has left.
     *
     * @param nanos CLOCK_MONOTONIC
     * @throws ProviderException Busy while another instance manages the folder
     */
    static BtrfsProvider open(BtrfsConfig config, HostCalls host, SubvolumeUse use, LongSupplier nanos)
            throws ProviderException {
        var folder = BtrfsFolder.open(config.folder(), host);
        try {
            var provider = new BtrfsProvider(folder, host, use, nanos);
            provider.replacing.sweep();
            return provider;
        } catch (ProviderException | RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return BtrfsFolder.PROVIDER;
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        var volumes = new ArrayList<Volume>();
        var counts = folder.quotas().report();
        for (var each : folder.volumes()) {
            volumes.add(describe(each, counts));
        }
        volumes.sort(Comparator.comparing(Volume::id));
        return volumes;
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return describe(folder.get(volume), folder.quotas().report());
    }

    private static Volume describe(Subvolume volume, QuotaGroups.Counts counts) throws ProviderException {
        try {
            var mounts = BtrfsMounts.ofHost();
            var seen = new ArrayList<Path>(List.of(volume.path()));
            mounts.placeOf(volume.path()).ifPresent(place -> seen.addAll(mounts.mountPoints(place)));
            return new Volume(
                    volume.id(),
                    counts.bytesOf(volume.known().id()),
                    CAPABILITIES,
                    Optional.empty(),
                    seen,
                    Map.of(
                            "fileSystem",
                            "btrfs",
                            "subvolume",
                            String.valueOf(volume.known().id()),
                            "quotas",
                            counts.told()));
        } catch (IOException e) {
            throw BtrfsErrors.of("looking where %s is mounted".formatted(volume.id()), volume.path(), e);
        }
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException("size is not a positive multiple of 512: " + sizeBytes);
        }
        throw BtrfsErrors.conflict(
                volume, "a subvolume has no size; make it by: btrfs subvolume create %s/NAME".formatted(folder.root()));
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        try (var held = locks.hold(List.of(volume))) {
            var found = folder.find(volume);
            if (found.isEmpty()) {
                // An earlier call may have ended before it was durable.
                host.btrfsCommit(folder.root());
                return;
            }
            if (folder.hasSnapshots(volume)) {
                throw BtrfsErrors.conflict(volume, "it has snapshots");
            }
            replacing.remove(found.get());
        } catch (IOException e) {
            throw BtrfsErrors.of("removing " + volume, folder.root(), e);
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        return cutting.forecast(volumes);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        cutting.prepare(request);
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        try (var held = locks.hold(request.volumes())) {
            return cutting.cut(request);
        }
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        folder.get(snapshot);
        return new Readiness.Ready();
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        var found =
                folder.snapshots(id -> query.volume().map(id.volume()::equals).orElse(true)
                        && query.recoveryPoint().map(id.recoveryPoint()::equals).orElse(true));
        return SnapshotPage.of(query, found.stream().sorted(Comparator.comparing(Snapshot::id, BY_ID)));
    }

    @Override
    public SnapshotTree tree(SnapshotId snapshot) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            folder.get(snapshot);
            return trees.open(snapshot, folder.path(snapshot));
        }
    }

    private static ProviderException filesOnly(Object object) {
        return BtrfsErrors.conflict(object, "it has files, not blocks");
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        folder.get(snapshot);
        throw filesOnly(snapshot);
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        folder.get(older);
        folder.get(newer);
        throw filesOnly(newer);
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        folder.get(snapshot);
        throw filesOnly(snapshot);
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        folder.get(volume);
        throw filesOnly(volume);
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        try (var held = locks.hold(List.of(request.name(), request.snapshot().volume()))) {
            folder.get(request.snapshot());
            replacing.clone(request);
            return new Step.Done<>(volume(request.name()));
        } catch (IOException e) {
            throw BtrfsErrors.of("cloning " + request.snapshot(), folder.root(), e);
        }
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            folder.get(snapshot);
            replacing.rollback(folder.get(snapshot.volume()), snapshot);
            return new Step.Done<>(volume(snapshot.volume()));
        } catch (IOException e) {
            throw BtrfsErrors.of("rolling back to " + snapshot, folder.root(), e);
        }
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        try {
            replacing.refuseWhileUsed(folder.get(volume));
        } catch (IOException e) {
            throw BtrfsErrors.of("looking who uses " + volume, folder.root(), e);
        }
    }

    @Override
    public String format() {
        return BtrfsFolder.PROVIDER;
    }

    @Override
    public Outgoing send(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        return streams.send(older, newer);
    }

    @Override
    public Incoming receive(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        return streams.receive(older, newer);
    }

    @Override
    public Optional<String> changedSince(VolumeId volume, Optional<RecoveryPointId> stands) throws ProviderException {
        return streams.changedSince(volume, stands);
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            folder.get(snapshot);
            folder.hold(snapshot, owner);
        } catch (IOException e) {
            throw BtrfsErrors.of("holding " + snapshot, folder.root(), e);
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            folder.release(snapshot, owner);
        } catch (IOException e) {
            throw BtrfsErrors.of("releasing " + snapshot, folder.root(), e);
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        try (var held = locks.hold(List.of(snapshot.volume()))) {
            if (folder.find(snapshot).isPresent()) {
                var owners = folder.holders(snapshot);
                if (!owners.isEmpty()) {
                    throw new ProviderException(new ProviderError.Held(snapshot, owners));
                }
                trees.refuseWhileOpen(snapshot);
                replacing.remove(snapshot);
            }
            // Of an earlier call, too, that ended before it was durable.
            host.btrfsCommit(folder.root());
            return new Step.Done<>(true);
        } catch (IOException e) {
            throw BtrfsErrors.of("deleting " + snapshot, folder.root(), e);
        }
    }

    /** All work is done when its call returns: there are no handles. */
    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        throw new ProviderException(new ProviderError.Unexpected("resume", "no work is called " + handle.token()));
    }

    @Override
    public void close() {
        try {
            streams.close();
        } finally {
            trees.close();
            folder.close();
        }
    }
}
