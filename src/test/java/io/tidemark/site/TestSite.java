package io.tidemark.site;

import io.tidemark.agent.Providers;
import io.tidemark.agent.remote.ConnectedAgents;
import io.tidemark.control.ControlPorts;
import io.tidemark.control.CreateVolume;
import io.tidemark.control.Intent;
import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.control.SiteControl;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Ids;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.PeerId;
import io.tidemark.http.Problems;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.store.SiteStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** One life of a site; {@link #reborn} begins the next one on the same storage and state folder. */
public final class TestSite implements AutoCloseable {
    /** Far longer than anything here takes on a loaded machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final String DELETION = "deletion";

    private final Path folder;
    private final MemoryStorage storage;
    private final InstantSource clock;
    private final NoLiveLinks live = new NoLiveLinks();
    private final AtomicReference<@Nullable Moment> deadly = new AtomicReference<>();
    private final CountDownLatch died = new CountDownLatch(1);

    /** What the target side says to a link that is to be forgotten. */
    public volatile Optional<String> inTheWay = Optional.empty();

    /** Volumes that look mounted. */
    public final ControlPorts.Stores stores;

    public final Set<VolumeId> mounted = ConcurrentHashMap.newKeySet();

    /** Volumes that look as if they were file systems, not blocks. */
    public final Set<VolumeId> files = ConcurrentHashMap.newKeySet();

    /** While true, nobody can tell whether a volume is open. */
    public volatile boolean unreachable;

    /** What the storage says to whoever looks at its volumes and snapshots, or deletes one. */
    public volatile Optional<ProviderError> refusal = Optional.empty();

    /** What the storage says of a deletion when it is asked how far it is; empty: a deletion is done at once. */
    public volatile Optional<ProviderError> refusalAfterAStep = Optional.empty();

    /** What the storage can do with snapshots besides keeping them; empty: nothing. */
    public volatile Optional<Protections> protections = Optional.empty();

    /** How often a snapshot that is asked for is not readable yet. */
    public final AtomicInteger looksUntilReadable = new AtomicInteger();

    /** What asking whether a snapshot can be read is refused with. */
    public Optional<ProviderError> unreadable = Optional.empty();

    /** How often a volume that is asked for in steps is not made yet. */
    public final AtomicInteger stepsToCreate = new AtomicInteger();

    /** How often a copy that is asked for is not made yet. */
    public final AtomicInteger stepsToCopy = new AtomicInteger();

    /** While true, who asks for a copy, or deletes one, gets no answer. */
    public volatile boolean copiesUnanswered;

    private final boolean mirrored;
    /** Provider {@code replicating}, where there is a mirror. */
    public final ReplicatingStorage replicating;

    public final SiteStore store;
    public final Providers providers;
    public final FakeTaker taker;
    public final FakeReplicator replicator;
    public final SiteControl control;
    public final Ids ids;

    private TestSite(
            Path folder,
            MemoryStorage storage,
            InstantSource clock,
            OperationSettings settings,
            Observer observer,
            boolean mirrored) {
        this.mirrored = mirrored;
        this.replicating = new ReplicatingStorage(new MemoryProvider("replicating", storage, clock, System::nanoTime));
        this.folder = folder;
        this.storage = storage;
        this.clock = clock;
        this.store = SiteStore.open(folder);
        Moments moments = this::reached;
        var all = new ArrayList<StorageProvider>();
        all.add(mountable(new MemoryProvider("memory", storage, clock, System::nanoTime)));
        if (mirrored) {
            all.add(Mirror.of(
                    new MemoryProvider("mirror", storage, clock, System::nanoTime),
                    stepsToCopy,
                    () -> copiesUnanswered));
            all.add(replicating.provider());
        }
        this.providers = new Providers(all);
        this.taker = new FakeTaker(providers, moments, clock);
        this.replicator = new FakeReplicator(providers, moments);
        var random = new Random(folder.hashCode() + System.nanoTime());
        this.ids = new Ids(clock, random);
        this.stores = new ControlPorts.Stores(
                store.groups(),
                store.recoveryPoints(),
                store.peers(),
                store.links(),
                store.catalog(),
                store.operations(),
                store.idempotency(),
                store.trackingAudits());
        var agents = new ControlPorts.Agents(
                providers,
                taker,
                new ConnectedAgents(store.agents(), () -> "127.0.0.1:7421", "0".repeat(64), clock, random),
                replicator,
                new FakePairing(store.catalog(), clock),
                link -> inTheWay,
                TestExports.of(providers),
                live);
        this.control = new SiteControl(
                new ControlPorts(stores, agents, Problems.writer(), observer, moments, ids, clock, random), settings);
    }

    /** Memory has no file systems: what is in {@link #mounted} looks as if it had one that is mounted. */
    private StorageProvider mountable(StorageProvider provider) {
        return (StorageProvider) Proxy.newProxyInstance(
                TestSite.class.getClassLoader(), new Class<?>[] {StorageProvider.class}, (proxy, method, arguments) -> {
                    try {
                        if (method.getName().equals("startCreate") && stepsToCreate.getAndDecrement() > 0) {
                            return new Step.Running<Volume>(
                                    new Handle("memory", arguments[0] + " " + arguments[1]), 0.5, Duration.ZERO);
                        }
                        if (method.getName().equals("delete") && refusalAfterAStep.isPresent()) {
                            return new Step.Running<Boolean>(new Handle("memory", DELETION), 0, Duration.ZERO);
                        }
                        if (method.getName().equals("resume")
                                && ((Handle) arguments[0]).token().equals(DELETION)) {
                            throw new ProviderException(refusalAfterAStep.orElseThrow());
                        }
                        if (method.getName().equals("resume")) {
                            var words = ((Handle) arguments[0]).token().split(" ", -1);
                            return ((StorageProvider) proxy)
                                    .startCreate(new VolumeId(words[0]), Long.parseLong(words[1]));
                        }
                        if (refusal.isPresent()
                                && Set.of("volumes", "snapshots", "delete").contains(method.getName())) {
                            throw new ProviderException(refusal.orElseThrow());
                        }
                        if (method.getName().equals("ability")) {
                            return protections.filter(((Class<?>) arguments[0])::isInstance);
                        }
                        if (method.getName().equals("delete") && protections.isPresent()) {
                            protections.get().refuseLocked((SnapshotId) arguments[0]);
                        }
                        if (method.getName().equals("readiness") && unreadable.isPresent()) {
                            throw new ProviderException(unreadable.get());
                        }
                        if (method.getName().equals("readiness") && looksUntilReadable.getAndDecrement() > 0) {
                            return new Readiness.Pending(0.4, Duration.ZERO);
                        }
                        if (method.getName().equals("refuseWhileOpen") && unreachable) {
                            throw new ProviderException(
                                    new ProviderError.Unreachable("agent db1", "it is not connected"));
                        }
                        var answer = method.invoke(provider, arguments);
                        return answer instanceof Volume volume ? dressed(volume) : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private Volume dressed(Volume volume) {
        return new Volume(
                volume.id(),
                volume.sizeBytes(),
                files.contains(volume.id()) ? Set.of(Capability.FILES) : volume.capabilities(),
                volume.device(),
                mounted.contains(volume.id()) ? List.of(Path.of("/srv")) : volume.mountPoints(),
                volume.facts());
    }

    /** Writes one byte into the volume, as an application would. */
    public void write(VolumeId volume, long offsetBytes, int value) throws ProviderException {
        try (var writer = providers.of(volume).write(volume)) {
            writer.write(offsetBytes, ByteBuffer.wrap(new byte[] {(byte) value}));
            writer.flush();
        }
    }

    public static TestSite in(Path folder) {
        return in(folder, InstantSource.system(), new OperationSettings(8, Duration.ofSeconds(20)), Observer.NONE);
    }

    public static TestSite in(Path folder, InstantSource clock, OperationSettings settings, Observer observer) {
        return new TestSite(folder, new MemoryStorage(), clock, settings, observer, false);
    }

    /** With the provider {@code mirror}, to which snapshots of {@code memory} can be copied, and {@code replicating}. */
    public static TestSite mirrored(Path folder) {
        var settings = new OperationSettings(8, Duration.ofSeconds(20));
        return new TestSite(folder, new MemoryStorage(), InstantSource.system(), settings, Observer.NONE, true);
    }

    public TestSite recovered() throws InterruptedException {
        control.recover();
        return this;
    }

    /** The process "dies" here: whoever reaches the moment never goes on. */
    public void dieAt(Moment moment) {
        deadly.set(moment);
    }

    private void reached(Moment moment) {
        if (moment == deadly.get()) {
            died.countDown();
            while (true) {
                LockSupport.park();
            }
        }
    }

    public void awaitDeath() throws InterruptedException {
        if (!died.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the moment was not reached: " + deadly.get());
        }
    }

    /** The next life. What the old one was doing stays undone. */
    public TestSite reborn() {
        return reborn(new OperationSettings(8, Duration.ofSeconds(20)));
    }

    public TestSite reborn(OperationSettings settings) {
        store.close();
        return new TestSite(folder, storage, clock, settings, Observer.NONE, mirrored);
    }

    public LiveHost live() {
        return live;
    }

    /** From now on there is a live link of which it is not known what it replicates. */
    public void keepUnreadLive() {
        live.unread.add(new LiveHost.Unread(new LinkId("ln-broken"), "/state/live/ln-broken", "it is damaged"));
    }

    /** To be run while a live link is made. */
    public void whileLiveIsMade(Runnable meanwhile) {
        live.meanwhile = meanwhile;
    }

    public void addLive(LiveHost.Live link) {
        live.links.add(link);
    }

    /** From now on the volume is replicated live, by a link that is not open. */
    public void replicateLive(VolumeId volume) {
        var terms = new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 1 << 20, 67, 0, 0, false);
        var link = new LiveHost.Link(
                new LinkId("ln-live"), new PeerId("site-b"), volume, volume, 1 << 20, true, terms, clock.instant());
        live.links.add(new LiveHost.Live(
                link,
                Optional.empty(),
                "its volume is away",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                LiveHost.Traffic.NONE,
                Map.of()));
    }

    public Intent intent() {
        return new Intent(ids.operation().value().substring("op-".length()), false);
    }

    public static VolumeId volume(String name) {
        return VolumeId.of("memory", name);
    }

    /** A volume of 1 MiB. */
    public VolumeId addVolume(String name) throws Exception {
        var outcome = control.volumes().create().create(volume(name), 1 << 20, intent());
        return ((CreateVolume.Outcome.Made) outcome).volume().id();
    }

    /** A group of fresh volumes. */
    public ConsistencyGroup addGroup(String id, String... volumeNames) throws Exception {
        var volumes = new ArrayList<VolumeId>();
        for (var name : volumeNames) {
            volumes.add(addVolume(name));
        }
        var group = new ConsistencyGroup(
                new GroupId(id), volumes, List.of(), true, ConsistencyGroup.FREEZE_LIMIT_DEFAULT, Consistency.CRASH);
        return control.volumes().saveGroup().create(group, intent());
    }

    public Operation awaitEnd(OperationId id) {
        return Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> control.operations().get(id),
                        operation -> operation.state().ended());
    }

    public long snapshotCount() throws Exception {
        return providers.all().iterator().next().snapshots(SnapshotQuery.everything()).snapshots().stream()
                .count();
    }

    @Override
    public void close() {
        store.close();
    }
}
