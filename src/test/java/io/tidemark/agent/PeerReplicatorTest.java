package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two whole sites in one process, over loopback and TLS. */
@Timeout(60)
class PeerReplicatorTest {
    private static final int MIB = 1 << 20;
    private static final long SIZE = 48L * MIB;
    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");

    @TempDir
    Path folder;

    private PairedSites sites;
    private TestSite a;
    private TestSite b;
    private Peer peer;
    private ReplicationLink link;

    @BeforeEach
    void pairTwoSites() throws Exception {
        sites = PairedSites.in(folder, HERE, THERE, SIZE);
        a = sites.a();
        b = sites.b();
        peer = sites.peer();
        link = sites.link();
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    private SyncReport sync(RecoveryPoint point, String... bases) throws Exception {
        return a.replicator.sync(link, peer, point, ids(bases), ProgressListener.NONE);
    }

    private static List<RecoveryPointId> ids(String... ids) {
        return Arrays.stream(ids).map(RecoveryPointId::new).toList();
    }

    private void open() throws Exception {
        a.replicator.openLink(link, peer, SIZE);
    }

    private void assertCopied(String point) throws Exception {
        assertThat(Arrays.equals(b.read(THERE, point), a.read(HERE, point)))
                .as("copy of " + point)
                .isTrue();
    }

    private static ReplicationError errorOf(ThrowingCallable call) {
        var thrown = new AtomicReference<ReplicationError>();
        assertThatThrownBy(call).isInstanceOfSatisfying(ReplicationException.class, e -> thrown.set(e.error()));
        return Objects.requireNonNull(thrown.get());
    }

    @Test
    void theFirstCopyArrivesWholeWithItsConsistencyAndEvidence() throws Exception {
        open();
        a.writeNoise(HERE, 5 * MIB, 20 * MIB, 1);
        var point = a.take(HERE, "rp-1");

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.changedBytes()).isEqualTo(20L * MIB);
        assertThat(report.base()).isEmpty();
        var received = Objects.requireNonNull(b.catalog.received.get(point.id()));
        assertThat(received.consistency()).isEqualTo(point.consistency());
        assertThat(received.evidence()).isEqualTo(point.evidence());
        assertThat(received.members().getFirst().volume()).isEqualTo(THERE);
        assertThat(received.receivedOver()).contains(link.id());
        assertThat(b.catalog.link(link.id()).orElseThrow().inStep()).contains(point.id());
    }

    @Test
    void whatTheTargetAlreadyHasIsNotSentAgain() throws Exception {
        open();
        a.writeNoise(HERE, 0, 20 * MIB, 1);
        b.writeNoise(THERE, 0, 20 * MIB, 1);
        a.writeNoise(HERE, 8 * MIB, 4096, 2);
        b.writeNoise(THERE, 30 * MIB, 4096, 3);

        var report = sync(a.take(HERE, "rp-1"));

        assertCopied("rp-1");
        assertThat(report.sentPayloadBytes()).isEqualTo(4096);
        assertThat(report.changedBytes()).isEqualTo(2 * 4096);
    }

    @Test
    void anIncrementMovesLittleMoreThanTheBlocksThatTrulyChanged() throws Exception {
        open();
        a.writeNoise(HERE, 0, 20 * MIB, 1);
        sync(a.take(HERE, "rp-1"));
        long changed = 0;
        for (int block = 3; block < 4_000; block += 7) {
            a.writeNoise(HERE, block * 4096L, 4096, block);
            changed += 4096;
        }
        // Touched but not changed.
        a.writeNoise(HERE, 0, 4096, 1);

        var report = sync(a.take(HERE, "rp-2"), "rp-1");

        assertCopied("rp-2");
        assertThat(report.base()).contains(new RecoveryPointId("rp-1"));
        assertThat(report.sentPayloadBytes()).isLessThanOrEqualTo((long) (changed * 1.02));
        assertThat(report.sentWireBytes()).isLessThanOrEqualTo((long) (report.sentPayloadBytes() * 1.01) + 2_000);
    }

    @Test
    void zerosTravelAsASentence() throws Exception {
        open();
        a.writeNoise(HERE, 0, 20 * MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.write(HERE, 2 * MIB, new byte[16 * MIB]);

        var report = sync(a.take(HERE, "rp-2"), "rp-1");

        assertCopied("rp-2");
        assertThat(report.changedBytes()).isEqualTo(16L * MIB);
        assertThat(report.sentPayloadBytes()).isZero();
        assertThat(report.sentWireBytes()).isLessThan(4_000);
    }

    @Test
    void whereTheSourceHasZerosTheTargetNeverKeepsWhatItHadBefore() throws Exception {
        open();
        b.writeNoise(THERE, 0, (int) SIZE, 7);
        a.writeNoise(HERE, 8 * MIB, 4 * MIB, 1);
        sync(a.take(HERE, "rp-1"));
        assertCopied("rp-1");
        a.write(HERE, 9 * MIB, new byte[MIB]);
        a.writeNoise(HERE, 30 * MIB, 4096, 2);

        sync(a.take(HERE, "rp-2"), "rp-1");

        assertCopied("rp-2");
        assertThat(Arrays.equals(b.read(THERE, null), a.read(HERE, "rp-2"))).isTrue();
    }

    @Test
    void onlyTheNewestPairStaysHeld() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        sync(a.take(HERE, "rp-2"), "rp-1");

        assertThat(held(a, HERE, "rp-1")).isFalse();
        assertThat(held(b, THERE, "rp-1")).isFalse();
        assertThat(held(a, HERE, "rp-2")).isTrue();
        assertThat(held(b, THERE, "rp-2")).isTrue();
    }

    @Test
    void askingForWhatIsThereAlreadyMovesNothing() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        var first = a.take(HERE, "rp-1");
        sync(first);
        a.writeNoise(HERE, 0, MIB, 2);
        var second = a.take(HERE, "rp-2");
        sync(second, "rp-1");

        var again = sync(second, "rp-1");
        var older = sync(first, "rp-2");

        assertThat(again.sentPayloadBytes()).isZero();
        assertThat(older.sentPayloadBytes()).isZero();
        assertThat(held(a, HERE, "rp-2")).isTrue();
    }

    @Test
    void aCutLinkResumesWhereTheLogWasSynced() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, 40 * MIB, 2);
        var second = a.take(HERE, "rp-2");
        var frames = new AtomicInteger();
        var synced = new AtomicBoolean();
        b.moments = moment -> synced.compareAndSet(false, moment == Moment.INGEST_PARTLY_SYNCED);
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && frames.incrementAndGet() == 120) {
                Awaitility.await().untilTrue(synced);
                throw new IllegalStateException("the source dies");
            }
        };
        assertThatThrownBy(() -> sync(second, "rp-1")).isInstanceOf(IllegalStateException.class);
        a.moments = io.tidemark.domain.Moments.NONE;

        var report = sync(second, "rp-1");

        assertCopied("rp-2");
        assertThat(report.resumedBytes()).isGreaterThanOrEqualTo(8L * MIB);
        assertThat(report.resumedBytes() + report.sentPayloadBytes()).isEqualTo(40L * MIB);
    }

    @Test
    void aCutFirstCopyIsComparedAgainAndSendsOnlyWhatIsNotThere() throws Exception {
        open();
        a.writeNoise(HERE, 0, 40 * MIB, 2);
        var point = a.take(HERE, "rp-1");
        var frames = new AtomicInteger();
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && frames.incrementAndGet() == 120) {
                throw new IllegalStateException("the source dies");
            }
        };
        assertThatThrownBy(() -> sync(point)).isInstanceOf(IllegalStateException.class);
        a.moments = io.tidemark.domain.Moments.NONE;
        // The target's session lets go of the volume a moment after the source is gone.
        Awaitility.await().ignoreExceptionsInstanceOf(ProviderException.class).until(() -> {
            b.writeNoise(THERE, MIB, MIB, 3);
            return true;
        });

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.resumedBytes()).isZero();
        assertThat(report.sentPayloadBytes()).isBetween((long) MIB, 33L * MIB);
    }

    @Test
    void whoWritesToTheTargetDuringATransferIsNotOverwritten() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, 4 * MIB, 2);
        var second = a.take(HERE, "rp-2");
        var written = new AtomicBoolean();
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && written.compareAndSet(false, true)) {
                try {
                    b.writeNoise(THERE, 8 * MIB, MIB, 3);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };
        byte[] before = b.read(THERE, null);

        var error = errorOf(() -> sync(second, "rp-1"));

        assertThat(error).isInstanceOf(ReplicationError.TargetWritten.class);
        byte[] after = b.read(THERE, null);
        assertThat(Arrays.equals(before, 0, 8 * MIB, after, 0, 8 * MIB)).isTrue();
        assertThat(Arrays.equals(before, after)).isFalse();
        var left = b.provider.snapshots(io.tidemark.spi.SnapshotQuery.ofVolume(THERE));
        assertThat(left.snapshots()).hasSize(1);
    }

    @Test
    void theTargetStaysAtItsRecoveryPointUntilAllHasCome() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, 20 * MIB, 2);
        var second = a.take(HERE, "rp-2");
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT) {
                throw new IllegalStateException("the source dies");
            }
        };
        assertThatThrownBy(() -> sync(second, "rp-1")).isInstanceOf(IllegalStateException.class);

        assertThat(Arrays.equals(b.read(THERE, null), a.read(HERE, "rp-1"))).isTrue();
    }

    @Test
    void verifyCountsTheBlocksThatDiffer() throws Exception {
        open();
        a.writeNoise(HERE, 0, 20 * MIB, 1);
        sync(a.take(HERE, "rp-1"));

        var same = a.replicator.verify(link, peer, new RecoveryPointId("rp-1"), ProgressListener.NONE);
        assertThat(same.differingBlocks()).isZero();
        assertThat(same.comparedBytes()).isEqualTo(SIZE);

        b.writeNoise(THERE, 7 * MIB, 3 * 4096, 9);
        var other = a.take(HERE, "rp-9");
        b.take(THERE, "rp-9");
        var different = a.replicator.verify(link, peer, other.id(), ProgressListener.NONE);
        assertThat(different.differingBlocks()).isEqualTo(3);
    }

    @Test
    void aTargetThatOthersWroteIsRefusedAndNothingChanges() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        b.writeNoise(THERE, 3 * MIB, 4096, 5);
        byte[] before = b.read(THERE, null);
        var second = a.take(HERE, "rp-2");

        var error = errorOf(() -> sync(second, "rp-1"));

        assertThat(error).isInstanceOf(ReplicationError.TargetWritten.class);
        assertThat(b.read(THERE, null)).isEqualTo(before);
        assertThat(held(a, HERE, "rp-2")).isFalse();
        assertThat(held(a, HERE, "rp-1")).isTrue();
    }

    @Test
    void aTargetThatWentOnByItselfIsRefused() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        b.take(THERE, "rp-15");

        var error = errorOf(() -> sync(a.take(HERE, "rp-2"), "rp-1"));

        assertThat(error).isInstanceOf(ReplicationError.Diverged.class);
    }

    @Test
    void withoutACommonBaseNothingIsOverwritten() throws Exception {
        open();
        b.take(THERE, "rp-0");
        a.writeNoise(HERE, 0, MIB, 1);

        var error = errorOf(() -> sync(a.take(HERE, "rp-1")));

        assertThat(error).isInstanceOf(ReplicationError.NoCommonBase.class);
    }

    @Test
    void aSourceThatLostTheBaseSendsWhatDigestsTell() throws Exception {
        open();
        a.writeNoise(HERE, 0, 20 * MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        sync(a.take(HERE, "rp-2"), "rp-1");
        a.writeNoise(HERE, MIB, MIB, 3);

        var report = sync(a.take(HERE, "rp-3"), "rp-1");

        assertCopied("rp-3");
        assertThat(report.base()).isEmpty();
        assertThat(report.sentPayloadBytes()).isEqualTo(MIB);
    }

    @Test
    void aSmallerTargetIsRefused() throws Exception {
        b.provider.create(THERE, SIZE / 2);

        assertThat(errorOf(this::open)).isEqualTo(new ReplicationError.TargetSmaller(THERE, SIZE / 2, SIZE));
    }

    @Test
    void aLinkTheTargetDoesNotKnowIsRefused() throws Exception {
        assertThat(errorOf(() -> sync(a.take(HERE, "rp-1")))).isEqualTo(new ReplicationError.LinkUnknown(link.id()));
    }

    @Test
    void aCancelledSynchronisationEndsSoon() throws Exception {
        open();
        a.writeNoise(HERE, 0, 40 * MIB, 1);
        var point = a.take(HERE, "rp-1");
        var cancel = new AtomicBoolean();
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT) {
                cancel.set(true);
            }
        };
        var listener = new ProgressListener() {
            @Override
            public void progress(Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return cancel.get();
            }
        };

        var error = errorOf(() -> a.replicator.sync(link, peer, point, List.of(), listener));

        assertThat(error).isEqualTo(new ReplicationError.Cancelled(link.id()));
    }

    @Test
    void aTargetThatDiesAfterTheCommitFinishesAtItsStart() throws Exception {
        for (var moment : List.of(
                Moment.INGEST_COMMITTED,
                Moment.INGEST_PARTLY_APPLIED,
                Moment.INGEST_APPLIED,
                Moment.TARGET_SNAPSHOT_CUT,
                Moment.TARGET_RECORDED)) {
            closeBoth();
            folder = Files.createTempDirectory(folder.toRealPath(), "again");
            pairTwoSites();
            diesAfterTheCommit(moment);
        }
    }

    private void diesAfterTheCommit(Moment moment) throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        var second = a.take(HERE, "rp-2");
        b.moments = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> sync(second, "rp-1")).isInstanceOf(ReplicationException.class);
        b.provider.close();
        b.storage.crash(new java.util.Random(1));
        b.moments = io.tidemark.domain.Moments.NONE;

        b.server.resumeIngests();

        assertCopied("rp-2");
        assertThat(b.catalog.link(link.id()).orElseThrow().inStep())
                .as("%s", moment)
                .contains(second.id());
        assertThat(sync(second, "rp-1").sentPayloadBytes()).isZero();
        assertThat(held(a, HERE, "rp-1")).as("%s", moment).isFalse();
        assertThat(held(b, THERE, "rp-2")).as("%s", moment).isTrue();
    }

    @Test
    void aLinkIsForgottenOnlyWhenNothingOfItIsInWork() throws Exception {
        open();
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        var second = a.take(HERE, "rp-2");
        var meanwhile = new AtomicReference<Optional<String>>();
        b.moments = reached -> {
            if (reached == Moment.INGEST_COMMITTED) {
                meanwhile.set(b.retire(link.id()));
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> sync(second, "rp-1")).isInstanceOf(ReplicationException.class);
        b.moments = io.tidemark.domain.Moments.NONE;
        Awaitility.await()
                .until(() -> b.retire(link.id())
                        .filter(why -> why.contains("not applied yet"))
                        .isPresent());

        b.server.resumeIngests();

        assertThat(meanwhile.get()).contains("a synchronisation that is being received");
        assertThat(b.retire(link.id())).isEmpty();
        assertThat(errorOf(() -> sync(second, "rp-1"))).isEqualTo(new ReplicationError.LinkUnknown(link.id()));
    }

    private static boolean held(TestSite site, VolumeId volume, String point) throws Exception {
        var id = new SnapshotId(volume, new RecoveryPointId(point));
        try {
            site.provider.delete(id);
        } catch (ProviderException e) {
            return e.error() instanceof ProviderError.Held;
        }
        return false;
    }
}
