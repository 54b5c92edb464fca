package io.tidemark.agent;

import io.tidemark.block.TreeComparison;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.port.Pace;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The source's side of scheduled replication. */
public final class PeerReplicator implements Replicator {
    private static final Logger LOG = LoggerFactory.getLogger(PeerReplicator.class);
    private static final Duration BUSY_RETRY = Duration.ofSeconds(5);
    private static final Duration PROGRESS = Duration.ofMillis(250);
    /** One comes each second: a target that has settled nothing after 10 minutes is asked again, by whoever wants it. */
    private static final int ALIVE_BEFORE_REVERSED_MAXIMUM = 600;

    private final Providers providers;
    private final PeerConnector connector;
    private final BlockKernel kernel;
    private final Moments moments;
    private final LongSupplier nanos;
    private final String software;
    private final Optional<Paces> paces;
    private final TrackingTrust trust;
    private final InFlightBudget budget;
    private final SentIndexes indexes;
    private final Set<LinkId> busy = ConcurrentHashMap.newKeySet();

    /**
     * @param nanos monotonic nanoseconds
     * @param software name and version, told to peers
     */
    public PeerReplicator(
            Providers providers,
            PeerConnector connector,
            BlockKernel kernel,
            Moments moments,
            LongSupplier nanos,
            String software) {
        this(
                providers,
                connector,
                kernel,
                moments,
                nanos,
                software,
                Optional.empty(),
                TrackingTrust.unaudited(kernel),
                InFlightBudget.unlimited(),
                SentIndexes.none(kernel));
    }

    /**
     * @param paces empty: every sender goes as fast as it can
     * @param budget of all that this host sends
     */
    public PeerReplicator(
            Providers providers,
            PeerConnector connector,
            BlockKernel kernel,
            Moments moments,
            LongSupplier nanos,
            String software,
            Optional<Paces> paces,
            TrackingTrust trust,
            InFlightBudget budget,
            SentIndexes indexes) {
        this.paces = paces;
        this.budget = budget;
        this.indexes = indexes;
        this.trust = trust;
        this.providers = providers;
        this.connector = connector;
        this.kernel = kernel;
        this.moments = moments;
        this.nanos = nanos;
        this.software = software;
    }

    @Override
    public void openLink(ReplicationLink link, Peer peer, long volumeBytes) throws ReplicationException {
        try {
            var streams = streams(link.localVolume());
            var open = streams.isPresent()
                    ? new Message.OpenStreamLink(
                            link.id(),
                            link.group(),
                            link.localVolume(),
                            link.peerVolume(),
                            streams.get().format())
                    : new Message.OpenLink(link.id(), link.group(), link.localVolume(), link.peerVolume(), volumeBytes);
            try (var connection = greet(peer, Message.Purpose.OPEN_LINK)) {
                connection.send(open);
                await(connection, Message.LinkOpened.class);
            }
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    private Optional<SnapshotStreams> streams(VolumeId volume) throws ProviderException {
        return providers.of(volume).volume(volume).can(Capability.FILES)
                ? Optional.of(providers.streamsOf(volume))
                : Optional.empty();
    }

    @Override
    public SyncReport sync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException {
        return transfer(link, peer, point, candidateBases, listener, false);
    }

    @Override
    public SyncReport resync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException {
        return transfer(link, peer, point, candidateBases, listener, true);
    }

    private SyncReport transfer(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener,
            boolean resync)
            throws ReplicationException {
        if (!busy.add(link.id())) {
            throw new ReplicationException(new ReplicationError.LinkBusy(link.id(), BUSY_RETRY));
        }
        try {
            var member = point.members().stream()
                    .filter(candidate -> candidate.volume().equals(link.localVolume()))
                    .findFirst()
                    .orElseThrow(() -> new ReplicationException(new ReplicationError.Storage(
                            new ProviderError.SnapshotNotFound(new SnapshotId(link.localVolume(), point.id())))));
            var transfer = trust.begin(link.id(), link.localVolume(), point.id());
            var usual = transfer.mayResume() ? Message.Purpose.SYNC : Message.Purpose.SYNC_ANEW;
            var streams = streams(link.localVolume());
            var route = new SourceHost.Route(connector, peer.address(), peer.fingerprint(), pace(link), budget);
            var origin = new SourceHost.Origin(providers.of(link.localVolume()), kernel, transfer, indexes, streams);
            var task = new SourceSync.Task(
                    link.id(),
                    point.id(),
                    candidateBases,
                    streams.isPresent() ? Message.Offer.STREAM_BYTES : member.sizeBytes(),
                    RecoveryPointJson.of(point),
                    software,
                    resync ? Message.Purpose.RESYNC : usual,
                    SourceSync.Terms.USUAL);
            try {
                return run(route, origin, listener, task);
            } catch (ReplicationException e) {
                if (!(e.error() instanceof ReplicationError.StreamChanged)) {
                    throw e;
                }
                LOG.warn("sync.anew link={} recoveryPoint={} reason=\"{}\"", link.id(), point.id(), e.getMessage());
                return run(route, origin, listener, task.anew());
            }
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        } finally {
            busy.remove(link.id());
        }
    }

    private SyncReport run(
            SourceHost.Route route, SourceHost.Origin origin, ProgressListener listener, SourceSync.Task task)
            throws ReplicationException {
        return new SourceHost(route, origin, moments, nanos, listener, task).run();
    }

    @Override
    public void forget(LinkId link) {
        indexes.forget(link);
    }

    private Pace pace(ReplicationLink link) throws ProviderException {
        if (paces.isEmpty()) {
            return Pace.UNLIMITED;
        }
        var volume = providers.of(link.localVolume()).volume(link.localVolume());
        return paces.get().begin(link, HostLoad.deviceOf(volume));
    }

    @Override
    public Optional<String> changedSince(ReplicationLink link, RecoveryPointId point) throws ReplicationException {
        var snapshot = new SnapshotId(link.localVolume(), point);
        try {
            return new VolumeComparison(providers, kernel)
                    .changedSince(snapshot, link.id(), trust.believes(link.localVolume()));
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.SnapshotNotFound) {
                return Optional.of("its snapshot of %s is gone".formatted(point));
            }
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    @Override
    public Optional<ReplicationError> handOver(ReplicationLink link, Peer peer, RecoveryPointId point)
            throws ReplicationException {
        long everyMillis = link.every().map(Duration::toMillis).orElse(0L);
        return askToReverse(peer, new Message.Reverse(link.id(), Optional.of(point), everyMillis));
    }

    @Override
    public void confirmPeerIsSource(ReplicationLink link, Peer peer) throws ReplicationException {
        var refusal = askToReverse(peer, new Message.Reverse(link.id(), Optional.empty(), 0));
        if (refusal.isPresent()) {
            throw new ReplicationException(refusal.get());
        }
    }

    private Optional<ReplicationError> askToReverse(Peer peer, Message.Reverse asked) throws ReplicationException {
        try (var connection = greet(peer, Message.Purpose.REVERSE)) {
            connection.send(asked);
            var answer = connection.receive();
            for (int heard = 1; answer instanceof Message.Alive; heard++) {
                if (heard > ALIVE_BEFORE_REVERSED_MAXIMUM) {
                    throw new ReplicationException(new ReplicationError.ConnectionLost(
                            connection.peerAddress(), "it lives, and has not answered for 10 minutes"));
                }
                answer = connection.receive();
            }
            if (answer instanceof Message.Refused refused) {
                return Optional.of(refused.error());
            }
            expect(answer, Message.Reversed.class);
            return Optional.empty();
        }
    }

    @Override
    public VerifyReport verify(ReplicationLink link, Peer peer, RecoveryPointId point, ProgressListener listener)
            throws ReplicationException {
        var done = new AtomicLong();
        var total = new AtomicLong();
        try (var connection = greet(peer, Message.Purpose.VERIFY);
                // A read of storage may last longer than the peer bears silence.
                var sender = new PeerSender(connection, () -> new Message.Alive("verify", done.get(), total.get()))) {
            sender.send(new Message.Verify(link.id(), point));
            long[] told = {nanos.getAsLong()};
            ImageTree.Watch watch = bytes -> {
                done.set(bytes);
                mustLive(sender, connection);
                if (listener.cancelled()) {
                    throw new ReplicationException(new ReplicationError.Cancelled(link.id()));
                }
                if (nanos.getAsLong() - told[0] > PROGRESS.toNanos()) {
                    told[0] = nanos.getAsLong();
                    listener.progress(new Operation.Progress("verify", bytes, total.get(), "bytes"));
                }
            };
            try (var reader = TreeManifest.orBlocks(providers, new SnapshotId(link.localVolume(), point), watch)) {
                total.set(reader.sizeBytes());
                return compare(new Comparing(link, point, reader, watch), connection, sender, listener);
            }
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    /** A peer that is gone may have said why: then that is thrown. */
    private static void mustLive(PeerSender sender, PeerConnection connection) throws ReplicationException {
        try {
            sender.mustLive();
        } catch (ReplicationException gone) {
            await(connection, Message.VerifyReady.class);
            throw gone;
        }
    }

    private record Comparing(
            ReplicationLink link, RecoveryPointId point, SnapshotReader reader, ImageTree.Watch watch) {}

    private VerifyReport compare(
            Comparing what, PeerConnection connection, PeerSender sender, ProgressListener listener)
            throws ReplicationException {
        var reader = what.reader();
        var mine = trust.believes(what.link().localVolume())
                ? ImageTree.of(reader, kernel, what.watch())
                : ImageTree.ofDistrusted(reader, kernel, what.watch());
        var ready = await(
                connection, Message.VerifyReady.class, listener, what.link().id());
        if (ready.imageBytes() != reader.sizeBytes()) {
            throw new ReplicationException(new ReplicationError.ChecksumMismatch(
                    what.point(), reader.sizeBytes() + " bytes", ready.imageBytes() + " bytes"));
        }
        long blocks = Math.ceilDiv(reader.sizeBytes(), ImageTree.BLOCK_BYTES);
        long[] differing = {0};
        new TreeComparison<>(mine, new PeerTree(connection, sender, what.link().id(), listener, blocks))
                .<ReplicationException>run((first, count) -> differing[0] += count);
        return new VerifyReport(
                what.point(), reader.sizeBytes(), differing[0], mine.root().hex());
    }

    private PeerConnection greet(Peer peer, Message.Purpose purpose) throws ReplicationException {
        return greet(connector, peer.address(), peer.fingerprint(), purpose, software);
    }

    /** Connects for one purpose, and is welcome. */
    public static PeerConnection greet(
            PeerConnector connector, String address, String fingerprint, Message.Purpose purpose, String software)
            throws ReplicationException {
        var connection = connector.connect(address, fingerprint);
        try {
            connection.send(new Message.Hello(ProtocolVersion.OLDEST, ProtocolVersion.NEWEST, purpose, software));
            await(connection, Message.Welcome.class);
            return connection;
        } catch (ReplicationException e) {
            connection.close();
            throw e;
        }
    }

    /** The next message that is not a sign of life; a refusal is thrown. */
    public static <M extends Message> M await(PeerConnection connection, Class<M> kind) throws ReplicationException {
        var message = connection.receive();
        while (message instanceof Message.Alive) {
            message = connection.receive();
        }
        return expect(message, kind);
    }

    /** As that; the listener is asked at each sign of life whether to go on. */
    static <M extends Message> M await(PeerConnection connection, Class<M> kind, ProgressListener listener, LinkId link)
            throws ReplicationException {
        var message = connection.receive();
        while (message instanceof Message.Alive) {
            if (listener.cancelled()) {
                throw new ReplicationException(new ReplicationError.Cancelled(link));
            }
            message = connection.receive();
        }
        return expect(message, kind);
    }

    private static <M extends Message> M expect(Message message, Class<M> kind) throws ReplicationException {
        if (message instanceof Message.Refused refused) {
            throw new ReplicationException(refused.error());
        }
        if (!kind.isInstance(message)) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(message.type() + " where none was due"));
        }
        return kind.cast(message);
    }
}
