package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.Capability;
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
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Disks and snapshots of one region of one subscription. Everything it knows lies there; it keeps no state of its own.
 */
final class AzureProvider implements StorageProvider, SnapshotCopies {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);
    /** For the removal of a disk to come to its end. */
    private static final Duration REMOVAL_MAXIMUM = Duration.ofSeconds(60);

    /** For one of a disk's five signatures to be given back. */
    private static final Duration SIGNATURE_WAIT_MAXIMUM = Duration.ofSeconds(30);
    /** Snapshots are held and deleted beside each other, but each by one. */
    private static final int STRIPES = 64;

    private final AzureConfig config;
    private final Attempts attempts;
    private final InstantSource clock;
    private final ArmGate gate;
    private final DiskCalls calls;
    private final AzureHolds holds;
    private final AzureVolumes volumes;
    private final AzureSnapshots snapshots;
    private final AzureFinder finder;
    private final AzureUploads uploads;
    private final AzureCutting cutting;
    private final AzureClones clones;
    private final AzureDeletion deletion;
    private final AzureCopies copies;
    private final CopySources sources;
    private final AzureReading reading;
    private final Object[] stripes = new Object[STRIPES];

    /** What time is, and how it is waited for. */
    record Time(InstantSource clock, LongSupplier nanos, Attempts.Sleeper sleeper) {}

    AzureProvider(AzureConfig config, AzureClients clients, Attempts attempts, Time time) {
        this.config = config;
        this.attempts = attempts;
        var arm = new Arm(clients, new ArmGate(time.clock(), time.sleeper()));
        clock = time.clock();
        gate = arm.gate();
        calls = new DiskCalls(arm, config.installation());
        var recent = new RecentEffects(time.clock());
        var lists = new AzureLists(config, attempts);
        volumes = new AzureVolumes(calls, attempts, lists, config);
        var points = new AzurePoints(new PointCalls(arm), attempts, config, time.clock(), recent);
        snapshots = new AzureSnapshots(calls, attempts, lists, recent, config, points);
        finder = new AzureFinder(snapshots, points, config);
        holds = new AzureHolds(calls, attempts, finder, points, recent, arm.gate());
        var access = new AccessCalls(arm, attempts, time.clock());
        var blobs = new BlobCalls(clients, attempts);
        uploads = new AzureUploads(calls, access, blobs, attempts, arm.gate(), config, time.clock());
        cutting = new AzureCutting(
                arm, calls, attempts, volumes, snapshots, points, uploads, recent, config, time.clock(), time.nanos());
        clones = new AzureClones(calls, attempts, volumes, finder, config);
        sources = new CopySources(calls, attempts, time.clock());
        deletion = new AzureDeletion(calls, attempts, snapshots, points, sources, recent, config, time.clock());
        copies = new AzureCopies(
                calls, snapshots, config, new AzureCopies.Shared(attempts, arm.gate(), lists, recent, time.clock()));
        reading = new AzureReading(finder, blobs, new Leases(access, SIGNATURE_WAIT_MAXIMUM), config);
        Arrays.setAll(stripes, index -> new Object());
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return volumes.all();
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return volumes.described(volumes.find(volume));
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        return volumes.described(uploads.create(volume, sizeBytes));
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        var found = volumes.lookUp(volume);
        if (found.isEmpty()) {
            return;
        }
        var disk = found.get();
        if (!disk.isOf(config.installation())) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "it was not made by Tidemark, which removes only what it has made"));
        }
        if (disk.machine().isPresent()) {
            throw new ProviderException(new ProviderError.Busy(
                    volume.toString(), "machine " + disk.machine().get(), ASK_AGAIN));
        }
        if (!snapshots(SnapshotQuery.ofVolume(volume)).snapshots().isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
        uploads.end(disk);
        removed(volume, disk);
    }

    private void removed(VolumeId volume, CloudDisk disk) throws ProviderException {
        var until = clock.instant().plus(REMOVAL_MAXIMUM);
        for (; ; ) {
            var begun = attempts.until(() -> calls.deleteDisk(disk.group(), disk.name()));
            if (begun.done()) {
                return;
            }
            if (!clock.instant().isBefore(until)) {
                throw new ProviderException(new ProviderError.Busy(
                        volume.toString(),
                        "Azure, which has been removing it for %d s".formatted(REMOVAL_MAXIMUM.toSeconds()),
                        ASK_AGAIN));
            }
            gate.pause(volume.toString(), begun.askAgain());
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        return cutting.forecast(asked);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        cutting.prepare(request);
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        return cutting.cut(request);
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        return AzureFinder.readiness(snapshot, finder.one(snapshot));
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return snapshots.page(query);
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        return reading.read(snapshot);
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        return reading.changed(older, newer);
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        return reading.allocated(snapshot);
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        return clones.step(request);
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) {
        throw absent(Capability.ROLLBACK);
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) {
        throw absent(Capability.ROLLBACK);
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        return uploads.write(volume, volumes.find(volume));
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        synchronized (of(snapshot)) {
            holds.hold(snapshot, owner);
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        synchronized (of(snapshot)) {
            holds.release(snapshot, owner);
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        return delete(snapshot, Instant.EPOCH);
    }

    private Step<Boolean> delete(SnapshotId snapshot, Instant mayAppearUntil) throws ProviderException {
        synchronized (of(snapshot)) {
            return deletion.step(snapshot, mayAppearUntil);
        }
    }

    @Override
    public Step<Snapshot> copyOf(StorageProvider source, SnapshotId snapshot, Optional<String> key)
            throws ProviderException {
        if (!(source instanceof AzureProvider elsewhere) || source == this) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "provider %s copies from another provider of kind azure, not from %s"
                            .formatted(name(), source.name())));
        }
        if (key.isPresent()) {
            AzureCopies.checkKey(key.get());
        }
        elsewhere.refuseUncopied(snapshot, config);
        var id = new SnapshotId(VolumeId.of(name(), snapshot.volume().name()), snapshot.recoveryPoint());
        var from = elsewhere.finder.readable(snapshot);
        if (elsewhere.finder.isPoint(from)) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "it is a disk's part of a restore point, and only snapshots are copied: cut the disk alone"));
        }
        if (!copies.isWhole(id)) {
            elsewhere.tellCopy(snapshot, config.location(), copies.place(id));
        }
        return copy(new AzureCopies.Wanted(id, from.id(), key, from.uploadedBytes()));
    }

    private void refuseUncopied(SnapshotId snapshot, AzureConfig target) throws ProviderException {
        if (!config.subscription().equals(target.subscription())) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(), "it is of another subscription than %s copies into".formatted(target.name())));
        }
        if (config.location().equals(target.location())) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "both providers are of region %s: name one of another".formatted(config.location())));
        }
    }

    private void tellCopy(SnapshotId snapshot, String location, AzureNames.Place copy) throws ProviderException {
        synchronized (of(snapshot)) {
            holds.tell(snapshot, finder.readable(snapshot), sources.told(location, copy));
        }
    }

    private Step<Snapshot> copy(AzureCopies.Wanted wanted) throws ProviderException {
        synchronized (of(wanted.id())) {
            return copies.step(wanted);
        }
    }

    @Override
    public boolean copiesFrom(StorageProvider source) {
        return source instanceof AzureProvider && source != this;
    }

    @Override
    public String phase(Handle handle) {
        return AzureHandles.parse(handle) instanceof AzureHandles.Copy(var wanted, var phase)
                ? copies.phase(phase)
                : "";
    }

    /**
     * One at a time holds or deletes snapshots of a recovery point, which may share tags: a hold that was granted is
     * seen by the deletion after it.
     */
    private Object of(SnapshotId snapshot) {
        return stripes[Math.floorMod(snapshot.recoveryPoint().hashCode(), stripes.length)];
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return switch (AzureHandles.parse(handle)) {
            case AzureHandles.Clone(var request) -> clones.step(request);
            case AzureHandles.Copy(var wanted, var phase) -> copy(wanted);
            case AzureHandles.Delete(var snapshot, var until) -> delete(snapshot, until);
        };
    }

    @Override
    public void close() {
        reading.close();
    }

    private static UnsupportedOperationException absent(Capability capability) {
        return new UnsupportedOperationException("no volume of provider azure has " + capability);
    }
}
