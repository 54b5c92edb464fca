package io.tidemark.provider.ebs;

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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Volumes and snapshots of one region of one account. Everything it knows lies in the account; it keeps no state of its own. */
final class EbsProvider implements StorageProvider {
    /** Amazon's own waiter asks as often. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    /** Snapshots are held and deleted beside each other, but each by one. */
    private static final int STRIPES = 64;

    private final EbsConfig config;
    private final AwsClients clients;
    private final Ec2Calls ec2;
    private final DirectCalls direct;
    private final Attempts attempts;
    private final RecentEffects recent;
    private final EbsVolumes volumes;
    private final SnapshotFinder finder;
    private final EbsCutting cutting;
    private final EbsClones clones;
    private final EbsDeletion deletion;
    private final Semaphore blocks;
    private final Object[] stripes = new Object[STRIPES];
    private final Set<DirectReader> open = ConcurrentHashMap.newKeySet();

    EbsProvider(
            EbsConfig config,
            AwsClients clients,
            Attempts attempts,
            InstantSource clock,
            LongSupplier nanos,
            Supplier<HostDisks> disks) {
        this.config = config;
        this.clients = clients;
        this.attempts = attempts;
        ec2 = new Ec2Calls(clients.ec2(), clients::requireCredentials);
        direct = new DirectCalls(clients.direct(), attempts);
        recent = new RecentEffects(clock);
        volumes = new EbsVolumes(ec2, attempts, config, recent, disks);
        finder = new SnapshotFinder(ec2, attempts, recent, config);
        cutting = new EbsCutting(ec2, attempts, volumes, finder, recent, config, nanos);
        clones = new EbsClones(ec2, attempts, volumes, finder, config, recent);
        deletion = new EbsDeletion(ec2, attempts, finder, recent, clock);
        Arrays.setAll(stripes, index -> new Object());
        blocks = new Semaphore(config.parallelBlocks());
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
    public Volume create(VolumeId volume, long sizeBytes) {
        throw absent(Capability.CREATE);
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        var found = volumes.lookUp(volume);
        if (found.isEmpty()) {
            return;
        }
        var cloud = found.get();
        if (!config.installation().equals(cloud.tags().get(EbsNames.INSTALLATION))) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "it was not made by Tidemark, which removes only what it has made"));
        }
        if (!cloud.attachments().isEmpty()) {
            throw new ProviderException(new ProviderError.Busy(
                    volume.toString(),
                    "instance " + cloud.attachments().getFirst().instance(),
                    ASK_AGAIN));
        }
        if (!snapshots(SnapshotQuery.ofVolume(volume)).snapshots().isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
        attempts.until(() -> {
            ec2.deleteVolume(cloud.id());
            return true;
        });
        recent.deletedVolume(cloud.id());
    }

    @Override
    public CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        return cutting.forecast(asked);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        deleteUnasked();
        cutting.prepare(request);
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        return cutting.cut(request);
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        deleteUnasked();
        return readiness(snapshot, finder.one(snapshot));
    }

    private static Readiness readiness(SnapshotId snapshot, CloudSnapshot found) {
        if (!found.tier().equals("standard")) {
            return new Readiness.Failed(new ProviderError.Conflict(
                    snapshot.toString(), "%s is in tier %s: restore it first".formatted(found.id(), found.tier())));
        }
        return switch (found.state()) {
            case "completed" -> new Readiness.Ready();
            case "error" -> new Readiness.Failed(new ProviderError.Corrupt(snapshot.toString(), found.message()));
            case "recoverable" ->
                new Readiness.Failed(new ProviderError.Conflict(
                        snapshot.toString(), found.id() + " is in the recycle bin: restore it first"));
            default -> new Readiness.Pending(found.progress(), ASK_AGAIN);
        };
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return finder.page(query);
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        var found = readable(snapshot);
        var reader = new DirectReader(snapshot, found.id(), found.sizeBytes(), direct, blocks, open::remove);
        open.add(reader);
        return reader;
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        return DirectRanges.changed(direct, readable(older), readable(newer));
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        return DirectRanges.written(direct, readable(snapshot));
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
    public VolumeWriter write(VolumeId volume) {
        throw absent(Capability.RANDOM_WRITE);
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        synchronized (of(snapshot)) {
            var found = finder.one(snapshot);
            var holds = SnapshotFinder.holdsOf(found);
            if (holds.contains(owner)) {
                return;
            }
            if (holds.size() >= EbsNames.HOLDS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.toString(),
                        "it has %d holds, which are tags, and Amazon allows no more: release one"
                                .formatted(holds.size())));
            }
            var key = EbsNames.HOLD + owner;
            attempts.until(() -> {
                ec2.tag(found.id(), Map.of(key, ""));
                return true;
            });
            recent.tagged(found.id(), key, Optional.of(""));
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var key = EbsNames.HOLD + owner;
        for (var each : finder.all(snapshot)) {
            attempts.until(() -> {
                ec2.untag(each.id(), key);
                return true;
            });
            recent.tagged(each.id(), key, Optional.empty());
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        deleteUnasked();
        return delete(snapshot, Instant.EPOCH);
    }

    private Step<Boolean> delete(SnapshotId snapshot, Instant mayAppearUntil) throws ProviderException {
        synchronized (of(snapshot)) {
            return deletion.step(snapshot, mayAppearUntil);
        }
    }

    /** One at a time holds or deletes a snapshot of ours: a hold that was granted is seen by the deletion after it. */
    private Object of(SnapshotId snapshot) {
        return stripes[Math.floorMod(snapshot.hashCode(), stripes.length)];
    }

    /** What a cut made of volumes that nobody asked for. What cannot be deleted now is tried again at the next call. */
    private void deleteUnasked() {
        for (var each : recent.takeUnasked()) {
            try {
                if (ec2.deleteSnapshot(each)) {
                    recent.deleted(each);
                } else {
                    recent.unasked(each);
                }
            } catch (ProviderException e) {
                recent.unasked(each);
            }
        }
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return switch (EbsHandles.parse(handle)) {
            case EbsHandles.Clone(var request) -> clones.step(request);
            case EbsHandles.Delete(var snapshot, var until) -> delete(snapshot, until);
        };
    }

    @Override
    public void close() {
        open.forEach(DirectReader::close);
        clients.close();
    }

    private CloudSnapshot readable(SnapshotId snapshot) throws ProviderException {
        var found = finder.one(snapshot);
        return switch (readiness(snapshot, found)) {
            case Readiness.Ready ignored -> found;
            case Readiness.Failed(var error) -> throw new ProviderException(error);
            case Readiness.Pending(var progress, var askAgain) ->
                throw new ProviderException(new ProviderError.Busy(
                        snapshot.toString(),
                        "Amazon, which copies it (%d %%)".formatted(Math.round(progress * 100)),
                        askAgain));
        };
    }

    private static UnsupportedOperationException absent(Capability capability) {
        return new UnsupportedOperationException("no volume of provider ebs has " + capability);
    }
}
