package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What takes long at one end must not lose the other, nor meet itself. */
@Timeout(60)
class LongWorkTest {
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
        sites = PairedSites.in(folder, HERE, THERE, 8L * MIB);
        a = sites.a();
        b = sites.b();
        a.replicator.openLink(sites.link(), sites.peer(), 8L * MIB);
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    private void sync(RecoveryPoint point, String... bases) throws Exception {
        var known = Arrays.stream(bases).map(RecoveryPointId::new).toList();
        a.replicator.sync(sites.link(), sites.peer(), point, known, ProgressListener.NONE);
    }

    private void assertCopied(String point) throws Exception {
        assertThat(Arrays.equals(b.read(THERE, point), a.read(HERE, point)))
                .as("copy of %s", point)
                .isTrue();
    }

    @Test
    void neitherEndLosesTheOtherOverWorkThatTakesLongerThanASilence() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        var point = a.take(HERE, "rp-1");
        var longWork = TestSite.LIMITS.idle().plusSeconds(2);
        a.moments = moment -> sleepAt(Moment.SYNC_CONNECTED, moment, longWork);
        b.moments = moment -> sleepAt(Moment.INGEST_COMMITTED, moment, longWork);

        sync(point);

        assertCopied("rp-1");
    }

    private static void sleepAt(Moment wanted, Moment reached, Duration time) {
        if (reached == wanted) {
            try {
                Thread.sleep(time);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aLinkIsNotSettledBesideItsSynchronisation() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        var second = a.take(HERE, "rp-2");
        var meanwhile = new AtomicReference<Optional<String>>();
        b.moments = reached -> {
            if (reached == Moment.INGEST_COMMITTED) {
                try {
                    meanwhile.set(
                            b.server.settle(b.catalog.link(sites.link().id()).orElseThrow()));
                } catch (ReplicationException e) {
                    throw new AssertionError(e);
                }
            }
        };

        sync(second, "rp-1");

        assertThat(meanwhile.get()).contains("a synchronisation that is being received");
        assertCopied("rp-2");
        b.moments = Moments.NONE;
        Awaitility.await()
                .until(() -> b.server
                        .settle(b.catalog.link(sites.link().id()).orElseThrow())
                        .isEmpty());
    }
}
