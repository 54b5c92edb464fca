package io.tidemark.live;

import io.tidemark.agent.MemoryCatalog;
import io.tidemark.agent.PeerReplicator;
import io.tidemark.agent.Providers;
import io.tidemark.agent.ReplicationServer;
import io.tidemark.agent.SitePairing;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.ExportId;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.export.ExportImage;
import io.tidemark.export.Exports;
import io.tidemark.export.OpenImages;
import io.tidemark.export.Overlays;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A host with live links over memory; its storage, its catalog and its folder outlive its restarts. */
final class LiveSite implements AutoCloseable {
    static final LinkId LINK = new LinkId("ln-1");
    static final ExportId EXPORT = new ExportId("ex-1");
    private static final TransportLimits LIMITS =
            new TransportLimits(Duration.ofSeconds(2), Duration.ofSeconds(3), Duration.ofSeconds(30), 16, 2, 10);

    private static final Duration GATE_LIMIT = Duration.ofSeconds(20);

    final VolumeId volume = new VolumeId("memory:v");
    final MemoryStorage storage = new MemoryStorage();
    final Set<VolumeId> linkTargets = ConcurrentHashMap.newKeySet();
    /** Run after each look at {@link #linkTargets}. */
    volatile Runnable afterLook = () -> {};

    final MemoryCatalog catalog = new MemoryCatalog();
    private final Path folder;
    private final SiteIdentity identity;
    private final Providers providers;
    final MemoryProvider provider = new MemoryProvider("memory", storage, InstantSource.system(), System::nanoTime);
    private final TlsPeerConnector connector;
    private final ReplicationServer server;
    private final PeerListener listener;
    /** By which its clock has jumped, so that no test waits for a limit. */
    final AtomicLong skippedNanos = new AtomicLong();

    volatile CountDownLatch gate = new CountDownLatch(0);
    volatile CountDownLatch gateOfCuts = new CountDownLatch(0);

    Exports exports;
    LiveHostParts host;
    LiveLinks links;

    LiveSite(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        identity = SiteIdentity.in(folder, InstantSource.system());
        connector = new TlsPeerConnector(identity, LIMITS);
        providers = new Providers(List.of(gated()));
        var pairing = new SitePairing(
                catalog,
                connector,
                () -> "nobody:1",
                identity.fingerprint(),
                InstantSource.system(),
                new SecureRandom(),
                "test");
        server = new ReplicationServer(
                providers,
                catalog,
                new JavaBlockKernel(),
                folder,
                pairing,
                Moments.NONE,
                InstantSource.system(),
                System::nanoTime,
                "test");
        exports = exports();
        host = parts();
        links = started();
        listener = PeerListener.start("127.0.0.1", 0, identity, server, LIMITS, InstantSource.system());
    }

    /** The storage, where a volume is opened for writing, and cut, once it may be. */
    private StorageProvider gated() {
        return (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("write") && volume.equals(arguments[0])) {
                        gate.await(GATE_LIMIT.toSeconds(), TimeUnit.SECONDS);
                    }
                    if (method.getName().equals("cut")) {
                        gateOfCuts.await(GATE_LIMIT.toSeconds(), TimeUnit.SECONDS);
                    }
                    try {
                        return method.invoke(provider, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private Exports exports() throws IOException {
        var overlays = Overlays.in(Files.createDirectories(folder.resolve("overlays")), 1 << 20, Optional.empty());
        return new Exports(providers, overlays, Optional.empty(), List::of);
    }

    private LiveHostParts parts() {
        var random = new SecureRandom();
        return new LiveHostParts(
                providers,
                catalog,
                () -> {
                    var now = Set.copyOf(linkTargets);
                    afterLook.run();
                    return now;
                },
                connector,
                exports,
                Optional.empty(),
                new JavaBlockKernel(),
                InstantSource.system(),
                () -> System.nanoTime() + skippedNanos.get(),
                random::nextLong,
                identity.fingerprint(),
                "test");
    }

    private LiveLinks started() throws IOException {
        var made = new LiveLinks(host, liveFolder());
        server.serveLive(made);
        made.read();
        made.start(point -> provider.delete(new SnapshotId(volume, point)));
        return made;
    }

    /** With a folder for each link. */
    Path liveFolder() {
        return folder.resolve("live");
    }

    String address() {
        return listener.address();
    }

    /** @param address where this reaches it */
    void trust(String name, LiveSite other, String address) {
        var peer = new Peer(new PeerId(name), address, other.identity.fingerprint(), Instant.now());
        catalog.peers.put(peer.id(), peer);
    }

    /** Its process ends and another begins; the listener takes connections all the time. */
    void restart() throws IOException {
        links.close();
        exports.close();
        exports = exports();
        host = parts();
        links = started();
    }

    /** Makes a scheduled link there. */
    void openScheduled(String peer, LinkId id, VolumeId target, long sizeBytes) throws ReplicationException {
        var replicator =
                new PeerReplicator(providers, connector, new JavaBlockKernel(), Moments.NONE, System::nanoTime, "test");
        var link = new ReplicationLink(
                id,
                ReplicationLink.Role.SOURCE,
                new PeerId(peer),
                volume,
                target,
                new GroupId("g"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        replicator.openLink(link, Objects.requireNonNull(catalog.peers.get(link.peer())), sizeBytes);
    }

    LiveHost.Live live() {
        return links.find(LINK).orElseThrow(() -> new AssertionError("no link"));
    }

    ExportImage image() {
        return OpenImages.of(exports, EXPORT);
    }

    void write(long offset, int length, long seed) throws IOException {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        image().write(offset, ByteBuffer.wrap(bytes));
    }

    List<Snapshot> snapshots() throws ProviderException {
        return providers.snapshotsOf(volume);
    }

    boolean hasOpenExport() {
        return exports.find(EXPORT).filter(each -> !each.ending()).isPresent();
    }

    @Override
    public void close() {
        listener.close();
        links.close();
        exports.close();
        provider.close();
    }
}
