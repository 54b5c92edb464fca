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
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Volumes and snapshots of one region of one account. Of Amazon's own volumes everything lies in the account, and it keeps no
 * state; of those that are made here what is not uploaded yet lies in the staging folder.
 */
final class EbsProvider implements StorageProvider, SnapshotCopies {
    /** Amazon's own waiter asks as often. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    /** Looks at two snapshots of which one left this host for Amazon meanwhile; there are two. */
    private static final int LOOKS_MAXIMUM = 5;

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
    private final EbsCuts cuts;
    private final EbsClones clones;
    private final EbsDeletion deletion;
    private final EbsCopies copies;
    private final EbsHolds holds;
    private final List<Object> abilities;
    private final OurGuard guard = new OurGuard();
    private final Semaphore blocks;
    private final Optional<Chains> staged;
    private final Optional<ChainVolumes> chains;
    /** A snapshot does not become a clone's base while it is deleted. */
    private final Object bases = new Object();

    private final Object[] stripes = new Object[STRIPES];
    private final Set<DirectReader> open = ConcurrentHashMap.newKeySet();

    EbsProvider(
            EbsConfig config,
            AwsClients clients,
            Attempts attempts,
            InstantSource clock,
            LongSupplier nanos,
            Supplier<HostDisks> disks,
            Staging staging)
            throws ProviderException {
        this.config = config;
        this.clients = clients;
        this.attempts = attempts;
        ec2 = new Ec2Calls(clients.ec2(), clients::requireCredentials);
        direct = new DirectCalls(clients.direct(), attempts);
        recent = new RecentEffects(clock);
        volumes = new EbsVolumes(ec2, attempts, config, recent, disks);
        staged = config.staging().isPresent()
                ? Optional.of(Chains.open(config.name(), config.staging().get(), staging.files()))
                : Optional.empty();
        finder = new SnapshotFinder(ec2, attempts, recent, config, staged);
        clones = new EbsClones(ec2, attempts, volumes, finder, config, recent);
        var protection = new ProtectionCalls(clients.ec2(), ec2);
        deletion = new EbsDeletion(ec2, protection, attempts, finder, recent, clock);
        holds = new EbsHolds(ec2, attempts, finder, recent);
        copies = new EbsCopies(ec2, attempts, finder, recent, config, clock);
        Arrays.setAll(stripes, index -> new Object());
        blocks = new Semaphore(config.parallelBlocks());
        chains = staged.map(each -> {
            var writes = new DirectWrites(clients.direct(), attempts);
            var cloud = new ChainUploads.Cloud(direct, writes, ec2, attempts, finder, recent, blocks, clock);
            var uploads = new ChainUploads(cloud, config.installation(), each::isBase);
            return new ChainVolumes(each, new ChainWork(uploads, staging.sleeper()), uploads, direct, blocks, clock);
        });
        var cutting = new EbsCutting(ec2, attempts, volumes, finder, recent, config, nanos);
        cuts = new EbsCuts(cutting, chains, finder, nanos);
        var uploaded = new UploadedSnapshots(finder, attempts, guard);
        abilities = List.of(
                new EbsLocks(protection, uploaded, clock),
                new EbsArchive(protection, uploaded),
                new EbsFastRestores(protection, uploaded, config.region()),
                new EbsRecycleBin(ec2, protection, attempts, finder, recent, config, guard));
    }

    /** What is done to snapshots at Amazon heeds the chains of this host. */
    private final class OurGuard implements UploadedSnapshots.Guard {
        @Override
        public boolean isStaged(SnapshotId snapshot) throws ProviderException {
            return holder(snapshot).isPresent();
        }

        @Override
        public boolean isBase(String cloudId) {
            return staged.filter(each -> each.isBase(cloudId)).isPresent();
        }

        /** A hold that was granted is seen by the deletion after it. */
        @Override
        public Object of(SnapshotId snapshot) {
            return stripes[Math.floorMod(snapshot.hashCode(), stripes.length)];
        }
    }

    @Override
    public <T> Optional<T> ability(Class<T> type) {
        return type.isInstance(this)
                ? Optional.of(type.cast(this))
                : abilities.stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    /**
     * How the staging folder is kept, where there is one.
     *
     * @param sleeper between looks at an upload, and after one that failed
     */
    record Staging(StagingFiles files, Attempts.Sleeper sleeper) {
        static Staging ofHost() {
            return new Staging(new StagingFiles(() -> {}), Thread::sleep);
        }
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        var all = volumes.all();
        if (chains.isEmpty()) {
            return all;
        }
        return Stream.concat(all.stream(), chains.get().all().stream())
                .sorted(Comparator.comparing(Volume::id))
                .toList();
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        var chain = chain(volume);
        return chain.isPresent() ? made().described(chain.get()) : volumes.described(volumes.find(volume));
    }

    private Optional<Chain> chain(VolumeId volume) throws ProviderException {
        return chains.isPresent() ? made().find(volume) : Optional.empty();
    }

    /** Those that a chain of this host is known of. */
    private ChainVolumes made() {
        return chains.orElseThrow();
    }

    /** The chain that has the snapshot on this host, not at Amazon yet. */
    private Optional<Chain> holder(SnapshotId snapshot) throws ProviderException {
        return chains.isPresent() ? made().holder(snapshot) : Optional.empty();
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        ChainVolumes.checkSize(volume, sizeBytes);
        if (chains.isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "no volume can be made without the setting staging, a folder of this host for what is on its way"));
        }
        synchronized (bases) {
            var existing = chain(volume);
            boolean isNew = existing.isEmpty() && volumes.lookUp(volume).isEmpty();
            boolean isSame = existing.isPresent()
                    && existing.get().sizeBytes() == sizeBytes
                    && existing.get().record().origin().isEmpty();
            if ((!isNew && !isSame)
                    || !snapshots(SnapshotQuery.ofVolume(volume)).snapshots().isEmpty()) {
                throw new ProviderException(new ProviderError.VolumeExists(volume));
            }
            return isNew ? made().make(volume, sizeBytes) : made().described(existing.get());
        }
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        var chain = chain(volume);
        if (chain.isPresent()) {
            refuseSnapshots(volume);
            made().remove(chain.get());
            return;
        }
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
        refuseSnapshots(volume);
        attempts.until(() -> {
            ec2.deleteVolume(cloud.id());
            return true;
        });
        recent.deletedVolume(cloud.id());
    }

    private void refuseSnapshots(VolumeId volume) throws ProviderException {
        if (!snapshots(SnapshotQuery.ofVolume(volume)).snapshots().isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        return cuts.forecast(asked);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        deletion.unasked();
        cuts.prepare(request);
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        return cuts.cut(request);
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        deletion.unasked();
        var holder = holder(snapshot);
        return holder.isPresent()
                ? made().readiness(holder.get(), snapshot)
                : finder.one(snapshot).readiness(snapshot);
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        if (query.volume().isPresent()) {
            var unused = chain(query.volume().get());
        }
        return finder.page(query);
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        var holder = holder(snapshot);
        var staged = holder.isPresent() ? made().read(holder.get(), snapshot) : Optional.<SnapshotReader>empty();
        if (staged.isPresent()) {
            return staged.get();
        }
        var found = readable(snapshot);
        var reader = new DirectReader(snapshot.toString(), found.id(), found.sizeBytes(), direct, blocks, open::remove);
        open.add(reader);
        return reader;
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        for (int look = 0; look < LOOKS_MAXIMUM; look++) {
            var lower = holder(older);
            var chain = lower.isPresent() ? lower : holder(newer);
            if (chain.isEmpty()) {
                return DirectRanges.changed(direct, readable(older), readable(newer));
            }
            var ranges = made().changed(chain.get(), where(older), where(newer));
            if (ranges.isPresent()) {
                return ranges.get();
            }
        }
        throw new ProviderException(
                new ProviderError.Busy(older + " and " + newer, "uploads that are at their end", ASK_AGAIN));
    }

    private ChainVolumes.Where where(SnapshotId snapshot) throws ProviderException {
        return new ChainVolumes.Where(
                snapshot, holder(snapshot).isPresent() ? Optional.empty() : Optional.of(readable(snapshot)));
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        var holder = holder(snapshot);
        var staged = holder.isPresent() ? made().allocated(holder.get(), snapshot) : Optional.<ChangedRanges>empty();
        return staged.isPresent() ? staged.get() : DirectRanges.written(direct, readable(snapshot));
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        var named = named(request);
        if (named.isPresent()) {
            return named.get();
        }
        var holder = holder(request.snapshot());
        if (holder.isPresent()) {
            return switch (made().readiness(holder.get(), request.snapshot())) {
                case Readiness.Failed(var error) -> throw new ProviderException(error);
                case Readiness.Pending(var progress, var askAgain) ->
                    new Step.Running<>(EbsHandles.ofClone(request), progress, askAgain);
                case Readiness.Ready() -> new Step.Running<>(EbsHandles.ofClone(request), 1, ASK_AGAIN);
            };
        }
        if (chains.isPresent() && config.chainClones()) {
            synchronized (bases) {
                var snapshot = finder.one(request.snapshot());
                if (snapshot.chainNumber().isPresent()) {
                    var meanwhile = named(request);
                    return meanwhile.isPresent() ? meanwhile.get() : cloneAsChain(request);
                }
            }
        }
        return clones.step(request);
    }

    /** What a clone asked for before has become, where its name is a chain's. */
    private Optional<Step<Volume>> named(CloneRequest request) throws ProviderException {
        var chain = chain(request.name());
        if (chain.isEmpty()) {
            return Optional.empty();
        }
        if (!chain.get().record().origin().equals(Optional.of(request.snapshot()))) {
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        return Optional.of(new Step.Done<>(made().described(chain.get())));
    }

    /** Snapshots of a chain whose staging is lost keep its name: another chain under it would hide them. */
    private Step<Volume> cloneAsChain(CloneRequest request) throws ProviderException {
        var ofName = SnapshotQuery.ofVolume(request.name());
        if (volumes.lookUp(request.name()).isPresent()
                || !snapshots(ofName).snapshots().isEmpty()) {
            throw new ProviderException(new ProviderError.VolumeExists(request.name()));
        }
        return made().clone(request, readable(request.snapshot()));
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        if (holder(snapshot).isEmpty()) {
            var unused = finder.one(snapshot);
        }
        throw absent(Capability.ROLLBACK);
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) {
        throw absent(Capability.ROLLBACK);
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        var chain = chain(volume);
        if (chain.isPresent()) {
            return made().write(chain.get());
        }
        var unused = volumes.find(volume);
        throw absent(Capability.RANDOM_WRITE);
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        synchronized (guard.of(snapshot)) {
            var holder = holder(snapshot);
            if (holder.isPresent() && holder.get().hold(snapshot, owner, true)) {
                return;
            }
            holds.hold(snapshot, owner);
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var holder = holder(snapshot);
        if (holder.isEmpty() || !holder.get().hold(snapshot, owner, false)) {
            holds.release(snapshot, owner);
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        deletion.unasked();
        return delete(snapshot, Instant.EPOCH);
    }

    private Step<Boolean> delete(SnapshotId snapshot, Instant mayAppearUntil) throws ProviderException {
        synchronized (guard.of(snapshot)) {
            var chain = chain(snapshot.volume());
            if (chain.isEmpty() && chains.isEmpty()) {
                return deletion.step(snapshot, mayAppearUntil);
            }
            if (chain.isPresent() && made().drop(chain.get(), snapshot)) {
                return new Step.Done<>(true);
            }
            synchronized (bases) {
                return deletion.ofChains(snapshot, chain.isPresent() ? Instant.MIN : mayAppearUntil, made());
            }
        }
    }

    @Override
    public Step<Snapshot> copyOf(StorageProvider source, SnapshotId snapshot, Optional<String> key)
            throws ProviderException {
        if (!(source instanceof EbsProvider elsewhere) || source == this) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "provider %s copies from another provider of kind ebs, not from %s"
                            .formatted(name(), source.name())));
        }
        if (key.isPresent()) {
            EbsCopies.checkKey(key.get());
        }
        var id = new SnapshotId(VolumeId.of(name(), snapshot.volume().name()), snapshot.recoveryPoint());
        var found = elsewhere.readable(snapshot);
        return copy(new EbsCopies.Wanted(id, elsewhere.config.region(), found.id(), found.sizeBytes(), key));
    }

    private Step<Snapshot> copy(EbsCopies.Wanted wanted) throws ProviderException {
        synchronized (guard.of(wanted.id())) {
            return copies.step(wanted);
        }
    }

    @Override
    public boolean copiesFrom(StorageProvider source) {
        return source instanceof EbsProvider && source != this;
    }

    @Override
    public String phase(Handle handle) {
        return EbsHandles.parse(handle) instanceof EbsHandles.Copy(var wanted, var phase) ? copies.phase(phase) : "";
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return switch (EbsHandles.parse(handle)) {
            case EbsHandles.Clone(var request) -> clone(request);
            case EbsHandles.Copy(var wanted, var phase) -> copy(wanted);
            case EbsHandles.Delete(var snapshot, var until) -> delete(snapshot, until);
        };
    }

    @Override
    public void close() {
        chains.ifPresent(ChainVolumes::close);
        open.forEach(DirectReader::close);
        clients.close();
    }

    private CloudSnapshot readable(SnapshotId snapshot) throws ProviderException {
        var found = finder.one(snapshot);
        UploadedSnapshots.refuseUnreadable(snapshot, found);
        return found;
    }

    private static UnsupportedOperationException absent(Capability capability) {
        return new UnsupportedOperationException("no volume of provider ebs has " + capability);
    }
}
