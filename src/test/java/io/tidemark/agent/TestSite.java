package io.tidemark.agent;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One whole site over memory: identity, listener, replicator; the storage and the catalog outlive its restarts. */
final class TestSite implements AutoCloseable {
    static final TransportLimits LIMITS =
            new TransportLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(5), 16, 2, 10);
    static final BlockKernel KERNEL = new JavaBlockKernel();

    final MemoryStorage storage = new MemoryStorage();
    final MemoryCatalog catalog = new MemoryCatalog();
    final Path folder;
    final SiteIdentity identity;
    MemoryProvider provider = new MemoryProvider("memory", storage, InstantSource.system(), System::nanoTime);
    /** Volumes that are files. */
    final FolderProvider files;

    volatile Moments moments = Moments.NONE;
    PeerReplicator replicator;
    SitePairing pairing;
    ReplicationServer server;
    PeerListener listener;

    TestSite(Path folder) throws IOException {
        this(folder, LIMITS);
    }

    TestSite(Path folder, TransportLimits limits) throws IOException {
        this.folder = folder;
        this.identity = SiteIdentity.in(folder, InstantSource.system());
        var connector = new TlsPeerConnector(identity, limits);
        this.files = new FolderProvider(Files.createDirectories(folder.resolve("volumes")));
        var providers = new Providers(List.of(provider, files));
        Moments relay = moment -> moments.reached(moment);
        replicator = new PeerReplicator(providers, connector, KERNEL, relay, System::nanoTime, "test");
        pairing = new SitePairing(
                catalog,
                connector,
                () -> address(),
                identity.fingerprint(),
                InstantSource.system(),
                new SecureRandom(),
                "test");
        server = new ReplicationServer(
                providers, catalog, KERNEL, folder, pairing, relay, InstantSource.system(), System::nanoTime, "test");
        listener = PeerListener.start("127.0.0.1", 0, identity, server, limits, InstantSource.system());
    }

    Optional<String> retire(LinkId link) {
        try {
            return server.retire(link);
        } catch (ReplicationException e) {
            throw new AssertionError(e);
        }
    }

    String address() {
        return listener.address();
    }

    void write(VolumeId volume, long offset, byte[] bytes) throws Exception {
        try (var writer = provider.write(volume)) {
            writer.write(offset, ByteBuffer.wrap(bytes));
            writer.flush();
        }
    }

    void writeNoise(VolumeId volume, long offset, int length, long seed) throws Exception {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        write(volume, offset, bytes);
    }

    RecoveryPoint take(VolumeId volume, String id) throws Exception {
        var point = new RecoveryPointId(id);
        provider.cut(new CutRequest(point, List.of(volume)));
        return recoveryPoint(point, volume, provider.volume(volume).sizeBytes());
    }

    private static RecoveryPoint recoveryPoint(RecoveryPointId point, VolumeId volume, long sizeBytes) {
        return new RecoveryPoint(
                point,
                new GroupId("orders"),
                Instant.now(),
                Consistency.APPLICATION,
                new Certificate("host", "boot", List.of(), List.of(), true, List.of()),
                List.of(new RecoveryPoint.Member(volume, new SnapshotId(volume, point), sizeBytes)),
                Map.of("backup_label", "START WAL LOCATION"),
                Optional.empty(),
                Optional.empty());
    }

    RecoveryPoint takeFiles(VolumeId volume, String id) throws Exception {
        var point = new RecoveryPointId(id);
        files.cut(new CutRequest(point, List.of(volume)));
        return recoveryPoint(point, volume, 0);
    }

    byte[] read(VolumeId volume, @Nullable String point) throws Exception {
        int size = (int) provider.volume(volume).sizeBytes();
        var buffer = ByteBuffer.allocateDirect(size);
        if (point == null) {
            try (var writer = provider.write(volume)) {
                writer.read(0, buffer);
            }
        } else {
            try (var reader = provider.read(new SnapshotId(volume, new RecoveryPointId(point)))) {
                reader.read(0, buffer);
            }
        }
        byte[] bytes = new byte[size];
        buffer.flip().get(bytes);
        return bytes;
    }

    @Override
    public void close() {
        listener.close();
        provider.close();
    }
}
