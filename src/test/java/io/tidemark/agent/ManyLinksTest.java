package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.TlsPeerConnector;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Eight links at once over TLS, to a target whose disk is slow. */
@Timeout(120)
class ManyLinksTest {
    private static final int LINKS = 8;
    private static final long SIZE = 24L << 20;
    private static final long BUDGET = 80L << 20;
    private static final int FRAME = Message.Blocks.DATA_BYTES_MAXIMUM;
    private static final long SYNC_MILLIS = 250;
    private static final VolumeId FIRST = new VolumeId("memory:volume-0");

    @TempDir
    Path folder;

    @Test
    void theyKeepToOneBudgetAndNoneStarves() throws Exception {
        try (var sites = PairedSites.in(folder, FIRST, new VolumeId("memory:copy-0"), SIZE);
                var threads = Executors.newFixedThreadPool(LINKS)) {
            var budget = new InFlightBudget(BUDGET);
            var highest = new AtomicLong();
            Moments watched = moment -> {
                if (moment == Moment.SYNC_PARTLY_SENT) {
                    highest.accumulateAndGet(budget.usedBytes(), Math::max);
                }
            };
            sites.b().moments = moment -> {
                if (moment == Moment.INGEST_PARTLY_SYNCED) {
                    pause();
                }
            };
            var replicator = new PeerReplicator(
                    new Providers(List.of(sites.a().provider)),
                    new TlsPeerConnector(sites.a().identity, TestSite.LIMITS),
                    TestSite.KERNEL,
                    watched,
                    System::nanoTime,
                    "test",
                    Optional.empty(),
                    TrackingTrust.unaudited(TestSite.KERNEL),
                    budget,
                    SentIndexes.none(TestSite.KERNEL));
            var ready = new ArrayList<Callable<Long>>();
            for (int number = 0; number < LINKS; number++) {
                var link = link(sites, number);
                replicator.openLink(link, sites.peer(), SIZE);
                sites.a().writeNoise(link.localVolume(), 0, (int) SIZE, number);
                var point = sites.a().take(link.localVolume(), "rp-" + number);
                ready.add(() -> replicator
                        .sync(link, sites.peer(), point, List.of(), ProgressListener.NONE)
                        .sentPayloadBytes());
            }

            for (var sent : threads.invokeAll(ready)) {
                assertThat(sent.get()).isEqualTo(SIZE);
            }

            assertThat(highest.get()).isGreaterThan(BUDGET / 2).isLessThanOrEqualTo(BUDGET + (long) LINKS * FRAME);
            assertThat(budget.usedBytes()).isZero();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(SYNC_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static ReplicationLink link(PairedSites sites, int number) throws Exception {
        var here = new VolumeId("memory:volume-" + number);
        if (number > 0) {
            sites.a().provider.create(here, SIZE);
        }
        return new ReplicationLink(
                new LinkId("ln-" + number),
                ReplicationLink.Role.SOURCE,
                sites.peer().id(),
                here,
                new VolumeId("memory:copy-" + number),
                sites.link().group(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
