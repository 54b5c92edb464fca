package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.PeerListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A target whose storage lets a volume be written until its first cut, as Azure does. */
@Timeout(60)
class WrittenOnceTest {
    private static final int MIB = 1 << 20;
    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");

    @TempDir
    Path folder;

    private PairedSites sites;
    private TestSite a;
    private TestSite b;

    @BeforeEach
    void open() throws Exception {
        sites = PairedSites.in(folder, HERE, THERE, 4L * MIB);
        a = sites.a();
        b = sites.b();
        a.replicator.openLink(sites.link(), sites.peer(), 4L * MIB);
        a.writeNoise(HERE, 0, MIB, 1);
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    private SyncReport sync(Peer peer, RecoveryPoint point, RecoveryPointId... bases) throws ReplicationException {
        return a.replicator.sync(sites.link(), peer, point, List.of(bases), ProgressListener.NONE);
    }

    private interface Session {
        void with(Peer peer) throws Exception;
    }

    /** With the target as it is once its volume is cut. */
    private void cut(Session session) throws Exception {
        var providers = new Providers(List.of(unwritable(b.provider)));
        var server = new ReplicationServer(
                providers,
                b.catalog,
                TestSite.KERNEL,
                b.folder,
                b.pairing,
                Moments.NONE,
                InstantSource.system(),
                System::nanoTime,
                "test");
        try (var listener =
                PeerListener.start("127.0.0.1", 0, b.identity, server, TestSite.LIMITS, InstantSource.system())) {
            session.with(
                    new Peer(sites.peer().id(), listener.address(), sites.peer().fingerprint(), Instant.now()));
        }
    }

    private static StorageProvider unwritable(StorageProvider provider) {
        return Answering.otherwise(provider, (answer, _) -> {
            if (!(answer instanceof Volume volume)) {
                return answer;
            }
            var left = new HashSet<>(volume.capabilities());
            left.remove(Capability.RANDOM_WRITE);
            return new Volume(
                    volume.id(), volume.sizeBytes(), left, volume.device(), volume.mountPoints(), volume.facts());
        });
    }

    /** The source asks again where the connection ended before it was told. */
    @Test
    void whatHasArrivedIsThereAndWhatIsNewIsRefused() throws Exception {
        var first = a.take(HERE, "rp-1");
        sync(sites.peer(), first);
        var second = a.take(HERE, "rp-2");

        cut(peer -> {
            assertThat(sync(peer, first).recoveryPoint()).isEqualTo(first.id());
            a.replicator.openLink(sites.link(), peer, 4L * MIB);
            assertThatThrownBy(() -> sync(peer, second, first.id()))
                    .isInstanceOf(ReplicationException.class)
                    .hasMessageContaining("can be written to");
        });
    }

    @Test
    void whatWasCommittedBeforeTheCutFailedIsFinishedByTheNextSession() throws Exception {
        var first = a.take(HERE, "rp-1");
        b.moments = reached -> {
            if (reached == Moment.INGEST_APPLIED) {
                throw new IllegalStateException("the cut fails");
            }
        };
        assertThatThrownBy(() -> sync(sites.peer(), first)).isInstanceOf(ReplicationException.class);
        b.provider.close();
        var log = b.folder.resolve("ingest").resolve(sites.link().id() + ".ingest");
        assertThat(Files.exists(log)).isTrue();

        cut(peer -> sync(peer, first));

        assertThat(Files.exists(log)).isFalse();
        assertThat(Arrays.equals(b.read(THERE, "rp-1"), a.read(HERE, "rp-1"))).isTrue();
    }
}
