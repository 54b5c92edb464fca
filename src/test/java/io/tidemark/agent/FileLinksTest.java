package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Links of volumes that are files: two whole sites in one process, over loopback and TLS. */
@Timeout(60)
class FileLinksTest {
    private static final int MIB = 1 << 20;
    private static final VolumeId HERE = new VolumeId("folder:home");
    private static final VolumeId THERE = new VolumeId("folder:home-copy");

    @TempDir
    Path folder;

    private PairedSites sites;
    private TestSite a;
    private TestSite b;
    private Peer peer;
    private ReplicationLink link;

    @BeforeEach
    void pairTwoSites() throws Exception {
        sites = PairedSites.in(folder, new VolumeId("memory:unused"), THERE, MIB);
        a = sites.a();
        b = sites.b();
        peer = sites.peer();
        link = new ReplicationLink(
                sites.link().id(),
                ReplicationLink.Role.SOURCE,
                peer.id(),
                HERE,
                THERE,
                sites.link().group(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        a.files.make(HERE);
        b.files.make(THERE);
        a.replicator.openLink(link, peer, 0);
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    private static void write(TestSite site, VolumeId volume, String file, int bytes, long seed) throws Exception {
        byte[] noise = new byte[bytes];
        new Random(seed).nextBytes(noise);
        Files.write(site.files.place(volume).resolve(file), noise);
    }

    private SyncReport sync(RecoveryPoint point, String... bases) throws Exception {
        var known = Arrays.stream(bases).map(RecoveryPointId::new).toList();
        return a.replicator.sync(link, peer, point, known, ProgressListener.NONE);
    }

    private RecoveryPoint take(String id) throws Exception {
        return a.takeFiles(HERE, id);
    }

    private static ReplicationError errorOf(ThrowingCallable call) {
        return catchThrowableOfType(ReplicationException.class, call).error();
    }

    /** By the checksums of both trees, as a verification does. */
    private long differing(String point) throws Exception {
        return a.replicator
                .verify(link, peer, new RecoveryPointId(point), ProgressListener.NONE)
                .differingBlocks();
    }

    private static boolean held(TestSite site, VolumeId volume, String point) {
        return site.files
                .holds(new SnapshotId(volume, new RecoveryPointId(point)))
                .contains(new HoldOwner("ln-1"));
    }

    private void assertCopied(String point) throws Exception {
        assertThat(differing(point)).isZero();
        assertThat(b.files.changedSince(THERE, Optional.of(new RecoveryPointId(point))))
                .isEmpty();
    }

    @Test
    void wholeFirstAndThenWhatChanged() throws Exception {
        write(a, HERE, "large", 3 * MIB + 17, 1);
        write(a, HERE, "goes", 100, 2);
        var first = sync(take("rp-1"));

        assertCopied("rp-1");
        assertThat(first.base()).isEmpty();
        assertThat(first.changedRangeSource()).isEqualTo("folder-stream");

        write(a, HERE, "comes", 1000, 3);
        Files.delete(a.files.place(HERE).resolve("goes"));
        var second = sync(take("rp-2"), "rp-1");

        assertCopied("rp-2");
        assertThat(second.base()).contains(new RecoveryPointId("rp-1"));
        assertThat(second.sentPayloadBytes()).isBetween(1000L, 1200L);
        assertThat(held(a, HERE, "rp-1")).isFalse();
        assertThat(held(a, HERE, "rp-2")).isTrue();
        assertThat(held(b, THERE, "rp-1")).isFalse();
        assertThat(held(b, THERE, "rp-2")).isTrue();
        assertThat(b.catalog.received).containsOnlyKeys(new RecoveryPointId("rp-1"), new RecoveryPointId("rp-2"));
    }

    @Test
    void whatIsThereIsNotSentAgain() throws Exception {
        write(a, HERE, "one", 100, 1);
        var point = take("rp-1");
        sync(point);

        assertThat(sync(point).sentPayloadBytes()).isZero();
        assertThat(b.files.received).isEqualTo(1);
    }

    @Test
    void aVerificationSeesWhatDiffers() throws Exception {
        write(a, HERE, "one", 10_000, 1);
        sync(take("rp-1"));
        Files.write(
                b.files
                        .place(new SnapshotId(THERE, new RecoveryPointId("rp-1")))
                        .resolve("one"),
                new byte[10_000]);

        assertThat(differing("rp-1")).isEqualTo(1);
    }

    @Test
    void whenTheRootWasChangedIsNoDifference() throws Exception {
        write(a, HERE, "one", 10_000, 1);
        sync(take("rp-1"));
        Files.setLastModifiedTime(
                b.files.place(new SnapshotId(THERE, new RecoveryPointId("rp-1"))), FileTime.fromMillis(7));

        assertThat(differing("rp-1")).isZero();
    }

    @Test
    void aTargetThatIsNotThereHasToBeMade() throws Exception {
        Files.delete(b.files.place(THERE));

        assertThat(errorOf(() -> a.replicator.openLink(link, peer, 0)).message())
                .contains("there is no volume folder:home-copy there");
    }

    private RecoveryPoint interrupted() throws Exception {
        write(a, HERE, "large", 40 * MIB, 1);
        var point = take("rp-1");
        var frames = new AtomicInteger();
        var synced = new CountDownLatch(1);
        b.moments = moment -> {
            if (moment == Moment.INGEST_PARTLY_SYNCED) {
                synced.countDown();
            }
        };
        a.moments = moment -> {
            if (moment == Moment.SYNC_PARTLY_SENT && frames.incrementAndGet() == 120) {
                await(synced);
                throw new IllegalStateException("the source dies");
            }
        };
        assertThatThrownBy(() -> sync(point)).isInstanceOf(IllegalStateException.class);
        a.moments = Moments.NONE;
        b.moments = Moments.NONE;
        return point;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCutLinkResumes() throws Exception {
        var point = interrupted();

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.resumedBytes()).isGreaterThanOrEqualTo(8L * MIB);
        assertThat(report.resumedBytes() + report.sentPayloadBytes()).isBetween(40L * MIB, 40L * MIB + 200);
    }

    @Test
    void aStreamThatBeginsOtherwiseThanWhatWasSentIsSentAnew() throws Exception {
        var point = interrupted();
        a.files.salt = "reorganised ";

        var report = sync(point);

        assertCopied("rp-1");
        assertThat(report.resumedBytes()).isZero();
        assertThat(report.sentPayloadBytes()).isGreaterThan(40L * MIB);
    }

    @Test
    void aCancelledSynchronisationEndsSoon() throws Exception {
        write(a, HERE, "large", 40 * MIB, 1);
        var point = take("rp-1");
        var cancel = new AtomicBoolean();
        a.moments = moment -> cancel.compareAndSet(false, moment == Moment.SYNC_PARTLY_SENT);
        var listener = new ProgressListener() {
            @Override
            public void progress(Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return cancel.get();
            }
        };

        assertThat(errorOf(() -> a.replicator.sync(link, peer, point, List.of(), listener)))
                .isEqualTo(new ReplicationError.Cancelled(link.id()));
    }

    /** The target dies at that moment of the second recovery point. */
    private RecoveryPoint targetDies(Moment moment) throws Exception {
        write(a, HERE, "large", 3 * MIB, 1);
        sync(take("rp-1"));
        write(a, HERE, "large", 3 * MIB, 2);
        var second = take("rp-2");
        b.moments = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> sync(second, "rp-1")).isInstanceOf(ReplicationException.class);
        b.moments = Moments.NONE;
        return second;
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "INGEST_COMMITTED",
                "INGEST_PARTLY_APPLIED",
                "INGEST_APPLIED",
                "TARGET_SNAPSHOT_CUT",
                "TARGET_RECORDED"
            })
    void aTargetThatDiedFinishesWhatWasCommitted(Moment moment) throws Exception {
        var second = targetDies(moment);

        b.server.resumeIngests();

        assertCopied("rp-2");
        assertThat(held(b, THERE, "rp-2")).isTrue();
        assertThat(sync(second, "rp-1").sentPayloadBytes()).isZero();
    }

    @Test
    void whatOthersWroteBeforeACommitIsAppliedStays() throws Exception {
        var second = targetDies(Moment.INGEST_PARTLY_APPLIED);
        write(b, THERE, "mine", 10, 3);

        b.server.resumeIngests();

        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
        assertThat(errorOf(() -> sync(second, "rp-1"))).isInstanceOf(ReplicationError.TargetWritten.class);

        b.files.rollback(new SnapshotId(THERE, new RecoveryPointId("rp-1")));
        sync(second, "rp-1");
        assertCopied("rp-2");
    }

    @Test
    void aVolumeInUseIsPutToItsRecoveryPointLater() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        write(a, HERE, "one", 100, 2);
        var second = take("rp-2");
        var busy = new ProviderError.Busy(THERE.value(), "process 7", Duration.ofSeconds(1));
        b.files.rollbackFails = Optional.of(busy);
        assertThat(errorOf(() -> sync(second, "rp-1"))).isEqualTo(new ReplicationError.Storage(busy));
        assertThat(b.catalog.received).containsOnlyKeys(new RecoveryPointId("rp-1"));
        b.files.rollbackFails = Optional.empty();

        sync(second, "rp-1");

        assertCopied("rp-2");
        assertThat(b.files.received).isEqualTo(2);
    }

    @Test
    void aWrittenTargetIsNotOverwritten() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        write(b, THERE, "mine", 10, 3);

        assertThat(errorOf(() -> sync(take("rp-2"), "rp-1")))
                .isEqualTo(new ReplicationError.TargetWritten(THERE, "mine differs"));
        assertThat(held(a, HERE, "rp-2")).isFalse();
    }

    @Test
    void aFirstCopyWantsAnEmptyVolume() throws Exception {
        write(b, THERE, "mine", 10, 3);
        write(a, HERE, "one", 100, 1);

        assertThat(errorOf(() -> sync(take("rp-1"))))
                .isEqualTo(new ReplicationError.TargetWritten(THERE, "it has mine"));
        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
    }

    @Test
    void aSourceThatLostTheBaseIsRefused() throws Exception {
        write(a, HERE, "one", 100, 1);
        sync(take("rp-1"));
        sync(take("rp-2"), "rp-1");

        assertThat(errorOf(() -> sync(take("rp-3"), "rp-1"))).isInstanceOf(ReplicationError.NoCommonBase.class);
    }

    @Test
    void bothVolumesAreFiles() throws Exception {
        b.provider.create(new VolumeId("memory:blocks"), MIB);
        var other = new ReplicationLink(
                new io.tidemark.domain.LinkId("ln-2"),
                ReplicationLink.Role.SOURCE,
                peer.id(),
                HERE,
                new VolumeId("memory:blocks"),
                link.group(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());

        assertThat(errorOf(() -> a.replicator.openLink(other, peer, 0)).message())
                .contains("name a volume of this site that is files");
    }

    private SyncReport resync(RecoveryPoint point, String base) throws Exception {
        return a.replicator.resync(link, peer, point, List.of(new RecoveryPointId(base)), ProgressListener.NONE);
    }

    private RecoveryPoint writtenTarget() throws Exception {
        write(a, HERE, "one", MIB, 1);
        sync(take("rp-1"));
        write(b, THERE, "mine", 10, 3);
        write(a, HERE, "two", 100, 2);
        return take("rp-2");
    }

    private void assertKept() {
        assertThat(b.catalog.kept).hasSize(1);
        var kept = b.catalog.kept.keySet().iterator().next();
        assertThat(Files.exists(b.files.place(new SnapshotId(THERE, kept)).resolve("mine")))
                .isTrue();
    }

    @Test
    void aResyncKeepsWhatOthersWroteAndBuildsUponWhatBothHave() throws Exception {
        var second = writtenTarget();

        var report = resync(second, "rp-1");

        assertCopied("rp-2");
        assertThat(report.base()).contains(new RecoveryPointId("rp-1"));
        assertThat(report.sentPayloadBytes()).isLessThan(1_000);
        assertKept();
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"INGEST_COMMITTED", "INGEST_PARTLY_APPLIED", "INGEST_APPLIED", "TARGET_RECORDED"})
    void aResyncThatDiedIsFinished(Moment moment) throws Exception {
        var second = writtenTarget();
        b.moments = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> resync(second, "rp-1")).isInstanceOf(ReplicationException.class);
        b.moments = Moments.NONE;

        b.server.resumeIngests();

        assertCopied("rp-2");
        assertKept();
    }

    @Test
    void aStorageThatTakesStreamsInOrderAloneHasNoResync() throws Exception {
        b.files.besideNewer = false;
        var second = writtenTarget();

        assertThat(errorOf(() -> resync(second, "rp-1")).message()).contains("roll it back to the recovery point");
        assertThat(Files.exists(b.files.place(THERE).resolve("mine"))).isTrue();
        assertThat(b.catalog.kept).isEmpty();
    }

    /** As a reversal does, with what each side has received. */
    @Test
    void theOtherWayTheSameSnapshotsAreTheBase() throws Exception {
        write(a, HERE, "one", MIB, 1);
        var first = sync(take("rp-1"));
        a.catalog.saveLink(
                link.inStepWith(first).reversed(ReplicationLink.Role.TARGET, link.group(), Optional.empty()));
        b.catalog.links.computeIfPresent(
                link.id(), (_, known) -> known.reversed(ReplicationLink.Role.SOURCE, known.group(), Optional.empty()));
        write(b, THERE, "two", 100, 2);
        var point = b.takeFiles(THERE, "rp-2");

        var report = b.replicator.sync(
                b.catalog.link(link.id()).orElseThrow(),
                b.catalog.peers().getFirst(),
                point,
                List.of(new RecoveryPointId("rp-1")),
                ProgressListener.NONE);

        assertThat(report.sentPayloadBytes()).isLessThan(1_000);
        assertThat(a.files.changedSince(HERE, Optional.of(point.id()))).isEmpty();
        assertThat(Files.exists(a.files.place(HERE).resolve("two"))).isTrue();
    }
}
