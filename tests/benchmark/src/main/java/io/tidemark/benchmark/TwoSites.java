package io.tidemark.benchmark;

import io.tidemark.agent.InFlightBudget;
import io.tidemark.agent.PeerReplicator;
import io.tidemark.agent.Providers;
import io.tidemark.agent.SentIndexes;
import io.tidemark.agent.TrackingTrust;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A source in this process and a target in another one, over loopback. */
record TwoSites(TargetProcess target, TlsPeerConnector connector, SentIndexes indexes) implements AutoCloseable {

    /** @param streamBytes what a bare stream to the target carries */
    static TwoSites in(BenchRun run, Path folder, long streamBytes) throws Exception {
        var identity = SiteIdentity.in(Files.createDirectories(folder.resolve("source-state")), InstantSource.system());
        var target = TargetProcess.start(folder.resolve("target"), identity.fingerprint(), streamBytes);
        run.undo().add(target::close);
        return new TwoSites(
                target, new TlsPeerConnector(identity, TransportLimits.DEFAULT), SentIndexes.none(BlockKernels.best()));
    }

    /** The same, whose source keeps indexes of what it sent. */
    TwoSites keepingIndexes(Path folder) {
        var kept = new SentIndexes(folder, BlockKernels.best(), new SentIndexes.Limit(Long.MAX_VALUE / 2));
        return new TwoSites(target, connector, kept);
    }

    /** A bare stream of as many bytes as {@link #in} was told. */
    void stream(long bytes) throws Exception {
        try (var stream = BareStream.connect(target.streamPort())) {
            stream.send(bytes);
        }
    }

    /** A bare stream of a file of as many bytes, into a file that is synced. */
    void carry(Path file) throws Exception {
        try (var from = FileChannel.open(file, StandardOpenOption.READ);
                var stream = BareStream.connect(target.filePort())) {
            stream.send(from);
        }
    }

    /** Sends a snapshot to a volume of the target, made when there is none. */
    SyncReport sync(ImageVolumes volumes, SnapshotId snapshot, VolumeId there, long sizeBytes, String... bases)
            throws Exception {
        var peer = new Peer(new PeerId("target"), target.address(), target.fingerprint(), Instant.EPOCH);
        var link = new ReplicationLink(
                new LinkId("ln-" + there.value().replaceAll("[^a-z0-9]", "")),
                ReplicationLink.Role.SOURCE,
                peer.id(),
                snapshot.volume(),
                there,
                new GroupId("bench"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        var replicator = new PeerReplicator(
                new Providers(List.of(volumes.provider())),
                connector,
                BlockKernels.best(),
                Moments.NONE,
                System::nanoTime,
                "bench",
                Optional.empty(),
                TrackingTrust.unaudited(BlockKernels.best()),
                InFlightBudget.unlimited(),
                indexes);
        replicator.openLink(link, peer, sizeBytes);
        var point = new RecoveryPoint(
                snapshot.recoveryPoint(),
                link.group(),
                Instant.EPOCH,
                Consistency.CRASH,
                new Certificate("bench", "bench", List.of(), List.of(), true, List.of()),
                List.of(new RecoveryPoint.Member(snapshot.volume(), snapshot, sizeBytes)),
                Map.of(),
                Optional.empty(),
                Optional.empty());
        return replicator.sync(
                link,
                peer,
                point,
                Arrays.stream(bases).map(RecoveryPointId::new).toList(),
                ProgressListener.NONE);
    }

    @Override
    public void close() {
        target.close();
    }
}
