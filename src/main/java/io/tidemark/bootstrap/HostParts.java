package io.tidemark.bootstrap;

import io.tidemark.agent.HostLoad;
import io.tidemark.agent.InFlightBudget;
import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Paces;
import io.tidemark.agent.PeerReplicator;
import io.tidemark.agent.Providers;
import io.tidemark.agent.ReplicationServer;
import io.tidemark.agent.SentIndexes;
import io.tidemark.agent.SiteCatalog;
import io.tidemark.agent.SitePairing;
import io.tidemark.agent.TargetSessions;
import io.tidemark.agent.TrackingTrust;
import io.tidemark.agent.remote.ConnectedAgents;
import io.tidemark.agent.remote.HostsTaker;
import io.tidemark.control.ReverseLink;
import io.tidemark.domain.Moments;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.export.Exports;
import io.tidemark.live.LiveHostParts;
import io.tidemark.live.LiveLinks;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.VolumeId;
import io.tidemark.store.SiteStore;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What acts on this host, wired: providers, recovery points, replication at both ends. */
final class HostParts implements AutoCloseable {
    private final Settings settings;
    private final InstantSource clock;
    private final Providers providers;
    private final LocalRecoveryPointTaker taker;
    private final SiteIdentity identity;
    private final ConnectedAgents agents;
    private final PeerReplicator replicator;
    private final SitePairing pairing;
    private final ReplicationServer server;
    private final TlsPeerConnector connector;
    private final SiteCatalog catalog;
    private final Supplier<Set<VolumeId>> linkTargets;
    /** Known once the listener is bound; invitations name it. */
    private final AtomicReference<String> replicationAddress = new AtomicReference<>("");

    private @Nullable PeerListener listener;

    HostParts(Settings settings, SiteStore store, Moments moments, InstantSource clock, String software)
            throws IOException, SiteStartException {
        this.catalog = store.catalog();
        this.linkTargets = () -> Stream.concat(
                        store.links().all().stream()
                                .filter(link -> link.role() == ReplicationLink.Role.TARGET)
                                .map(ReplicationLink::localVolume),
                        ReverseLink.willReceive(store.operations()).keySet().stream())
                .collect(Collectors.toUnmodifiableSet());
        this.settings = settings;
        this.clock = clock;
        this.providers = ProviderLoading.load(settings);
        var kernel = BlockKernels.best();
        this.identity = SiteIdentity.in(settings.stateFolder(), clock);
        this.taker = HostTaker.of(settings, providers, identity, moments, clock);
        this.agents = new ConnectedAgents(
                store.agents(), replicationAddress::get, identity.fingerprint(), clock, new SecureRandom());
        this.connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);
        var paces = new Paces(
                settings.hostLimits(),
                link -> catalog.link(link).map(ReplicationLink::rates).orElse(RateLimits.NONE),
                new HostLoad(Path.of("/proc")),
                new Paces.Clocks(System::nanoTime, clock, ZoneId.systemDefault()));
        var trust =
                new TrackingTrust(store.trackingAudits(), kernel, clock, new SecureRandom(), settings.trackingEffort());
        var indexes =
                new SentIndexes(settings.stateFolder().resolve("block-indexes"), kernel, settings.sentIndexLimit());
        indexes.keepOnly(link -> catalog.link(link)
                .filter(known -> known.role() == ReplicationLink.Role.SOURCE)
                .isPresent());
        this.replicator = new PeerReplicator(
                providers,
                connector,
                kernel,
                moments,
                System::nanoTime,
                software,
                Optional.of(paces),
                trust,
                new InFlightBudget(settings.replicationBytesInFlightMaximum()),
                indexes);
        this.pairing = new SitePairing(
                catalog,
                connector,
                replicationAddress::get,
                identity.fingerprint(),
                clock,
                new SecureRandom(),
                software);
        this.server = new ReplicationServer(
                providers,
                catalog,
                kernel,
                settings.stateFolder(),
                pairing,
                agents,
                moments,
                clock,
                System::nanoTime,
                software);
    }

    /** What takes recovery points of this host, and of its agents' together with it. */
    HostsTaker groupTaker() {
        return new HostsTaker(taker, agents, identity.fingerprint(), new SecureRandom());
    }

    Providers ownProviders() {
        return providers;
    }

    /** Those of this host and of its agents. */
    Providers everyProvider() {
        return providers.and(agents);
    }

    ConnectedAgents agents() {
        return agents;
    }

    LocalRecoveryPointTaker taker() {
        return taker;
    }

    /** Of the site's key, 64 hex digits. */
    String fingerprint() {
        return identity.fingerprint();
    }

    PeerReplicator replicator() {
        return replicator;
    }

    SitePairing pairing() {
        return pairing;
    }

    /** Volumes that are replicated live, served from now on; none is open before {@link LiveLinks#start}. */
    LiveLinks liveLinks(Exports exports) throws IOException {
        var random = new SecureRandom();
        var links = new LiveLinks(
                new LiveHostParts(
                        providers,
                        catalog,
                        linkTargets,
                        connector,
                        exports,
                        BlockKernels.hostCalls(),
                        BlockKernels.best(),
                        clock,
                        System::nanoTime,
                        random::nextLong,
                        identity.fingerprint(),
                        Software.VERSION),
                settings.stateFolder().resolve("live"));
        server.serveLive(links);
        return links;
    }

    TargetSessions targetSessions() {
        return server;
    }

    /** Finishes what was received before the last stop; to be called before {@link #listen}. */
    void resumeIngests() throws IOException {
        server.resumeIngests();
    }

    /**
     * Begins to serve peers.
     *
     * @return {@code host:port} that is bound
     */
    String listen() throws SiteStartException {
        try {
            var bound = PeerListener.start(
                    settings.replicationHost(),
                    settings.replicationPort(),
                    identity,
                    server,
                    TransportLimits.DEFAULT,
                    clock);
            listener = bound;
            String address = bound.address();
            String port = address.substring(address.lastIndexOf(':') + 1);
            replicationAddress.set(settings.replicationAdvertisedHost() + ":" + port);
            return address;
        } catch (IOException e) {
            throw new SiteStartException(
                    "replication listener cannot bind %s:%d (%s): set replication.port to a free one"
                            .formatted(settings.replicationHost(), settings.replicationPort(), e.getMessage()),
                    e);
        }
    }

    /** Takes no more peers; sessions in work end within the listener's stop limit. */
    void stopListening() {
        if (listener != null) {
            listener.close();
        }
    }

    @Override
    public void close() {
        providers.close();
    }
}
