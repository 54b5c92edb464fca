package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.provider.devices.BlockDevice;
import io.tidemark.provider.devices.HostLock;
import io.tidemark.provider.devices.LongWork;
import io.tidemark.provider.devices.OpenDevices;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Thin and classic volumes of one volume group. What changes names or tags is done one after the other, as LVM does it itself by the
 * lock of its group; bytes and metadata are read beside it.
 */
final class LvmProvider implements StorageProvider {
    /** Of each volume: its pool writes its metadata and flushes. In the storage lab, whose disks are memory, it is 1 ms. */
    private static final Duration CUT_EXPECTED = Duration.ofMillis(10);

    private static final Duration BUSY_RETRY = Duration.ofSeconds(5);
    private static final int SECTOR_BYTES = 512;
    private final LvmConfig config;
    private final LvmCommands commands;
    private final ThinMetadata metadata;
    private final Rollback rollback;
    private final Cuttings cutting;
    private final LvmVolumes volumes;
    private final ClassicWork classicWork;
    private final OpenDevices open;
    private final PoolSpace space;
    private final Vanished vanished;
    private final HostLock lock;

    private LvmProvider(
            LvmConfig config, LvmCommands commands, HostLock lock, DeviceMapper devices, InstantSource clock) {
        this.lock = lock;
        this.config = config;
        this.commands = commands;
        this.metadata = new ThinMetadata(commands);
        this.rollback = new Rollback(commands);
        this.open = new OpenDevices();
        this.space = new PoolSpace(config, commands, clock);
        this.vanished = new Vanished(this::catalog);
        var group = config.group();
        var stores = new ClassicStores(group);
        var classicSpace = new ClassicSpace(config, commands, clock);
        this.cutting = new Cuttings(
                commands,
                new ThinCutting(group, commands, metadata, devices, clock),
                new ClassicCutting(group, commands, stores, classicSpace, devices, clock));
        this.volumes = new LvmVolumes(
                group,
                new ThinKind(commands, metadata, space, vanished),
                new ClassicKind(group, stores, classicSpace, vanished));
        this.classicWork = new ClassicWork(
                new ClassicVolumes(group, commands),
                new ClassicRollback(group, commands, stores, volumes::device),
                new ClassicWork.Volumes() {
                    @Override
                    public LvmCatalog catalog() throws ProviderException {
                        return LvmProvider.this.catalog();
                    }

                    @Override
                    public Volume described(Entry<VolumeId> volume) throws ProviderException {
                        return volumes.described(volume);
                    }
                },
                new Alone() {
                    @Override
                    public <T> T run(Change<T> change) throws ProviderException {
                        return alone(change);
                    }
                },
                this::closed);
    }

    /**
     * Finishes what a crash has left.
     *
     * @throws ProviderException Busy while another process of this host manages the group; Denied without root
     */
    static LvmProvider open(LvmConfig config, LvmCommands commands, DeviceMapper devices, InstantSource clock)
            throws ProviderException {
        var lock = HostLock.take("lvm-" + config.group(), "volume group " + config.group());
        LvmProvider opened = null;
        try {
            var provider = new LvmProvider(config, commands, lock, devices, clock);
            var catalog = provider.catalog();
            provider.cutting.resumeAll(catalog);
            provider.cutting.rehearse();
            if (config.makesThin()) {
                catalog.pool(config.pool());
                provider.metadata.release(config.pool());
            }
            new HalfMade(provider.commands).sweep(catalog, provider.metadata);
            provider.cutting.sweep(provider.catalog());
            provider.rollback.sweep(provider.catalog());
            provider.classicWork.sweep(provider.catalog());
            opened = provider;
            return provider;
        } finally {
            if (opened == null) {
                lock.close();
            }
        }
    }

    /** For who only looks. */
    private LvmCatalog catalog() throws ProviderException {
        return new LvmCatalog(config.group(), cutting.settled(commands.list()));
    }

    /** For who changes something, and so keeps others from it: also takes off tags of what has been cut. */
    private synchronized LvmCatalog settledCatalog() throws ProviderException {
        return new LvmCatalog(config.group(), cutting.settle(commands.list()));
    }

    @Override
    public String name() {
        return LvmNames.PROVIDER;
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return volumes.described(catalog().volumes());
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return volumes.described(catalog().get(volume));
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        return switch (startCreate(volume, sizeBytes)) {
            case Step.Done<Volume>(var made) -> made;
            case Step.Running<Volume> running ->
                throw new ProviderException(new ProviderError.Busy(
                        volume.toString(),
                        "the zeros that are written to it as it is made, %.0f %% of them"
                                .formatted(100 * running.progress()),
                        BUSY_RETRY));
        };
    }

    @Override
    public Step<Volume> startCreate(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException("size is not a positive multiple of 512: " + sizeBytes);
        }
        synchronized (this) {
            var catalog = settledCatalog();
            var existing = catalog.find(volume);
            if (existing.isPresent()) {
                boolean snapshots = catalog.snapshots().stream()
                        .anyMatch(entry -> entry.id().volume().equals(volume));
                if (existing.get().sizeBytes() != sizeBytes || snapshots) {
                    throw new ProviderException(new ProviderError.VolumeExists(volume));
                }
                ClassicRollback.refuseHalfDone(existing.get());
                return new Step.Done<>(volumes.described(existing.get()));
            }
            refuseForeign(volume);
            if (config.makesThin()) {
                var tags = List.of(LvmNames.VOLUME + volume.name(), LvmNames.BYTES + sizeBytes);
                commands.create(LvmNames.forVolume(volume), config.pool(), sizeBytes, tags);
                return new Step.Done<>(volume(volume));
            }
        }
        return classicWork.create(volume, sizeBytes, LongWork.Asked.ANEW);
    }

    private synchronized <T> T alone(Alone.Change<T> change) throws ProviderException {
        return change.run(settledCatalog());
    }

    private static void refuseForeign(VolumeId volume) throws ProviderException {
        if (!volume.provider().equals(LvmNames.PROVIDER)) {
            throw new ProviderException(new ProviderError.VolumeNotFound(volume));
        }
    }

    @Override
    public synchronized void remove(VolumeId volume) throws ProviderException {
        open.refuseWhileWritten(volume);
        classicWork.refuseWhileMade(volume);
        var catalog = settledCatalog();
        var entry = catalog.find(volume);
        if (entry.isEmpty()) {
            return;
        }
        if (catalog.snapshots().stream().anyMatch(each -> each.id().volume().equals(volume))) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
        refuseWhileOpen(entry.get());
        if (cutting.forget(volume, catalog)) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "a snapshot was just cut of it"));
        }
        ClassicVolumes.refuseWithSnapshots(volume, entry.get().on(), catalog);
        commands.remove(entry.get().on().name());
    }

    private void refuseWhileOpen(Entry<VolumeId> entry) throws ProviderException {
        if (entry.on().open()) {
            throw new ProviderException(
                    new ProviderError.Busy(entry.id().toString(), volumes.openedBy(entry), BUSY_RETRY));
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        var catalog = catalog();
        var byKind = new LinkedHashMap<VolumeKind, List<VolumeId>>();
        for (var volume : volumes) {
            byKind.computeIfAbsent(this.volumes.kind(catalog.get(volume).on()), _ -> new ArrayList<>())
                    .add(volume);
        }
        var notes = new ArrayList<String>();
        for (var each : byKind.entrySet()) {
            notes.addAll(each.getKey().notes(catalog, each.getValue()));
        }
        return new CutForecast(CUT_EXPECTED.multipliedBy(volumes.size()), byKind.size() <= 1, notes);
    }

    /** Makes a logical volume for each snapshot, which nobody sees before the cut; programs run once a recovery point. */
    @Override
    public void prepare(CutRequest request) throws ProviderException {
        if (!cutting.prepared(request)) {
            prepareAlone(request);
        }
        open.flush(request.volumes());
    }

    private synchronized void prepareAlone(CutRequest request) throws ProviderException {
        var catalog = settledCatalog();
        var pools = new LinkedHashSet<String>();
        for (var volume : request.volumes()) {
            var entry = catalog.get(volume);
            ClassicRollback.refuseHalfDone(entry);
            var snapshot = new SnapshotId(volume, request.recoveryPoint());
            if (entry.on().thin() && catalog.find(snapshot).isEmpty()) {
                pools.add(entry.on().pool());
            }
        }
        for (var pool : pools) {
            space.refuseWhereScarce(catalog.pool(pool));
        }
        cutting.prepare(request, catalog);
    }

    /** Starts no program and waits for none once {@link #prepare} was called for the request; without it, it prepares. */
    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        // A suspended device keeps what is in the page cache from its pool.
        open.flush(request.volumes());
        var cut = cutting.cut(request);
        if (cut.isEmpty()) {
            prepare(request);
            cut = cutting.cut(request);
        }
        return cut.orElseThrow(() -> new ProviderException(new ProviderError.Busy(
                "recovery point " + request.recoveryPoint(), "another call for its volumes", BUSY_RETRY)));
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        var found = catalog().findAny(snapshot);
        if (found.filter(each -> each.on().store().invalid()).isPresent()) {
            return new Readiness.Failed(LvmCatalog.overflowed(found.get()));
        }
        if (found.isEmpty()) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
        return new Readiness.Ready();
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return SnapshotPage.of(query, catalog().snapshots().stream().map(LvmCatalog::describe));
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        var entry = catalog().get(snapshot);
        return vanished.unlessGone(
                snapshot,
                () -> open.read(
                        snapshot,
                        volumes.kind(entry.on()).activation(entry.on()),
                        () -> opened(entry.on(), entry.sizeBytes(), StandardOpenOption.READ)));
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        var catalog = catalog();
        var from = catalog.get(older);
        var to = catalog.get(newer);
        return volumes.kind(to.on()).changed(catalog, from, to);
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        var catalog = catalog();
        var entry = catalog.get(snapshot);
        return volumes.kind(entry.on()).allocated(catalog, entry);
    }

    @Override
    public synchronized Step<Volume> clone(CloneRequest request) throws ProviderException {
        var catalog = settledCatalog();
        var snapshot = catalog.get(request.snapshot());
        refuseCloneOfClassic(snapshot);
        var cloneOf = LvmNames.cloneOf(request.snapshot());
        var existing = catalog.find(request.name());
        if (existing.isPresent()) {
            if (existing.get().on().tags().contains(cloneOf)) {
                return new Step.Done<>(volumes.described(existing.get()));
            }
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        var tags = List.of(LvmNames.VOLUME + request.name().name(), LvmNames.BYTES + snapshot.sizeBytes(), cloneOf);
        commands.copy(LvmNames.forVolume(request.name()), snapshot.on().name(), tags);
        return new Step.Done<>(volume(request.name()));
    }

    private static void refuseCloneOfClassic(Entry<SnapshotId> snapshot) throws ProviderException {
        if (!snapshot.on().thin()) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.id().toString(),
                    "a classic snapshot has no snapshots of its own: copy it to another volume"));
        }
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        var from = catalog().get(snapshot);
        return from.on().thin()
                ? new Step.Done<>(rolledBack(snapshot))
                : classicWork.rollback(from, LongWork.Asked.ANEW);
    }

    private synchronized Volume rolledBack(SnapshotId snapshot) throws ProviderException {
        // One that failed half way may have left something of this volume.
        rollback.sweep(settledCatalog());
        var catalog = settledCatalog();
        var from = catalog.get(snapshot);
        var volume = catalog.get(snapshot.volume());
        closed(volume, catalog);
        rollback.run(volume.on(), from.on());
        return volume(snapshot.volume());
    }

    /** Nobody uses the volume, and no cut is prepared for it: it is about to become another one. */
    private void closed(Entry<VolumeId> volume, LvmCatalog catalog) throws ProviderException {
        open.refuseWhileWritten(volume.id());
        refuseWhileOpen(volume);
        var unused = cutting.forget(volume.id(), catalog);
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        open.refuseWhileWritten(volume);
        var entry = catalog().get(volume);
        // A rollback that goes on has it open itself; who asks for that again joins it.
        if (ClassicRollback.restoring(entry.on()).isEmpty()) {
            refuseWhileOpen(entry);
        }
    }

    @Override
    public synchronized VolumeWriter write(VolumeId volume) throws ProviderException {
        open.refuseWhileWritten(volume);
        var catalog = settledCatalog();
        var entry = catalog.get(volume);
        ClassicRollback.refuseHalfDone(entry);
        refuseWhileOpen(entry);
        if (!entry.on().active()) {
            commands.activate(entry.on().name());
        }
        var device = opened(entry.on(), entry.sizeBytes(), StandardOpenOption.READ, StandardOpenOption.WRITE);
        return open.write(volume, device, volumes.kind(entry.on()).storage(catalog, entry.on()));
    }

    private BlockDevice opened(LogicalVolume volume, long sizeBytes, OpenOption... options) throws ProviderException {
        return BlockDevice.open(volumes.device(volume), sizeBytes, options);
    }

    @Override
    public synchronized void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var on = settledCatalog().get(snapshot).on();
        if (!LvmCatalog.holders(on).contains(owner)) {
            vanished.unlessGone(snapshot, () -> {
                commands.tag(on.name(), List.of(LvmNames.HOLD + owner), List.of());
                return true;
            });
        }
        // Also of an earlier call, which may have failed at this.
        commands.flush();
    }

    @Override
    public synchronized void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var entry = settledCatalog().findAny(snapshot);
        if (entry.isPresent() && LvmCatalog.holders(entry.get().on()).contains(owner)) {
            commands.tag(entry.get().on().name(), List.of(), List.of(LvmNames.HOLD + owner));
        }
        commands.flush();
    }

    @Override
    public synchronized Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        var catalog = settledCatalog();
        var entry = catalog.findAny(snapshot);
        if (entry.isEmpty() && cutting.forget(snapshot, catalog)) {
            catalog = settledCatalog();
            entry = catalog.findAny(snapshot);
        }
        if (entry.isPresent()) {
            var owners = LvmCatalog.holders(entry.get().on());
            if (!owners.isEmpty()) {
                throw new ProviderException(new ProviderError.Held(snapshot, owners));
            }
            open.refuseWhileRead(snapshot);
            ClassicRollback.refuseWhileNeeded(snapshot, catalog);
            var unused = cutting.forget(snapshot, catalog);
            remove(snapshot, entry.get().on().name());
            cutting.deleted(entry.get().on().name());
        }
        return new Step.Done<>(true);
    }

    /** Done too where somebody else has removed it meanwhile. */
    private void remove(SnapshotId snapshot, String logicalVolume) throws ProviderException {
        try {
            commands.remove(logicalVolume);
        } catch (ProviderException e) {
            if (catalog().findAny(snapshot).isPresent()) {
                throw e;
            }
        }
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return classicWork.resume(handle);
    }

    @Override
    public void close() {
        classicWork.close();
        open.close();
        lock.close();
    }
}
