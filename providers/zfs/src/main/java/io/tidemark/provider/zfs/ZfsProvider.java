package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.devices.BlockDevice;
import io.tidemark.provider.devices.HostLock;
import io.tidemark.provider.devices.OpenDevices;
import io.tidemark.provider.devices.Vanishing;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.provider.zfs.VolumeCatalog.VolumeEntry;
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
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Volumes of ZFS below one dataset: of blocks, and file systems. What changes names, properties, holds or mounts is
 * done one after the other; bytes and differences are read beside it, and a cut waits for nothing but ZFS.
 */
final class ZfsProvider implements StorageProvider, FileTrees, SnapshotStreams {
    /** Of eight volumes in the storage lab on a busy host, 23 ms on an idle one: ZFS writes a transaction meanwhile. */
    private static final Duration CUT_EXPECTED = Duration.ofMillis(650);

    private static final String RENAMING = "another program that renames it";

    private static final int SECTOR_BYTES = 512;
    /** Of new volumes; ZFS's own choice since 2.2, and 8 KiB before. */
    private static final int BLOCK_BYTES = 16 << 10;

    /** Where trees are mounted; as {@link HostLock}'s files not where anybody may make some. */
    private static final Path RUNTIME = Path.of("/run");

    private final ZfsConfig config;
    private final ZfsCommands commands;
    private final ZvolDevices devices;
    private final MountTable mounts = new MountTable();
    private final VolumeUse use;
    private final VolumeDescriptions descriptions;
    private final SnapshotTrees trees;
    private final Removal removal;
    private final Rollback rollback;
    private final ChangeFinder changes;
    private final Holds holds;
    private final ArrivalPlaces places;
    private final ZfsStreams streams;
    private final ChangedFiles changedFiles;
    private final Cutting cutting;
    private final PoolRoom room;
    private final OpenDevices open;
    private final HostLock lock;

    /** @param nanos CLOCK_MONOTONIC */
    record Time(InstantSource clock, LongSupplier nanos) {}

    private ZfsProvider(
            ZfsConfig config,
            ZfsCommands commands,
            ZvolCalls calls,
            Cutting.Storage storage,
            Time time,
            HostLock lock) {
        this.config = config;
        this.commands = commands;
        this.devices = new ZvolDevices(calls, commands.names());
        this.use = new VolumeUse(mounts, devices);
        this.descriptions = new VolumeDescriptions(devices, mounts);
        this.trees = new SnapshotTrees(commands, mounts, RUNTIME.resolve("tidemark-" + name(config) + ".trees"));
        this.removal = new Removal(commands);
        this.rollback = new Rollback(commands, removal, use::refuse);
        this.changes = new ChangeFinder(commands);
        this.holds = new Holds(commands, this::catalog);
        this.places = new ArrivalPlaces(commands, this::catalog, mounts, this);
        this.streams = new ZfsStreams(commands, this::catalog, places);
        this.changedFiles = new ChangedFiles(commands, mounts, trees);
        this.open = new OpenDevices();
        this.cutting = new Cutting(storage, open, time.clock(), time.nanos());
        this.room = new PoolRoom(config, commands, time.clock());
        this.lock = lock;
    }

    /** Of what is this instance's alone on this host. */
    private static String name(ZfsConfig config) {
        return "zfs-" + ZfsNames.digest(config.dataset());
    }

    /**
     * Finishes what a crash has left.
     *
     * @throws ProviderException Busy while another process of this host manages the dataset
     */
    static ZfsProvider open(ZfsConfig config, ZfsCommands commands, ZvolCalls calls, Cutting.Storage storage, Time time)
            throws ProviderException {
        var lock = HostLock.take(name(config), "dataset " + config.dataset());
        ZfsProvider opened = null;
        try {
            var provider = new ZfsProvider(config, commands, calls, storage, time, lock);
            provider.trees.sweep();
            provider.removal.sweep(provider.catalog());
            provider.places.sweep(provider.catalog());
            provider.rollback.sweep(provider::catalog);
            opened = provider;
            return provider;
        } finally {
            if (opened == null) {
                lock.close();
            }
        }
    }

    private VolumeCatalog catalog() throws ProviderException {
        return new VolumeCatalog(commands.list(config.dataset()));
    }

    /** Others destroy snapshots too. */
    private <T> T unlessGone(SnapshotId snapshot, Vanishing.Call<T> call) throws ProviderException {
        return Vanishing.unlessGone(
                call, () -> catalog().find(snapshot).isPresent(), new ProviderError.SnapshotNotFound(snapshot));
    }

    @Override
    public String name() {
        return ZfsNames.PROVIDER;
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return descriptions.of(catalog().volumes());
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return descriptions.of(List.of(catalog().get(volume))).getFirst();
    }

    @Override
    public synchronized Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException("size is not a positive multiple of 512: " + sizeBytes);
        }
        var catalog = catalog();
        var existing = catalog.find(volume);
        if (existing.isEmpty()) {
            if (!volume.provider().equals(ZfsNames.PROVIDER)) {
                throw new ProviderException(new ProviderError.VolumeNotFound(volume));
            }
            refuseNameOfOthers(volume);
            commands.create(
                    ZfsNames.forVolume(config.dataset(), volume),
                    BLOCK_BYTES,
                    Math.ceilDiv(sizeBytes, BLOCK_BYTES) * BLOCK_BYTES,
                    Map.of(ZfsNames.VOLUME, volume.name(), ZfsNames.BYTES, String.valueOf(sizeBytes)));
            return volume(volume);
        }
        if (existing.get().on().isFileSystem()
                || existing.get().sizeBytes() != sizeBytes
                || catalog.hasSnapshots(volume)) {
            throw new ProviderException(new ProviderError.VolumeExists(volume));
        }
        return volume(volume);
    }

    /** A volume that somebody makes there later would have the same id. */
    private void refuseNameOfOthers(VolumeId volume) throws ProviderException {
        var pool = config.pool();
        if (volume.name().equals(pool) || volume.name().startsWith(pool + "/")) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "names that begin with the pool's are those of volumes that others make; choose another"));
        }
    }

    /** What has snapshots of others, too, is not removed. */
    @Override
    public synchronized void remove(VolumeId volume) throws ProviderException {
        open.refuseWhileWritten(volume);
        streams.refuseWhileReceiving(volume);
        // What a rollback has left of this volume would get its name after it.
        var catalog = rollback.sweep(this::catalog);
        var entry = catalog.find(volume);
        if (entry.isEmpty()) {
            return;
        }
        var zvol = entry.get().on().name();
        if (catalog.hasSnapshots(volume) || catalog.hasOthersSnapshots(zvol)) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
        var below = catalog.below(zvol);
        if (!below.isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "below it lies " + VolumeCatalog.shown(below) + "; remove that before"));
        }
        use.refuse(volume, entry.get().on());
        removal.remove(this::catalog, zvol);
        settleAfter(catalog);
    }

    /** Branches may have lost what they were kept for. */
    private void settleAfter(VolumeCatalog before) throws ProviderException {
        if (!before.branches().isEmpty()) {
            rollback.settle(this::catalog);
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        var catalog = catalog();
        for (var volume : volumes) {
            catalog.get(volume);
        }
        var notes = Stream.concat(
                        volumes.stream()
                                .map(volume -> volume + ": zfs snapshot, one transaction for all volumes of the pool"),
                        room.note().stream())
                .toList();
        return new CutForecast(CUT_EXPECTED, true, notes);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        cutting.prepare(request, catalog(), room);
        open.flush(request.volumes());
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        return cutting.cut(request, this::catalog);
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        catalog().get(snapshot);
        return new Readiness.Ready();
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return SnapshotPage.of(query, catalog().snapshots().stream().map(SnapshotEntry::describe));
    }

    /**
     * A volume of which a snapshot was read shows the devices of its snapshots from then on. A promotion moves a
     * snapshot and not its device: saying again that devices are to be seen makes ZFS look what is missing.
     */
    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        // A rollback at this moment gives the snapshot another name.
        var device = unlessGone(snapshot, () -> device(snapshot));
        if (device.isEmpty()) {
            device = unlessGone(snapshot, () -> device(snapshot));
        }
        var opened = device.orElseThrow(() -> ZfsErrors.busy("snapshot " + snapshot, RENAMING));
        return open.read(snapshot, OpenDevices.Activation.NONE, () -> opened);
    }

    private Optional<BlockDevice> device(SnapshotId snapshot) throws ProviderException {
        var entry = withBlocks(catalog().get(snapshot));
        var name = entry.on().name();
        if (!devices.all().containsKey(name)) {
            commands.set(entry.on().zvol(), Map.of("snapdev", "visible"));
        }
        return devices.open(name, entry.sizeBytes(), StandardOpenOption.READ);
    }

    private static SnapshotEntry withBlocks(SnapshotEntry entry) throws ProviderException {
        if (entry.on().isFileSystem()) {
            throw ZfsErrors.noBlocks(entry.id().volume());
        }
        return entry;
    }

    @Override
    public synchronized SnapshotTree tree(SnapshotId snapshot) throws ProviderException {
        return unlessGone(snapshot, () -> {
            var entry = catalog().get(snapshot);
            if (!entry.on().isFileSystem()) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.volume().toString(),
                        "is blocks, not a file system; its snapshots are read as images"));
            }
            return trees.open(snapshot, entry.on().name());
        });
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        var catalog = catalog();
        var from = catalog.get(older);
        var to = catalog.get(newer);
        withBlocks(from);
        withBlocks(to);
        return unlessGone(older, () -> unlessGone(newer, () -> changes.between(catalog, from, to)));
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        var catalog = catalog();
        return changes.allocated(catalog, withBlocks(catalog.get(snapshot)));
    }

    @Override
    public synchronized Step<Volume> clone(CloneRequest request) throws ProviderException {
        var catalog = catalog();
        var snapshot = catalog.get(request.snapshot());
        var cloneOf = request.snapshot().toString();
        var existing = catalog.find(request.name());
        if (existing.isPresent()) {
            if (existing.get()
                    .on()
                    .property(ZfsNames.CLONE_OF)
                    .filter(cloneOf::equals)
                    .isPresent()) {
                return new Step.Done<>(volume(request.name()));
            }
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        refuseNameOfOthers(request.name());
        return unlessGone(request.snapshot(), () -> {
            var properties = ofClone(snapshot);
            properties.put(ZfsNames.VOLUME, request.name().name());
            properties.put(ZfsNames.CLONE_OF, cloneOf);
            commands.clone(snapshot.on().name(), ZfsNames.forVolume(config.dataset(), request.name()), properties);
            return new Step.Done<>(volume(request.name()));
        });
    }

    /** A file system is seen nowhere until its {@code mountpoint} is set: no folder is called as its dataset is. */
    private Map<String, String> ofClone(SnapshotEntry snapshot) throws ProviderException {
        var properties = new HashMap<String, String>();
        if (snapshot.on().isFileSystem()) {
            properties.putAll(commands.values(snapshot.on().zvol(), VolumeSettings.RIGHTS));
            properties.put("mountpoint", "none");
        } else {
            properties.put(ZfsNames.BYTES, String.valueOf(snapshot.sizeBytes()));
        }
        return properties;
    }

    @Override
    public synchronized Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        // One that failed half way may have left something of this volume.
        var catalog = rollback.sweep(this::catalog);
        var from = catalog.get(snapshot);
        var volume = catalog.get(snapshot.volume());
        refuseWhileOpen(volume);
        // A rollback that was cut short may have put it where no list has it.
        return Vanishing.unlessGone(
                () -> {
                    rollback.run(this::catalog, volume.on(), from.on());
                    return new Step.Done<>(volume(snapshot.volume()));
                },
                () -> catalog().has(from.on()),
                new ProviderError.SnapshotNotFound(snapshot));
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        refuseWhileOpen(catalog().get(volume));
    }

    private void refuseWhileOpen(VolumeEntry volume) throws ProviderException {
        open.refuseWhileWritten(volume.id());
        streams.refuseWhileReceiving(volume.id());
        use.refuse(volume.id(), volume.on());
    }

    @Override
    public synchronized VolumeWriter write(VolumeId volume) throws ProviderException {
        open.refuseWhileWritten(volume);
        var entry = catalog().get(volume);
        return Vanishing.unlessGone(
                () -> writer(entry),
                () -> catalog().find(volume).isPresent(),
                new ProviderError.VolumeNotFound(volume));
    }

    private VolumeWriter writer(VolumeEntry entry) throws ProviderException {
        var volume = entry.id();
        if (entry.on().isFileSystem()) {
            throw ZfsErrors.noBlocks(volume);
        }
        var zvol = entry.on().name();
        devices.refuseWhileUsed(volume, zvol);
        var device = devices.open(zvol, entry.sizeBytes(), StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (device.isEmpty()) {
            throw ZfsErrors.busy(volume, RENAMING);
        }
        int blockBytes = Math.toIntExact(entry.on().number("volblocksize"));
        return open.write(volume, device.get(), new ZvolStorage(commands, zvol, blockBytes));
    }

    @Override
    public synchronized void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var entry = catalog().get(snapshot);
        unlessGone(snapshot, () -> {
            holds.hold(entry, owner);
            return true;
        });
    }

    @Override
    public synchronized void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        holds.release(snapshot, owner);
    }

    @Override
    public synchronized Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        var catalog = catalog();
        var entry = catalog.find(snapshot);
        if (entry.isPresent()) {
            holds.refuseWhileHeld(entry.get());
            open.refuseWhileRead(snapshot);
            trees.refuseWhileOpen(snapshot);
            streams.refuseWhileUsed(snapshot);
            deleted(entry.get());
            settleAfter(catalog);
        }
        return new Step.Done<>(true);
    }

    private void deleted(SnapshotEntry entry) throws ProviderException {
        try {
            Vanishing.untilGone(
                    () -> removal.delete(entry.on()),
                    () -> catalog().find(entry.id()).isPresent());
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Busy) {
                // A hold that came after the look is named, as one before it.
                holds.refuseWhileHeld(catalog().get(entry.id()));
            }
            throw e;
        }
    }

    @Override
    public String format() {
        return ZfsStreams.FORMAT;
    }

    @Override
    public synchronized Outgoing send(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        return streams.send(older, newer);
    }

    @Override
    public synchronized Incoming receive(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        return streams.receive(older, newer);
    }

    @Override
    public Optional<String> changedSince(VolumeId volume, Optional<RecoveryPointId> stands) throws ProviderException {
        var catalog = catalog();
        var entry = ZfsStreams.withFiles(catalog.get(volume));
        return stands.isPresent()
                ? changedFiles.since(entry, catalog.get(new SnapshotId(volume, stands.get())))
                : changedFiles.anyIn(entry);
    }

    /** No work of this provider is long. */
    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        throw new ProviderException(new ProviderError.Unexpected("resume", "no work is called " + handle.token()));
    }

    @Override
    public void close() {
        streams.close();
        open.close();
        trees.close();
        lock.close();
    }
}
