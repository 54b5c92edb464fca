package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of one volume in memory, and the wishes of its link in a folder. */
class KeptSnapshotsTest {
    private static final int MIB = 1 << 20;
    private static final Duration AGAIN = Duration.ofMillis(20);
    private static final Duration SOON = Duration.ofMillis(200);
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private LiveSite site;
    private Path linkFolder;
    private LinkWishes wishes;
    private KeptSnapshots kept;
    private final CountDownLatch closed = new CountDownLatch(1);

    @BeforeEach
    void start() throws Exception {
        site = new LiveSite(folder);
        site.provider.create(site.volume, MIB);
        linkFolder = Files.createDirectory(folder.resolve("wishes"));
        var link = new LiveHost.Link(
                LiveSite.LINK,
                new PeerId("b"),
                site.volume,
                new VolumeId("memory:other"),
                MIB,
                true,
                new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 67, 0, 0, false),
                Instant.now());
        wishes = new LinkWishes(new LinkFolder(linkFolder), new LinkFolder.Found(link, LinkFolder.Wishes.NONE));
        kept = new KeptSnapshots(
                site.host, link, wishes, point -> site.provider.delete(new SnapshotId(site.volume, point)), AGAIN);
    }

    @AfterEach
    void close() {
        closed.countDown();
        site.close();
    }

    private List<RecoveryPointId> points() throws Exception {
        return site.snapshots().stream().map(each -> each.id().recoveryPoint()).toList();
    }

    private boolean isHeld(RecoveryPointId point) {
        return !site.storage.holds(new SnapshotId(site.volume, point)).isEmpty();
    }

    private CompletableFuture<Void> keeping() {
        return CompletableFuture.runAsync(() -> {
            try {
                kept.keep(false, closed);
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
    }

    private static void assertWaits(CompletableFuture<Void> keeping) {
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> keeping.get(SOON.toMillis(), TimeUnit.MILLISECONDS));
    }

    @Test
    void whatAResyncHasOverwrittenGoesAfterIt() throws Exception {
        kept.changed(ReplicationState.SYNC_TARGET);
        kept.keep(false, closed);
        var point = wishes.now().kept().orElseThrow();

        kept.tidy();

        assertThat(points()).containsExactly(point);
        assertThat(isHeld(point)).isTrue();
        kept.changed(ReplicationState.ESTABLISHED);
        kept.tidy();
        assertThat(points()).isEmpty();
        assertThat(wishes.now()).isEqualTo(LinkFolder.Wishes.NONE);
    }

    @Test
    void whatWasKeptBeforeIsEndedOnceAnotherIsHeld() throws Exception {
        kept.changed(ReplicationState.SYNC_TARGET);
        kept.keep(false, closed);
        var first = wishes.now().kept().orElseThrow();
        kept.changed(ReplicationState.OFF);

        kept.keep(false, closed);

        var second = wishes.now().kept().orElseThrow();
        assertThat(wishes.now().held()).containsExactly(first, second);
        kept.tidy();
        assertThat(points()).containsExactly(second);
        assertThat(isHeld(second)).isTrue();
        assertThat(wishes.now().held()).containsExactly(second);
    }

    @Test
    void whatIsGivenUpInStepIsNotEndedBeforeItWasOverwrittenAndStaysAfterwards() throws Exception {
        kept.changed(ReplicationState.ESTABLISHED);
        kept.keep(true, closed);
        var point = wishes.now().kept().orElseThrow();

        kept.tidy();

        assertThat(isHeld(point)).isTrue();
        assertThat(wishes.now().kept()).contains(point);
        kept.changed(ReplicationState.OFF);
        kept.changed(ReplicationState.SYNC_TARGET);
        kept.changed(ReplicationState.ESTABLISHED);
        kept.tidy();
        assertThat(points()).containsExactly(point);
        assertThat(isHeld(point)).isFalse();
        assertThat(wishes.now()).isEqualTo(LinkFolder.Wishes.NONE);
    }

    @Test
    void nothingIsEndedWhileItIsBeingKept() throws Exception {
        kept.changed(ReplicationState.ESTABLISHED);
        site.provider.remove(site.volume);
        wishes.change(now -> now.keeping(new RecoveryPointId("rp-1")));
        var keeping = keeping();
        assertWaits(keeping);

        kept.tidy();

        assertThat(wishes.now().kept()).contains(new RecoveryPointId("rp-1"));
        closed.countDown();
        assertThatExceptionOfType(Exception.class)
                .isThrownBy(() -> keeping.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .withMessageContaining("closed");
    }

    @Test
    void storageThatFailsForAWhileIsAskedAgain() throws Exception {
        site.provider.remove(site.volume);
        var keeping = keeping();
        assertWaits(keeping);

        site.provider.create(site.volume, MIB);

        keeping.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(isHeld(wishes.now().kept().orElseThrow())).isTrue();
    }

    @Test
    void wishesThatCannotBeWrittenForAWhileAreWrittenAgain() throws Exception {
        Files.delete(linkFolder);
        var keeping = keeping();
        assertWaits(keeping);
        assertThat(points()).isEmpty();

        Files.createDirectory(linkFolder);

        keeping.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(points()).containsExactly(wishes.now().kept().orElseThrow());
    }

    /** A full storage holds one of the volume's threads no longer than somebody wants it. */
    @Test
    void whatCannotBeKeptIsToldAndEndsOnceItIsNotWanted() throws Exception {
        kept.changed(ReplicationState.OFF);
        site.provider.remove(site.volume);
        var keeping = keeping();
        await().atMost(LIMIT).until(() -> kept.why().isPresent());
        assertThat(kept.why()).hasValueSatisfying(why -> assertThat(why).contains("cannot be kept", "resolve"));
        assertWaits(keeping);

        kept.unwanted();

        keeping.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        assertThat(kept.why()).isEmpty();
        assertThat(wishes.now()).isEqualTo(LinkFolder.Wishes.NONE);
    }

    @Test
    void whatIsKeptThoughItIsNotWantedAnyMoreIsDeleted() throws Exception {
        site.gateOfCuts = new CountDownLatch(1);
        kept.changed(ReplicationState.OFF);
        var keeping = keeping();
        await().atMost(LIMIT).until(() -> wishes.now().kept().isPresent());
        assertWaits(keeping);

        kept.unwanted();
        site.gateOfCuts.countDown();

        keeping.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        assertThat(points()).isEmpty();
        assertThat(wishes.now()).isEqualTo(LinkFolder.Wishes.NONE);
    }
}
