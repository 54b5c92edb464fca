package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two whole sites in one process, over loopback and TLS, and a link of two volumes that are files. */
@Timeout(60)
abstract class FileLinkGround {
    static final int MIB = 1 << 20;
    static final VolumeId HERE = new VolumeId("folder:home");
    static final VolumeId THERE = new VolumeId("folder:home-copy");

    @TempDir
    Path folder;

    PairedSites sites;
    TestSite a;
    TestSite b;
    Peer peer;
    ReplicationLink link;

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

    static void write(TestSite site, VolumeId volume, String file, int bytes, long seed) throws Exception {
        byte[] noise = new byte[bytes];
        new Random(seed).nextBytes(noise);
        Files.write(site.files.place(volume).resolve(file), noise);
    }

    SyncReport sync(RecoveryPoint point, String... bases) throws Exception {
        var known = Arrays.stream(bases).map(RecoveryPointId::new).toList();
        return a.replicator.sync(link, peer, point, known, ProgressListener.NONE);
    }

    RecoveryPoint take(String id) throws Exception {
        return a.takeFiles(HERE, id);
    }

    static ReplicationError errorOf(ThrowingCallable call) {
        return catchThrowableOfType(ReplicationException.class, call).error();
    }

    /** By the checksums of both trees, as a verification does. */
    long differing(String point) throws Exception {
        return a.replicator
                .verify(link, peer, new RecoveryPointId(point), ProgressListener.NONE)
                .differingBlocks();
    }

    static boolean held(TestSite site, VolumeId volume, String point) {
        return site.files
                .holds(new SnapshotId(volume, new RecoveryPointId(point)))
                .contains(new HoldOwner("ln-1"));
    }

    void assertCopied(String point) throws Exception {
        assertThat(differing(point)).isZero();
        assertThat(b.files.changedSince(THERE, Optional.of(new RecoveryPointId(point))))
                .isEmpty();
    }

    RecoveryPoint interrupted() throws Exception {
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

    static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The target dies at that moment of the second recovery point. */
    RecoveryPoint targetDies(Moment moment) throws Exception {
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

    /** The received snapshot is there, its log too, and the volume is somebody's by now. */
    RecoveryPoint stuck() throws Exception {
        var second = targetDies(Moment.INGEST_APPLIED);
        Files.write(b.files.place(THERE).resolve("mine"), new byte[] {1});
        b.server.resumeIngests();
        assertThat(errorOf(() -> sync(second, "rp-1"))).isInstanceOf(ReplicationError.TargetWritten.class);
        return second;
    }

    SyncReport resync(RecoveryPoint point, String base) throws Exception {
        return a.replicator.resync(link, peer, point, List.of(new RecoveryPointId(base)), ProgressListener.NONE);
    }

    RecoveryPoint writtenTarget() throws Exception {
        write(a, HERE, "one", MIB, 1);
        sync(take("rp-1"));
        write(b, THERE, "mine", 10, 3);
        write(a, HERE, "two", 100, 2);
        return take("rp-2");
    }

    void assertKept() {
        assertThat(b.catalog.kept).hasSize(1);
        var kept = b.catalog.kept.keySet().iterator().next();
        assertThat(Files.exists(b.files.place(new SnapshotId(THERE, kept)).resolve("mine")))
                .isTrue();
    }
}
