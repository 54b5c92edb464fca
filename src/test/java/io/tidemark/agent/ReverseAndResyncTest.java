package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three whole sites in one process: links turned round, resynced, paused, fanned out and chained. */
@Timeout(90)
class ReverseAndResyncTest {
    private static final int MIB = 1 << 20;
    private static final int PAUSED_AFTER_FRAMES = 51;
    private static final long SIZE = 24L * MIB;
    private static final VolumeId VOLUME = new VolumeId("memory:orders");
    private static final LinkId AB = new LinkId("ln-ab");
    private static final LinkId BC = new LinkId("ln-bc");
    private static final LinkId AC = new LinkId("ln-ac");

    @TempDir
    Path folder;

    private TestSite a;
    private TestSite b;
    private TestSite c;

    @BeforeEach
    void pairThreeSites() throws Exception {
        a = new TestSite(Files.createDirectory(folder.resolve("a")));
        b = new TestSite(Files.createDirectory(folder.resolve("b")));
        c = new TestSite(Files.createDirectory(folder.resolve("c")));
        pair(a, "site-a", b, "site-b");
        pair(b, "site-b", c, "site-c");
        pair(a, "site-a", c, "site-c");
        a.provider.create(VOLUME, SIZE);
        link(a, AB, "site-b");
    }

    private static void pair(TestSite one, String oneName, TestSite other, String otherName) throws Exception {
        var invitation = other.pairing.invite(new PeerId(oneName), Duration.ofMinutes(5));
        one.pairing.accept(new PeerId(otherName), invitation.token());
    }

    @AfterEach
    void close() {
        a.close();
        b.close();
        c.close();
    }

    private static void link(TestSite site, LinkId id, String peer) throws Exception {
        var link = new ReplicationLink(
                id,
                ReplicationLink.Role.SOURCE,
                new PeerId(peer),
                VOLUME,
                VOLUME,
                new GroupId("orders"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        site.catalog.saveLink(link);
        site.replicator.openLink(link, peerOf(site, link), SIZE);
    }

    private static Peer peerOf(TestSite site, ReplicationLink link) {
        return site.catalog.peer(link.peer()).orElseThrow();
    }

    private static ReplicationLink linkOf(TestSite site, LinkId id) {
        return site.catalog.link(id).orElseThrow();
    }

    private static List<RecoveryPointId> bases(TestSite site, RecoveryPointId but) throws Exception {
        return new Providers(List.of(site.provider))
                .snapshotsOf(VOLUME).stream()
                        .map(snapshot -> snapshot.id().recoveryPoint())
                        .filter(id -> !id.equals(but))
                        .sorted((left, right) -> right.compareTo(left))
                        .toList();
    }

    private static SyncReport sync(TestSite from, LinkId id, RecoveryPoint point) throws Exception {
        var link = linkOf(from, id);
        var report =
                from.replicator.sync(link, peerOf(from, link), point, bases(from, point.id()), ProgressListener.NONE);
        from.catalog.links.computeIfPresent(id, (key, known) -> known.inStepWith(report));
        return report;
    }

    private static SyncReport resync(TestSite from, LinkId id, RecoveryPoint point) throws Exception {
        var link = linkOf(from, id);
        var report =
                from.replicator.resync(link, peerOf(from, link), point, bases(from, point.id()), ProgressListener.NONE);
        from.catalog.links.computeIfPresent(id, (key, known) -> known.inStepWith(report));
        return report;
    }

    private static void become(TestSite site, LinkId id, ReplicationLink.Role role) {
        site.catalog.links.computeIfPresent(id, (key, known) -> known.reversed(role, known.group(), Optional.empty()));
        if (role == ReplicationLink.Role.TARGET) {
            site.server.readmit(id);
        }
    }

    private static ReplicationError errorOf(ThrowingCallable call) {
        var thrown = new AtomicReference<ReplicationError>();
        assertThatThrownBy(call).isInstanceOfSatisfying(ReplicationException.class, e -> thrown.set(e.error()));
        return Objects.requireNonNull(thrown.get());
    }

    private static void assertEqual(TestSite one, TestSite other, String point) throws Exception {
        assertThat(Arrays.equals(one.read(VOLUME, point), other.read(VOLUME, point)))
                .as(point)
                .isTrue();
        assertThat(Arrays.equals(other.read(VOLUME, null), other.read(VOLUME, point)))
                .as("volume at " + point)
                .isTrue();
    }

    @Test
    void aPlannedReversalAndTheWayBackMoveOnlyDifferences() throws Exception {
        a.writeNoise(VOLUME, 0, 8 * MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        sync(a, AB, first);

        assertThat(a.replicator.handOver(linkOf(a, AB), peerOf(a, linkOf(a, AB)), first.id()))
                .isEmpty();
        assertThat(a.replicator.handOver(linkOf(a, AB), peerOf(a, linkOf(a, AB)), first.id()))
                .as("asked twice")
                .isEmpty();
        become(a, AB, ReplicationLink.Role.TARGET);
        b.writeNoise(VOLUME, MIB, MIB, 2);
        var there = sync(b, AB, b.take(VOLUME, "rp-2"));

        assertEqual(b, a, "rp-2");
        assertThat(there.base()).contains(first.id());
        assertThat(there.sentPayloadBytes()).isEqualTo(MIB);

        var second = new RecoveryPointId("rp-2");
        assertThat(b.replicator.handOver(linkOf(b, AB), peerOf(b, linkOf(b, AB)), second))
                .isEmpty();
        become(b, AB, ReplicationLink.Role.TARGET);
        a.writeNoise(VOLUME, 4 * MIB, 4096, 3);
        var back = sync(a, AB, a.take(VOLUME, "rp-3"));

        assertEqual(a, b, "rp-3");
        assertThat(back.base()).contains(second);
        assertThat(back.sentPayloadBytes()).isEqualTo(4096);
        assertThat(a.replicator
                        .verify(
                                linkOf(a, AB),
                                peerOf(a, linkOf(a, AB)),
                                new RecoveryPointId("rp-3"),
                                ProgressListener.NONE)
                        .differingBlocks())
                .isZero();
    }

    @Test
    void aSourceKnowsWhetherItsVolumeIsStillWhatItSent() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        var link = linkOf(a, AB);
        assertThat(a.replicator.changedSince(link, first.id())).isEmpty();

        a.writeNoise(VOLUME, 2 * MIB, 4096, 2);

        assertThat(a.replicator.changedSince(link, first.id()))
                .hasValueSatisfying(trace -> assertThat(trace).contains("rp-1").contains("byte " + 2 * MIB));
        assertThat(bases(a, first.id())).as("nothing is left of the comparison").isEmpty();
        assertThat(a.replicator.changedSince(link, new RecoveryPointId("rp-2")))
                .hasValueSatisfying(trace -> assertThat(trace).contains("gone"));
    }

    @Test
    void aClockThatIsBehindDoesNotMakeAReversedLinkDiverge() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        var first = a.take(VOLUME, "rp-9");
        sync(a, AB, first);
        assertThat(a.replicator.handOver(linkOf(a, AB), peerOf(a, linkOf(a, AB)), first.id()))
                .isEmpty();
        become(a, AB, ReplicationLink.Role.TARGET);
        b.writeNoise(VOLUME, MIB, MIB, 2);
        sync(b, AB, b.take(VOLUME, "rp-1"));
        b.writeNoise(VOLUME, MIB, MIB, 3);

        sync(b, AB, b.take(VOLUME, "rp-2"));

        assertEqual(b, a, "rp-2");
    }

    @Test
    void aTargetThatIsNotInStepOrWasWrittenDoesNotTakeOver() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        sync(a, AB, first);
        var link = linkOf(a, AB);

        assertThat(a.replicator.handOver(link, peerOf(a, link), new RecoveryPointId("rp-2")))
                .containsInstanceOf(ReplicationError.PeerRefused.class);
        b.writeNoise(VOLUME, 0, 4096, 9);
        assertThat(a.replicator.handOver(link, peerOf(a, link), first.id()))
                .containsInstanceOf(ReplicationError.TargetWritten.class);
        assertThat(linkOf(b, AB).role()).isEqualTo(ReplicationLink.Role.TARGET);
    }

    @Test
    void afterAnUnplannedReversalWhatTheOldSourceWroteIsShownAndKeptByAResync() throws Exception {
        a.writeNoise(VOLUME, 0, 8 * MIB, 1);
        sync(a, AB, a.take(VOLUME, "rp-1"));
        a.writeNoise(VOLUME, 0, 4096, 7);
        a.take(VOLUME, "rp-2");
        a.writeNoise(VOLUME, 4096, 4096, 8);
        byte[] lost = a.read(VOLUME, null);
        b.catalog.promote(AB, Optional.empty());
        b.writeNoise(VOLUME, 6 * MIB, MIB, 3);
        var newest = b.take(VOLUME, "rp-3");

        assertThat(errorOf(() -> sync(b, AB, newest))).isInstanceOf(ReplicationError.NoTarget.class);
        a.replicator.confirmPeerIsSource(linkOf(a, AB), peerOf(a, linkOf(a, AB)));
        become(a, AB, ReplicationLink.Role.TARGET);
        assertThat(errorOf(() -> sync(b, AB, newest))).isInstanceOf(ReplicationError.Diverged.class);
        assertThat(Arrays.equals(a.read(VOLUME, null), lost))
                .as("nothing was overwritten")
                .isTrue();

        var report = resync(b, AB, newest);

        assertEqual(b, a, "rp-3");
        assertThat(report.sentPayloadBytes()).isEqualTo(MIB + 2 * 4096);
        var kept = a.catalog.kept.keySet().iterator().next();
        assertThat(Arrays.equals(a.read(VOLUME, kept.value()), lost)).as("kept").isTrue();
        b.writeNoise(VOLUME, 0, 4096, 5);
        var after = sync(b, AB, b.take(VOLUME, "rp-4"));
        assertThat(after.base()).contains(newest.id());
        assertEqual(b, a, "rp-4");
    }

    @Test
    void aResyncToAnOlderPointThanTheOverruledOnesStaysInStep() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a, AB, a.take(VOLUME, "rp-1"));
        b.writeNoise(VOLUME, 0, MIB, 2);
        b.take(VOLUME, "rp-8");
        var point = a.take(VOLUME, "rp-2");
        assertThat(errorOf(() -> sync(a, AB, point))).isInstanceOf(ReplicationError.Diverged.class);

        resync(a, AB, point);
        a.writeNoise(VOLUME, 0, MIB, 3);
        sync(a, AB, a.take(VOLUME, "rp-3"));

        assertEqual(a, b, "rp-3");
    }

    @Test
    void aTargetWithoutACommonBaseIsResyncedByDigest() throws Exception {
        a.writeNoise(VOLUME, 0, 4 * MIB, 1);
        b.writeNoise(VOLUME, 0, 4 * MIB, 1);
        b.take(VOLUME, "rp-0own");
        a.writeNoise(VOLUME, MIB, 4096, 2);
        var point = a.take(VOLUME, "rp-1");
        assertThat(errorOf(() -> sync(a, AB, point))).isInstanceOf(ReplicationError.NoCommonBase.class);

        var report = resync(a, AB, point);

        assertEqual(a, b, "rp-1");
        assertThat(report.sentPayloadBytes()).isEqualTo(4096);
    }

    @Test
    void aResyncThatDiedKeepsOnceAndGoesOn() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a, AB, a.take(VOLUME, "rp-1"));
        b.writeNoise(VOLUME, 0, 4096, 2);
        byte[] written = b.read(VOLUME, null);
        a.writeNoise(VOLUME, 0, 20 * MIB, 3);
        var point = a.take(VOLUME, "rp-2");
        var frames = new AtomicInteger();
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && frames.incrementAndGet() == 60) {
                throw new IllegalStateException("the source dies");
            }
        };
        assertThatThrownBy(() -> resync(a, AB, point)).isInstanceOf(IllegalStateException.class);
        a.moments = Moments.NONE;

        var report = resync(a, AB, point);

        assertEqual(a, b, "rp-2");
        assertThat(report.resumedBytes()).isGreaterThanOrEqualTo(8L * MIB);
        assertThat(b.catalog.kept).hasSize(1);
        var kept = b.catalog.kept.keySet().iterator().next();
        assertThat(Arrays.equals(b.read(VOLUME, kept.value()), written)).isTrue();
    }

    @Test
    void whoWritesToTheTargetDuringAResyncIsNotOverwrittenUnkept() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a, AB, a.take(VOLUME, "rp-1"));
        b.writeNoise(VOLUME, 0, 4096, 2);
        a.writeNoise(VOLUME, 0, MIB, 3);
        var point = a.take(VOLUME, "rp-2");
        b.moments = moment -> {
            if (moment == Moment.INGEST_STARTED) {
                b.moments = Moments.NONE;
                writeNow(b, 9 * MIB);
            }
        };
        assertThat(errorOf(() -> resync(a, AB, point))).isInstanceOf(ReplicationError.TargetWritten.class);

        resync(a, AB, point);

        assertEqual(a, b, "rp-2");
        assertThat(b.catalog.kept).hasSize(2);
    }

    private static void writeNow(TestSite site, long offset) {
        try {
            site.writeNoise(VOLUME, offset, 4096, 77);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aPausedSyncRepeatsLittleAndAPausedTargetTakesNothing() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a, AB, a.take(VOLUME, "rp-1"));
        a.writeNoise(VOLUME, 0, 24 * MIB, 2);
        var point = a.take(VOLUME, "rp-2");
        var link = linkOf(a, AB);
        var frames = new AtomicInteger();
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && frames.incrementAndGet() == PAUSED_AFTER_FRAMES) {
                // Longer than it takes until somebody asks whether to stop: the rest must not slip out meanwhile.
                sleep(Duration.ofMillis(300));
            }
        };
        var pausing = new ProgressListener() {
            @Override
            public void progress(io.tidemark.domain.Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return frames.get() >= PAUSED_AFTER_FRAMES;
            }
        };
        var stopped = errorOf(() -> a.replicator.sync(link, peerOf(a, link), point, bases(a, point.id()), pausing));
        long sent = frames.get() * 256L * 1024;
        b.catalog.links.computeIfPresent(AB, (id, known) -> known.in(LinkState.PAUSED, Optional.empty()));

        assertThat(stopped).isInstanceOf(ReplicationError.Cancelled.class);
        assertThat(errorOf(() -> sync(a, AB, point))).isInstanceOf(ReplicationError.LinkPaused.class);
        b.catalog.links.computeIfPresent(AB, (id, known) -> known.in(LinkState.ACTIVE, Optional.empty()));
        var report = sync(a, AB, point);

        assertEqual(a, b, "rp-2");
        assertThat(sent + report.sentPayloadBytes() - SIZE).isLessThanOrEqualTo(64L * MIB);
        assertThat(report.resumedBytes() + report.sentPayloadBytes()).isEqualTo(SIZE);
    }

    @Test
    void aChainHasTheSameImageAtEachOfItsEnds() throws Exception {
        a.writeNoise(VOLUME, 0, 4 * MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        sync(a, AB, first);
        link(b, BC, "site-c");
        sync(b, BC, received(b, "rp-1"));
        a.writeNoise(VOLUME, MIB, 4096, 2);
        sync(a, AB, a.take(VOLUME, "rp-2"));

        assertThat(held(b, "rp-1")).as("the base of the second link").isTrue();
        var report = sync(b, BC, received(b, "rp-2"));

        assertEqual(a, c, "rp-2");
        assertEqual(b, c, "rp-2");
        assertThat(report.base()).contains(first.id());
        assertThat(report.sentPayloadBytes()).isEqualTo(4096);
        assertThat(held(b, "rp-1")).isFalse();
    }

    private static RecoveryPoint received(TestSite site, String id) {
        return Objects.requireNonNull(site.catalog.received.get(new RecoveryPointId(id)));
    }

    private static boolean held(TestSite site, String point) {
        try {
            site.provider.delete(new io.tidemark.spi.SnapshotId(VOLUME, new RecoveryPointId(point)));
            return false;
        } catch (io.tidemark.spi.ProviderException e) {
            return e.error() instanceof io.tidemark.spi.ProviderError.Held;
        }
    }

    @Test
    void oneVolumeGoesToTwoTargetsEachWithABaseOfItsOwn() throws Exception {
        link(a, AC, "site-c");
        a.writeNoise(VOLUME, 0, MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        sync(a, AB, first);
        sync(a, AC, first);
        a.writeNoise(VOLUME, 0, MIB, 2);
        sync(a, AB, a.take(VOLUME, "rp-2"));
        a.writeNoise(VOLUME, MIB, MIB, 3);
        var third = a.take(VOLUME, "rp-3");

        assertThat(held(a, "rp-1")).as("the base of the one that lags").isTrue();
        assertThat(sync(a, AB, third).base()).contains(new RecoveryPointId("rp-2"));
        assertThat(sync(a, AC, third).base()).contains(first.id());

        assertEqual(a, b, "rp-3");
        assertEqual(a, c, "rp-3");
        assertThat(held(a, "rp-1")).isFalse();
    }
}
