package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerSessions;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The target's side of scheduled replication: serves what other sites ask over their connections. */
public final class ReplicationServer implements PeerSessions, TargetSessions {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicationServer.class);

    /** How long a new synchronisation of a link waits for the broken one before it to let go. */
    private static final Duration TAKE_OVER = Duration.ofSeconds(10);

    /** One comes each second at most: four minutes of patience. */
    private static final int ALIVE_BEFORE_OFFER_MAXIMUM = 256;

    private static final Duration BUSY_RETRY = Duration.ofSeconds(5);

    private static final String RECEIVING = "a synchronisation that is being received";

    private final TargetHost.Site site;
    private final SitePairing pairing;
    private final AgentSessions agents;
    private final ConcurrentMap<LinkId, Session> sessions = new ConcurrentHashMap<>();
    /** Links forgotten while this process runs; a handful. */
    private final Set<LinkId> retired = ConcurrentHashMap.newKeySet();

    /**
     * Recovery points whose hand-over was given up by its asker, the newest of each link; guards itself. Forgotten with
     * this process, as is every connection that could still bring one.
     */
    private final Map<LinkId, RecoveryPointId> withdrawn = new HashMap<>();

    private volatile LiveSessions live = LiveSessions.NONE;

    /** Links whose peer this side asks whether to follow it. */
    private final Set<LinkId> following = ConcurrentHashMap.newKeySet();

    /**
     * Whoever works on what a link receives: a synchronisation, or what finishes an interrupted one.
     *
     * @param interrupt ends it soon, or does nothing when it ends by itself
     */
    private record Session(Runnable interrupt, CountDownLatch ended) {}

    /**
     * @param stateFolder ingest logs go to a folder {@code ingest} in it
     * @param nanos monotonic nanoseconds
     * @param software name and version, told to peers
     */
    public ReplicationServer(
            Providers providers,
            SiteCatalog catalog,
            BlockKernel kernel,
            Path stateFolder,
            SitePairing pairing,
            Moments moments,
            InstantSource clock,
            LongSupplier nanos,
            String software)
            throws IOException {
        this(providers, catalog, kernel, stateFolder, pairing, AgentSessions.NONE, moments, clock, nanos, software);
    }

    /** Where agents connect too. */
    public ReplicationServer(
            Providers providers,
            SiteCatalog catalog,
            BlockKernel kernel,
            Path stateFolder,
            SitePairing pairing,
            AgentSessions agents,
            Moments moments,
            InstantSource clock,
            LongSupplier nanos,
            String software)
            throws IOException {
        var folder = stateFolder.resolve("ingest");
        Files.createDirectories(folder);
        this.site = new TargetHost.Site(providers, catalog, kernel, folder, moments, clock, nanos, software);
        this.pairing = pairing;
        this.agents = agents;
    }

    /** Called once, before connections are taken: finishes committed logs, keeps fresh ones, removes stale ones. */
    public void resumeIngests() throws IOException {
        new IngestFolder(site).resume();
    }

    @Override
    public boolean knows(String fingerprint) {
        return site.catalog().peerByFingerprint(fingerprint).isPresent() || agents.knows(fingerprint);
    }

    /** What it needs no peer's key for: it brings an invitation, or is asked for an agent's. */
    private static boolean isForStrangers(Message.Purpose purpose) {
        return switch (purpose) {
            case PAIR, ENROL, AGENT -> true;
            case OPEN_LINK, SYNC, SYNC_ANEW, RESYNC, VERIFY, REVERSE, LIVE -> false;
        };
    }

    @Override
    public void serve(PeerConnection connection, boolean known) {
        try {
            var hello = expect(connection.receive(), Message.Hello.class);
            var version = ProtocolVersion.common(hello.oldestVersion(), hello.newestVersion());
            if (version.isEmpty()) {
                throw new ReplicationException(new ReplicationError.ProtocolMismatch(
                        ProtocolVersion.text(ProtocolVersion.OLDEST, ProtocolVersion.NEWEST),
                        ProtocolVersion.text(hello.oldestVersion(), hello.newestVersion())));
            }
            var peer = site.catalog().peerByFingerprint(connection.peerFingerprint());
            if (peer.isEmpty() && !isForStrangers(hello.purpose())) {
                throw new ReplicationException(
                        new ReplicationError.PeerRefused("not-paired", "this site does not know the key"));
            }
            connection.send(new Message.Welcome(version.get(), site.software()));
            switch (hello.purpose()) {
                case PAIR -> pairing.admit(connection, expect(connection.receive(), Message.Pair.class));
                case ENROL -> agents.enrol(connection, expect(connection.receive(), Message.Pair.class));
                case AGENT -> agents.serve(connection, hello.software());
                case OPEN_LINK -> openLink(connection, peer.orElseThrow());
                case SYNC, SYNC_ANEW, RESYNC -> sync(connection, peer.orElseThrow(), hello);
                case VERIFY ->
                    verify(connection, peer.orElseThrow(), expect(connection.receive(), Message.Verify.class));
                case LIVE -> live.serve(connection, peer.orElseThrow());
                case REVERSE ->
                    reverse(connection, peer.orElseThrow(), expect(connection.receive(), Message.Reverse.class));
            }
        } catch (ReplicationException e) {
            refuse(connection, e.error());
        } catch (ProviderException e) {
            refuse(connection, new ReplicationError.Storage(e.error()));
        }
    }

    private static void refuse(PeerConnection connection, ReplicationError error) {
        if (error instanceof ReplicationError.ConnectionLost) {
            // The ordinary end of a verification; a synchronisation says itself what it lost.
            LOG.debug("session.ended from={} reason=\"{}\"", connection.peerAddress(), error.message());
            return;
        }
        LOG.warn(
                "session.refused from={} fingerprint={} reason=\"{}\"",
                connection.peerAddress(),
                connection.peerFingerprint(),
                error.message());
        try {
            connection.send(new Message.Refused(error));
        } catch (ReplicationException e) {
            LOG.debug("session.refusal-lost from={} reason=\"{}\"", connection.peerAddress(), e.getMessage());
        }
    }

    /** From now on live links are served by these. */
    public void serveLive(LiveSessions sessions) {
        live = sessions;
    }

    private void openLink(PeerConnection connection, Peer peer) throws ReplicationException, ProviderException {
        var opened = new LinkOpening(site.providers(), site.catalog(), peer, live).open(connection.receive());
        if (opened.fresh()) {
            retired.remove(opened.link());
        }
        LOG.info(
                "link.opened link={} peer={} volume={}",
                opened.link(),
                peer.id(),
                opened.volume().id());
        connection.send(new Message.LinkOpened(opened.volume().sizeBytes()));
    }

    private ReplicationLink link(LinkId id, Peer peer) throws ReplicationException {
        return site.catalog()
                .link(id)
                .filter(link -> link.peer().equals(peer.id()))
                .orElseThrow(() -> new ReplicationException(new ReplicationError.LinkUnknown(id)));
    }

    private ReplicationLink receivedLink(LinkId id, Peer peer) throws ReplicationException {
        var link = link(id, peer);
        if (link.role() != ReplicationLink.Role.TARGET) {
            throw new ReplicationException(new ReplicationError.NoTarget(id));
        }
        return link;
    }

    /** The peer has sent all and sends no more, or asks who is the source. Asked twice, it answers the same. */
    private void reverse(PeerConnection connection, Peer peer, Message.Reverse asked)
            throws ReplicationException, ProviderException {
        var link = link(asked.link(), peer);
        // What is in work here is settled first, and the volume looked at: longer, perhaps, than the peer bears
        // silence.
        try (var sender = new PeerSender(connection, () -> new Message.Alive("reverse", 0, 0))) {
            sender.begin();
            if (asked.point().isPresent() && link.role() == ReplicationLink.Role.TARGET) {
                becomeSource(link, asked.point().get(), asked.everyMillis());
            } else {
                confirmSource(asked.link(), peer);
            }
            sender.send(new Message.Reversed());
        }
    }

    /**
     * Who hears that this side is not the source gives its hand-over up: one that is still on its way, or in work here,
     * must not make it the source after that. And who is handing over itself may be the target soon.
     */
    private void confirmSource(LinkId id, Peer peer) throws ReplicationException {
        synchronized (withdrawn) {
            var link = link(id, peer);
            if (link.role() == ReplicationLink.Role.TARGET) {
                link.inStep().ifPresent(point -> withdrawn.put(id, point));
                throw new ReplicationException(new ReplicationError.PeerRefused(
                        "not-source", "link %s is received here; nobody has promoted it".formatted(id)));
            }
            if (link.state() == LinkState.HANDING_OVER || following.contains(id)) {
                throw new ReplicationException(new ReplicationError.PeerRefused(
                        "in-work", "link %s is being handed over here, or follows".formatted(id)));
            }
        }
    }

    private void becomeSource(ReplicationLink link, RecoveryPointId point, long everyMillis)
            throws ReplicationException, ProviderException {
        refuseWhenInWork(settle(link));
        var now = site.catalog().link(link.id()).orElse(link);
        if (!now.inStep().equals(Optional.of(point))) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "not-in-step",
                    "link %s is in step with %s here, not with %s"
                            .formatted(
                                    link.id(),
                                    now.inStep().map(RecoveryPointId::value).orElse("nothing"),
                                    point)));
        }
        var written = site.volumes().look(now, Optional.empty()).written();
        if (written.isPresent()) {
            throw new ReplicationException(new ReplicationError.TargetWritten(link.localVolume(), written.get()));
        }
        refuseWhenInWork(retire(link.id()));
        promote(link, point, everyMillis == 0 ? Optional.empty() : Optional.of(Duration.ofMillis(everyMillis)));
    }

    private static void refuseWhenInWork(Optional<String> inTheWay) throws ReplicationException {
        if (inTheWay.isPresent()) {
            throw new ReplicationException(new ReplicationError.PeerRefused("in-work", inTheWay.get()));
        }
    }

    private void promote(ReplicationLink link, RecoveryPointId point, Optional<Duration> every)
            throws ReplicationException {
        boolean promoted = false;
        try {
            synchronized (withdrawn) {
                if (point.equals(withdrawn.get(link.id()))) {
                    throw new ReplicationException(new ReplicationError.PeerRefused(
                            "withdrawn",
                            "the hand-over of %s was given up; ask for the reversal again".formatted(point)));
                }
                site.catalog().promote(link.id(), every);
            }
            promoted = true;
        } finally {
            if (!promoted) {
                readmit(link.id());
            }
        }
        site.moments().reached(Moment.LINK_PROMOTED);
        LOG.info("link.promoted link={} volume={} recoveryPoint={}", link.id(), link.localVolume(), point);
    }

    @Override
    public Optional<String> settle(ReplicationLink link) throws ReplicationException {
        // In the link's place: beside a synchronisation it would take that one's log for its own.
        var mine = new Session(() -> {}, new CountDownLatch(1));
        if (sessions.putIfAbsent(link.id(), mine) != null) {
            return Optional.of(RECEIVING);
        }
        try {
            StuckStream.finishOrLetGo(site, link);
            return Optional.empty();
        } finally {
            sessions.remove(link.id(), mine);
            mine.ended().countDown();
        }
    }

    @Override
    public void readmit(LinkId link) {
        retired.remove(link);
    }

    @Override
    public void beginFollowing(LinkId link) {
        following.add(link);
    }

    @Override
    public void endFollowing(LinkId link) {
        following.remove(link);
    }

    @Override
    public void interrupt(LinkId link) {
        var session = sessions.get(link);
        if (session != null) {
            session.interrupt().run();
        }
    }

    private void sync(PeerConnection connection, Peer peer, Message.Hello hello)
            throws ReplicationException, ProviderException {
        var offer = expect(afterAlive(connection), Message.Offer.class);
        var link = receivedLink(offer.link(), peer);
        var session = takeOver(link.id(), connection);
        try {
            // Read again: a pause that was written before the session was known has not ended it.
            if (receivedLink(link.id(), peer).state() != LinkState.ACTIVE) {
                throw new ReplicationException(new ReplicationError.LinkPaused(link.id()));
            }
            if (retired.contains(link.id())) {
                throw new ReplicationException(new ReplicationError.LinkUnknown(link.id()));
            }
            var greeted = TargetSync.of(site.software())
                    .step(new TargetInput.Received(hello))
                    .sync();
            try (var host = new TargetHost(site, Optional.of(connection), link, greeted)) {
                var failure = host.serve(offer);
                if (failure.isPresent()) {
                    LOG.warn(
                            "ingest.failed link={} recoveryPoint={} reason=\"{}\"",
                            link.id(),
                            offer.point(),
                            failure.get().message());
                } else {
                    LOG.info("ingest.done link={} recoveryPoint={}", link.id(), offer.point());
                }
            }
        } finally {
            sessions.remove(link.id(), session);
            session.ended().countDown();
        }
    }

    @Override
    public Optional<String> retire(LinkId link) throws ReplicationException {
        // Named before asked: a session that begins now sees it, one that began before is seen.
        boolean added = retired.add(link);
        var inTheWay = sessions.containsKey(link) ? Optional.of(RECEIVING) : new IngestFolder(site).forget(link);
        if (inTheWay.isPresent() && added) {
            retired.remove(link);
        }
        return inTheWay;
    }

    /**
     * One session a link. The source never runs two, so an older one is what a broken connection left: its
     * connection is closed, and what it committed is waited for.
     */
    private Session takeOver(LinkId link, PeerConnection connection) throws ReplicationException {
        var mine = new Session(connection::close, new CountDownLatch(1));
        long until = site.nanos().getAsLong() + TAKE_OVER.toNanos();
        for (var other = sessions.putIfAbsent(link, mine); other != null; other = sessions.putIfAbsent(link, mine)) {
            other.interrupt().run();
            try {
                long left = until - site.nanos().getAsLong();
                if (left <= 0 || !other.ended().await(left, TimeUnit.NANOSECONDS)) {
                    throw new ReplicationException(new ReplicationError.LinkBusy(link, BUSY_RETRY));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ReplicationException(new ReplicationError.LinkBusy(link, BUSY_RETRY), e);
            }
        }
        return mine;
    }

    private void verify(PeerConnection connection, Peer peer, Message.Verify asked)
            throws ReplicationException, ProviderException {
        var link = link(asked.link(), peer);
        var done = new AtomicLong();
        var snapshot = new SnapshotId(link.localVolume(), asked.point());
        try (var sender = new PeerSender(connection, () -> new Message.Alive("verify", done.get(), 0))) {
            sender.begin();
            answer(connection, sender, snapshot, bytes -> {
                done.set(bytes);
                sender.mustLive();
            });
        }
    }

    private void answer(PeerConnection connection, PeerSender sender, SnapshotId snapshot, ImageTree.Watch watch)
            throws ReplicationException, ProviderException {
        try (var reader = TreeManifest.orBlocks(site.providers(), snapshot, watch)) {
            var tree = ImageTree.of(reader, site.kernel(), watch);
            sender.send(new Message.VerifyReady(reader.sizeBytes()));
            while (true) {
                var message = connection.receive();
                if (message instanceof Message.NodesWanted wanted) {
                    sender.send(nodes(tree, wanted));
                } else if (!(message instanceof Message.Alive)) {
                    throw new ReplicationException(
                            new ReplicationError.CorruptFrame(message.type() + " while verifying"));
                }
            }
        }
    }

    private static Message nodes(ImageTree tree, Message.NodesWanted wanted) throws ReplicationException {
        try {
            return new Message.Nodes(
                    wanted.level(),
                    wanted.firstNode(),
                    tree.digests(wanted.level(), wanted.firstNode(), wanted.count()));
        } catch (IndexOutOfBoundsException e) {
            throw new ReplicationException(
                    new ReplicationError.CorruptFrame("nodes the tree does not have: " + wanted), e);
        }
    }

    /** A source that waits long for its own storage says that it lives before it offers, and is answered. */
    private static Message afterAlive(PeerConnection connection) throws ReplicationException {
        var message = connection.receive();
        for (int heard = 0; message instanceof Message.Alive && heard < ALIVE_BEFORE_OFFER_MAXIMUM; heard++) {
            connection.send(new Message.Alive("offered", 0, 0));
            message = connection.receive();
        }
        return message;
    }

    private static <M extends Message> M expect(Message message, Class<M> kind) throws ReplicationException {
        if (!kind.isInstance(message)) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(
                    "%s where %s was due".formatted(message.type(), kind.getSimpleName())));
        }
        return kind.cast(message);
    }
}
