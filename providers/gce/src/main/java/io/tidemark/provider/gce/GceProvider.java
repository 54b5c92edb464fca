package io.tidemark.provider.gce;

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
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/** Disks and snapshots of one project. Everything it knows lies in the project; it keeps no state of its own. */
final class GceProvider implements StorageProvider, StorageReplication {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);
    /** Snapshots are held and deleted beside each other, but each by one. */
    private static final int STRIPES = 64;

    private final GceConfig config;
    private final GceConnection connection;
    private final GceCalls calls;
    private final Attempts attempts;
    private final GceVolumes volumes;
    private final SnapshotFinder finder;
    private final GceCutting cutting;
    private final GceClones clones;
    private final GceDeletion deletion;
    private final GceHolds holds;
    private final GceGroups groups;
    private final InstantUploads uploads;
    private final AsyncReplication replication;
    private final ReplicationSteps replicating;
    /** Empty: the settings name none, and snapshots are not read. */
    private final Optional<HelperDisks> helper;

    private final Object[] stripes = new Object[STRIPES];

    GceProvider(
            GceConfig config,
            GceConnection connection,
            Attempts attempts,
            InstantSource clock,
            GceWaiting waiting,
            Executor background) {
        this.config = config;
        this.connection = connection;
        this.attempts = attempts;
        calls = new GceCalls(connection, config.project());
        var recent = new RecentSnapshots(clock);
        volumes = new GceVolumes(calls, attempts, config);
        finder = new SnapshotFinder(calls, attempts, recent, config);
        Arrays.setAll(stripes, index -> new Object());
        var groupCalls = new GroupCalls(connection, config.project());
        uploads = new InstantUploads(groupCalls, calls, attempts, finder, config, this::of);
        groups = new GceGroups(groupCalls, calls, attempts, config, uploads, clock);
        cutting = new GceCutting(calls, attempts, volumes, finder, recent, config, waiting, groups);
        replication = new AsyncReplication(connection, calls, attempts, volumes, config);
        var operations = new GceOperations(calls, attempts, clock);
        replicating = new ReplicationSteps(replication, operations, volumes, config);
        clones = new GceClones(operations, volumes, finder, config);
        deletion = new GceDeletion(calls, attempts, finder, recent, clock, groups, uploads);
        helper =
                config.helper().map(each -> new HelperDisks(each, config, connection, operations, waiting, background));
        holds = new GceHolds(calls, attempts, finder);
    }

    @Override
    public String name() {
        return config.name();
    }

    AsyncReplication replication() {
        return replication;
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
    public Volume create(VolumeId volume, long sizeBytes) {
        throw absent(Capability.CREATE);
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        var found = volumes.lookUp(volume);
        if (found.isEmpty()) {
            return;
        }
        var disk = found.get();
        if (!volumes.isOurs(disk)) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "it was not made by Tidemark, which removes only what it has made"));
        }
        if (!disk.users().isEmpty()) {
            throw new ProviderException(new ProviderError.Busy(
                    volume.toString(), "instance " + disk.users().getFirst(), ASK_AGAIN));
        }
        if (!snapshots(SnapshotQuery.ofVolume(volume)).snapshots().isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
        var begun = attempts.until(() -> calls.deleteDisk(disk.location(), disk.name()));
        if (begun.isPresent() && !begun.get().errorCode().isEmpty()) {
            throw GceFailures.exception("disks.delete of " + volume, begun.get());
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
        if (isInstant(snapshot)) {
            var failure = uploads.failure(snapshot);
            if (failure.isPresent()) {
                return new Readiness.Failed(failure.get());
            }
            if (finder.lookUp(snapshot).isEmpty()) {
                return new Readiness.Pending(0, ASK_AGAIN);
            }
        }
        var found = finder.one(snapshot);
        return switch (found.status()) {
            case "READY" -> new Readiness.Ready();
            case "FAILED" ->
                new Readiness.Failed(new ProviderError.Corrupt(snapshot.toString(), "Google says that it has FAILED"));
            case "DELETING" ->
                new Readiness.Failed(new ProviderError.Conflict(snapshot.toString(), "it is being deleted"));
            default -> new Readiness.Pending(0, ASK_AGAIN);
        };
    }

    /** Cut with its group and not yet a snapshot of the project; what can be done about that is done. */
    private boolean isInstant(SnapshotId snapshot) throws ProviderException {
        var named = GceNames.diskOf(snapshot.volume()).map(GceNames.DiskName::location);
        return named.isPresent()
                && config.locations().contains(named.get())
                && finder.lookUp(snapshot).map(GceProvider::isToBeMadeAgain).orElse(true)
                && groups.goOn(named.get(), snapshot.recoveryPoint()).containsKey(snapshot);
    }

    /** Where its instant is there; one that is being deleted may be so for that. */
    private static boolean isToBeMadeAgain(CloudSnapshot found) {
        return found.status().equals("FAILED") || found.status().equals("DELETING");
    }

    /**
     * Those too that were cut with their group and are not yet snapshots of the project. A list of one recovery point
     * makes nothing of them, since it is how a cut that has failed is undone.
     */
    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        var instants = new HashMap<SnapshotId, Snapshot>();
        var asked = query.volume().flatMap(GceNames::diskOf).map(GceNames.DiskName::location);
        for (var place : config.locations()) {
            if (query.cursor().isEmpty() && (asked.isEmpty() || asked.get().equals(place))) {
                var pending = query.recoveryPoint().isPresent()
                        ? groups.pending(place, query.recoveryPoint().get())
                        : groups.goOn(place);
                pending.forEach((id, each) -> instants.put(id, new Snapshot(id, each.sizeBytes(), each.createdAt())));
            }
        }
        return finder.page(query, instants);
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        var disks = helper.orElseThrow(() -> absent(Capability.RANDOM_READ));
        return new HelperReader(disks, snapshot, readable(snapshot));
    }

    /** @throws ProviderException Busy while it is not whole */
    private CloudSnapshot readable(SnapshotId snapshot) throws ProviderException {
        return switch (readiness(snapshot)) {
            case Readiness.Ready() -> finder.one(snapshot);
            case Readiness.Failed(var error) -> throw new ProviderException(error);
            case Readiness.Pending(var progress, var askAgainAfter) ->
                throw new ProviderException(new ProviderError.Busy(
                        snapshot.toString(), "Google, which has not all of it yet", askAgainAfter));
        };
    }

    Optional<HelperDisks> helper() {
        return helper;
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) {
        throw absent(Capability.CHANGED_RANGES);
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        if (helper.isEmpty()) {
            throw absent(Capability.RANDOM_READ);
        }
        return HelperReader.everything(readable(snapshot).sizeBytes());
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        if (isInstant(request.snapshot())) {
            throw notYet(request.snapshot());
        }
        return clones.begin(request);
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
    public VolumeWriter write(VolumeId volume) {
        throw absent(Capability.RANDOM_WRITE);
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        if (isInstant(snapshot) && finder.lookUp(snapshot).isEmpty()) {
            throw notYet(snapshot);
        }
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
        return delete(new GceHandles.Delete(snapshot, Instant.EPOCH, Optional.empty()));
    }

    private Step<Boolean> delete(GceHandles.Delete asked) throws ProviderException {
        synchronized (of(asked.snapshot())) {
            return deletion.step(asked);
        }
    }

    /** One at a time holds or deletes a snapshot of ours: a hold that was granted is seen by the deletion after it. */
    private Object of(SnapshotId snapshot) {
        return stripes[Math.floorMod(snapshot.hashCode(), stripes.length)];
    }

    @Override
    public Status replication(VolumeId volume) throws ProviderException {
        return replicating.status(volume);
    }

    @Override
    public Step<Status> startReplication(VolumeId primary, VolumeId secondary) throws ProviderException {
        return replicating.start(new GceHandles.Replicate(primary, secondary, Optional.empty()));
    }

    @Override
    public Step<Status> stopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted)
            throws ProviderException {
        return replicating.stop(
                new GceHandles.StopReplication(volume, wholeGroup, Optional.empty()), newSecondaryAccepted);
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return switch (GceHandles.parse(handle)) {
            case GceHandles.Clone clone -> clones.step(clone);
            case GceHandles.Delete delete -> delete(delete);
            case GceHandles.Replicate replicate -> replicating.start(replicate);
            case GceHandles.StopReplication stop -> replicating.stop(stop, true);
        };
    }

    @Override
    public void close() {
        helper.ifPresent(HelperDisks::close);
        connection.close();
    }

    private ProviderException notYet(SnapshotId snapshot) {
        return new ProviderException(uploads.failure(snapshot)
                .orElse(new ProviderError.Busy(
                        snapshot.toString(), "Google, which has only its instant snapshot yet", ASK_AGAIN)));
    }

    private static UnsupportedOperationException absent(Capability capability) {
        return new UnsupportedOperationException("no volume of provider gce has " + capability);
    }
}
