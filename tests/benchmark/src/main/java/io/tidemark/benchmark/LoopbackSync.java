package io.tidemark.benchmark;

import io.tidemark.agent.HostLoad;
import io.tidemark.agent.InFlightBudget;
import io.tidemark.agent.Paces;
import io.tidemark.agent.PeerReplicator;
import io.tidemark.agent.Providers;
import io.tidemark.agent.ReplicationServer;
import io.tidemark.agent.SentIndexes;
import io.tidemark.agent.SitePairing;
import io.tidemark.agent.TrackingTrust;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.policy.PaceController;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.store.SiteStore;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Two sites of this process, over TLS on loopback, that copy one volume twice at once, again and again, until told to stop. */
final class LoopbackSync implements AutoCloseable {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final VolumeId VOLUME = VolumeId.of("image", "load");
    /** 2 MiB/s are felt by nobody; 1 GiB/s is more than this loop ever reaches. */
    private static final PaceController.Bounds BOUNDS = new PaceController.Bounds(2L << 20, 1L << 30);

    /** Links at once: a volume that goes to two places. */
    private static final int SENDERS = 2;

    private final Path folder;
    private final Party source;
    private final Party target;
    private final RecoveryPoint point;
    private final AtomicLong sentBytes = new AtomicLong();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private final AtomicInteger copies = new AtomicInteger();

    /** One side: volumes, state and keys of its own. */
    private record Party(
            ImageVolumes volumes,
            SiteStore store,
            SiteIdentity identity,
            TlsPeerConnector connector,
            SitePairing pairing,
            PeerListener listener)
            implements AutoCloseable {

        static Party in(Path folder) throws Exception {
            var volumes = ImageVolumes.in(Files.createDirectories(folder.resolve("volumes")));
            var store = SiteStore.open(Files.createDirectories(folder.resolve("state")));
            var identity = SiteIdentity.in(folder.resolve("state"), InstantSource.system());
            var connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);
            var address = new AtomicReference<>("");
            var pairing = new SitePairing(
                    store.catalog(),
                    connector,
                    address::get,
                    identity.fingerprint(),
                    InstantSource.system(),
                    new SecureRandom(),
                    "bench");
            var server = new ReplicationServer(
                    new Providers(List.of(volumes.provider())),
                    store.catalog(),
                    BlockKernels.best(),
                    folder.resolve("state"),
                    pairing,
                    Moments.NONE,
                    InstantSource.system(),
                    System::nanoTime,
                    "bench");
            var listener = PeerListener.start(
                    "127.0.0.1", 0, identity, server, TransportLimits.DEFAULT, InstantSource.system());
            address.set(listener.address());
            return new Party(volumes, store, identity, connector, pairing, listener);
        }

        @Override
        public void close() {
            listener.close();
            store.close();
            volumes.close();
        }
    }

    private LoopbackSync(Path folder, Party source, Party target, RecoveryPoint point) {
        this.folder = folder;
        this.source = source;
        this.target = target;
        this.point = point;
    }

    /** @param sizeBytes of the volume that is copied */
    static LoopbackSync in(Path folder, long sizeBytes) throws Exception {
        var source = Party.in(folder.resolve("source"));
        var target = Party.in(folder.resolve("target"));
        source.volumes().filled(VOLUME.name(), sizeBytes);
        source.volumes().cut(VOLUME, POINT.value());
        var invitation = target.pairing().invite(new PeerId("source"), Duration.ofMinutes(5));
        source.pairing().accept(new PeerId("target"), invitation.token());
        var point = new RecoveryPoint(
                POINT,
                new GroupId("load"),
                Instant.EPOCH,
                Consistency.CRASH,
                new Certificate("", "", List.of(), List.of(), true, List.of()),
                List.of(new RecoveryPoint.Member(VOLUME, new SnapshotId(VOLUME, POINT), sizeBytes)),
                Map.of(),
                Optional.empty(),
                Optional.empty());
        return new LoopbackSync(folder, source, target, point);
    }

    /** Something to be measured meanwhile. */
    @FunctionalInterface
    interface Meanwhile {
        double measure() throws Exception;
    }

    /** What was measured, and how fast was sent beside it. */
    record Loaded(double measured, double sentBytesPerSecond) {}

    Loaded during(boolean paced, Meanwhile meanwhile) throws Exception {
        stop.set(false);
        sentBytes.set(0);
        long start = System.nanoTime();
        var senders = new ArrayList<Thread>();
        for (int number = 0; number < SENDERS; number++) {
            senders.add(Thread.ofPlatform().name("bench-sync-" + number).start(() -> copyUntilStopped(paced)));
        }
        double measured;
        try {
            measured = meanwhile.measure();
        } finally {
            stop.set(true);
            for (var sender : senders) {
                sender.join();
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        var failed = failure.get();
        if (failed != null) {
            throw failed;
        }
        return new Loaded(measured, sentBytes.get() / seconds);
    }

    private void copyUntilStopped(boolean paced) {
        var limits = new Paces.HostLimits(RateLimits.NONE, paced ? Optional.of(BOUNDS) : Optional.empty());
        var paces = new Paces(
                limits,
                link -> RateLimits.NONE,
                new HostLoad(Path.of("/proc")),
                new Paces.Clocks(System::nanoTime, InstantSource.system(), ZoneOffset.UTC));
        var replicator = new PeerReplicator(
                new Providers(List.of(source.volumes().provider())),
                source.connector(),
                BlockKernels.best(),
                Moments.NONE,
                System::nanoTime,
                "bench",
                Optional.of(paces),
                TrackingTrust.unaudited(BlockKernels.best()),
                InFlightBudget.unlimited(),
                SentIndexes.none(BlockKernels.best()));
        try {
            while (!stop.get()) {
                copyOnce(replicator);
            }
        } catch (ReplicationException e) {
            if (!(e.error() instanceof ReplicationError.Cancelled)) {
                failure.set(e);
            }
        } catch (Exception e) {
            failure.set(e);
        }
    }

    private void copyOnce(PeerReplicator replicator) throws Exception {
        int number = copies.incrementAndGet();
        var copy = VolumeId.of("image", "copy-" + number);
        var link = new ReplicationLink(
                new LinkId("ln-" + number),
                ReplicationLink.Role.SOURCE,
                new PeerId("target"),
                VOLUME,
                copy,
                point.group(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        Peer peer = source.store().catalog().peer(link.peer()).orElseThrow();
        replicator.openLink(link, peer, point.members().getFirst().sizeBytes());
        replicator.sync(link, peer, point, List.of(), new ProgressListener() {
            private long counted;

            @Override
            public void progress(io.tidemark.domain.Operation.Progress progress) {
                sentBytes.addAndGet(progress.doneUnits() - counted);
                counted = progress.doneUnits();
            }

            @Override
            public boolean cancelled() {
                return stop.get();
            }
        });
        remove(copy, link);
    }

    /** Copies are many and the scratch file system is not: each goes before the next comes. */
    private void remove(VolumeId copy, ReplicationLink link) throws Exception {
        var provider = target.volumes().provider();
        var snapshot = new SnapshotId(copy, POINT);
        provider.release(snapshot, new HoldOwner(link.id().value()));
        provider.delete(snapshot);
        provider.remove(copy);
        source.volumes()
                .provider()
                .release(new SnapshotId(VOLUME, POINT), new HoldOwner(link.id().value()));
    }

    @Override
    public void close() {
        var parts = new ArrayList<>(List.of(source, target));
        parts.forEach(Party::close);
    }

    @Override
    public String toString() {
        return "sync in " + folder;
    }
}
