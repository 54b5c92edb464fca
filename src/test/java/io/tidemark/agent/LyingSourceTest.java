package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.TlsPeerConnector;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A storage that leaves out changed blocks, between two whole sites: it is caught, and no copy is wrong for it. */
@Timeout(60)
class LyingSourceTest {
    private static final int MIB = 1 << 20;
    private static final long SIZE = 32L * MIB;
    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");
    /** A window of the whole volume in each synchronisation. */
    private static final TrackingTrust.Effort ALL = new TrackingTrust.Effort(0, Optional.of(Duration.ofMillis(1)));

    @TempDir
    Path folder;

    private final MemoryAudits audits = new MemoryAudits();
    private Optional<BlockRange> hidden = Optional.empty();
    private PairedSites sites;
    private TestSite a;
    private TestSite b;
    private Peer peer;
    private ReplicationLink link;

    @BeforeEach
    void copyOnce() throws Exception {
        sites = PairedSites.in(folder, HERE, THERE, SIZE);
        a = sites.a();
        b = sites.b();
        peer = sites.peer();
        link = sites.link();
        a.replicator.openLink(link, peer, SIZE);
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"), ALL);
        // Audited last so long ago that the next window is the whole volume.
        audits.change(HERE, before -> TrackingAudit.begin(HERE, Instant.EPOCH));
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    /** The provider of site a, which does not name what is hidden. */
    private StorageProvider lying() {
        return Answering.otherwise(
                a.provider, (answer, _) -> answer instanceof ChangedRanges ranges ? without(ranges) : answer);
    }

    private ChangedRanges without(ChangedRanges ranges) {
        if (hidden.isEmpty()) {
            return ranges;
        }
        var from = hidden.get().offsetBytes();
        var upTo = RangeAlgebra.whole(hidden.get().endBytes());
        return RangeAlgebra.subtraction(ranges, RangeAlgebra.subtraction(upTo, RangeAlgebra.whole(from)));
    }

    private SyncReport sync(RecoveryPoint point, TrackingTrust.Effort effort) throws Exception {
        var trust = new TrackingTrust(audits, TestSite.KERNEL, InstantSource.system(), new Random(1), effort);
        var replicator = new PeerReplicator(
                new Providers(List.of(lying())),
                new TlsPeerConnector(a.identity, TestSite.LIMITS),
                TestSite.KERNEL,
                Moments.NONE,
                System::nanoTime,
                "test",
                Optional.empty(),
                trust,
                InFlightBudget.unlimited(),
                SentIndexes.none(TestSite.KERNEL));
        var bases = List.of(new RecoveryPointId("rp-2"), new RecoveryPointId("rp-1"));
        return replicator.sync(link, peer, point, bases, ProgressListener.NONE);
    }

    private void assertCaught(RecoveryPoint point, TrackingTrust.Effort effort) {
        assertThatThrownBy(() -> sync(point, effort))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.TrackingUntrusted.class));
    }

    private void assertCopied(String point) throws Exception {
        assertThat(Arrays.equals(b.read(THERE, point), a.read(HERE, point)))
                .as("copy of %s", point)
                .isTrue();
    }

    @Test
    void oneBlockLeftOutIsFoundBeforeAnythingCounts() throws Exception {
        a.writeNoise(HERE, 20 * MIB, 4_096, 2);
        a.writeNoise(HERE, 25 * MIB, 8_192, 3);
        hidden = Optional.of(new BlockRange(20L * MIB, 4_096));
        var point = a.take(HERE, "rp-2");

        assertCaught(point, ALL);

        assertThat(b.catalog.received).doesNotContainKey(point.id());
        var found = audits.find(HERE).orElseThrow().distrust().orElseThrow();
        assertThat(found.offsetBytes()).isEqualTo(20L * MIB);
        assertThat(found.lengthBytes()).isEqualTo(4_096);
    }

    @Test
    void fromThenOnAllIsComparedAndTheCopyIsRight() throws Exception {
        a.writeNoise(HERE, 20 * MIB, 4_096, 2);
        hidden = Optional.of(new BlockRange(20L * MIB, 4_096));
        var point = a.take(HERE, "rp-2");
        assertCaught(point, ALL);

        var report = sync(point, ALL);

        assertCopied("rp-2");
        assertThat(report.changedRangeSource()).isEqualTo("full");
        a.writeNoise(HERE, 20 * MIB, 4_096, 4);
        sync(a.take(HERE, "rp-3"), ALL);
        assertCopied("rp-3");
    }

    /** The log of the first try has durable blocks from behind the hidden one: going on there would miss it. */
    @Test
    void whatWasSentOnItsWordIsSentAnew() throws Exception {
        a.writeNoise(HERE, 2 * MIB, 4_096, 2);
        a.writeNoise(HERE, 4 * MIB, 20 * MIB, 3);
        hidden = Optional.of(new BlockRange(2L * MIB, 4_096));
        var point = a.take(HERE, "rp-2");
        assertCaught(point, ALL);

        var report = sync(point, ALL);

        assertThat(report.resumedBytes()).isZero();
        assertCopied("rp-2");
    }

    @Test
    void samplesCatchASourceThatLeavesOutMuch() throws Exception {
        a.writeNoise(HERE, 8 * MIB, 16 * MIB, 2);
        hidden = Optional.of(new BlockRange(8L * MIB, 16L * MIB));

        assertCaught(a.take(HERE, "rp-2"), new TrackingTrust.Effort(64, Optional.empty()));
    }

    @Test
    void anHonestSourceIsAskedAgainAndAuditedFurther() throws Exception {
        a.writeNoise(HERE, 20 * MIB, 4_096, 2);
        sync(a.take(HERE, "rp-2"), ALL);
        a.writeNoise(HERE, 21 * MIB, 4_096, 3);

        var report = sync(a.take(HERE, "rp-3"), new TrackingTrust.Effort(0, Optional.empty()));

        assertCopied("rp-3");
        assertThat(report.changedRangeSource()).isNotEqualTo("full");
        assertThat(report.readBytes()).isEqualTo(2 * 4_096);
        assertThat(audits.find(HERE).orElseThrow().throughBytes()).isEqualTo(SIZE);
    }

    /** As what was sent on its word before: the operator's word about now says nothing about then. */
    @Test
    void trustedAgainItIsStillSentAnew() throws Exception {
        a.writeNoise(HERE, 2 * MIB, 4_096, 2);
        a.writeNoise(HERE, 4 * MIB, 20 * MIB, 3);
        hidden = Optional.of(new BlockRange(2L * MIB, 4_096));
        var point = a.take(HERE, "rp-2");
        assertCaught(point, ALL);
        hidden = Optional.empty();
        audits.change(
                HERE,
                before -> new TrackingAudit(
                        HERE,
                        0,
                        Instant.EPOCH,
                        Instant.EPOCH,
                        before.orElseThrow().epoch() + 1,
                        Optional.empty()));

        var report = sync(point, ALL);

        assertThat(report.resumedBytes()).isZero();
        assertThat(report.changedRangeSource()).isNotEqualTo("full");
        assertCopied("rp-2");
    }

    @Test
    void whatAnotherLinkFindsMeanwhileCountsForAll() throws Exception {
        a.writeNoise(HERE, 2 * MIB, 4_096, 2);
        a.writeNoise(HERE, 4 * MIB, MIB, 3);
        var point = a.take(HERE, "rp-2");
        var found =
                new TrackingAudit.Distrust("test", new RecoveryPointId("rp-1"), point.id(), 0, 4_096, Instant.EPOCH);
        audits.beforeChange = () -> audits.audits.put(
                HERE, new TrackingAudit(HERE, 0, Instant.EPOCH, Instant.EPOCH, 1, Optional.of(found)));

        assertCaught(point, ALL);

        assertThat(b.catalog.received).doesNotContainKey(point.id());
        assertThat(audits.find(HERE).orElseThrow().distrust()).contains(found);
        sync(point, ALL);
        assertCopied("rp-2");
    }
}
