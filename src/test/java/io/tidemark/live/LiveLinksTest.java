package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.PeerId;
import io.tidemark.export.OpenImages;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.Protocol;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two hosts over TLS on loopback, with a line between them that fails. */
@Timeout(120)
class LiveLinksTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 8 * MIB;
    private static final int BLOCK = 4_096;
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private LiveSite a;
    private LiveSite b;
    private CutRelay line;

    @BeforeEach
    void pair() throws Exception {
        a = new LiveSite(folder.resolve("a"));
        b = new LiveSite(folder.resolve("b"));
        line = new CutRelay(b.address());
        a.trust("b", b, line.address());
        b.trust("a", a, "127.0.0.1:1");
        a.provider.create(a.volume, SIZE);
    }

    @AfterEach
    void close() throws Exception {
        line.close();
        a.close();
        b.close();
    }

    private LiveHost.Link link(Protocol protocol) {
        return new LiveHost.Link(
                LiveSite.LINK,
                new PeerId("b"),
                a.volume,
                b.volume,
                SIZE,
                true,
                new LiveHost.Terms(protocol, Congestion.BLOCK, MIB, 67, 0, 0, false),
                Instant.now());
    }

    /** It has ended before it is stopped, perhaps: then it is begun again. */
    @Test
    void verifyThatIsUnderWayIsStopped() throws Exception {
        a.links.create(link(Protocol.C), false);
        a.links.promote(LiveSite.LINK, false);
        awaitInStep();

        await().atMost(LIMIT)
                .ignoreExceptionsInstanceOf(LiveHost.RefusedException.class)
                .until(() -> {
                    a.links.verify(LiveSite.LINK);
                    a.links.stopVerify(LiveSite.LINK);
                    return true;
                });

        var verify = status(a).verify().orElseThrow();
        assertThat(verify.state()).isEqualTo(LiveStatus.VerifyState.STOPPED);
        assertThat(verify.comparedBlocks()).isLessThan(SIZE / BLOCK);
        assertThatExceptionOfType(LiveHost.RefusedException.class)
                .isThrownBy(() -> b.links.stopVerify(LiveSite.LINK))
                .withMessageContaining("stop it there");
    }

    private static LiveStatus status(LiveSite site) {
        return site.live()
                .status()
                .orElseThrow(() -> new AssertionError(site.live().why()));
    }

    private static void awaitStatus(LiveSite site, Predicate<LiveStatus> wanted) {
        await().atMost(LIMIT).pollInterval(Duration.ofMillis(20)).until(() -> status(site), wanted);
    }

    private void awaitInStep() {
        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(
                    site,
                    status -> status.replication() == ReplicationState.ESTABLISHED
                            && status.disk() == DiskState.UP_TO_DATE
                            && status.dirtyBlocks() == 0);
        }
    }

    private void assertEqual() {
        assertThat(b.storage.content(b.volume).sameAs(a.storage.content(a.volume)))
                .isTrue();
    }

    private void awaitEqual() {
        awaitInStep();
        await().atMost(LIMIT)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> b.storage.content(b.volume).sameAs(a.storage.content(a.volume)));
    }

    private void createAndPromote(Protocol protocol, boolean isOverwriting) throws Exception {
        a.links.create(link(protocol), isOverwriting);
        a.links.promote(LiveSite.LINK, false);
    }

    /** With a volume full of what compresses to nothing, which the peer has too in the end. */
    private void begin(Protocol protocol) throws Exception {
        createAndPromote(protocol, false);
        awaitInStep();
        a.write(0, SIZE, 1);
        a.image().flush();
        assertEqual();
    }

    private static void assertRefused(LiveSite site, Asked asked, String why) {
        assertThatExceptionOfType(LiveHost.RefusedException.class)
                .isThrownBy(() -> asked.of(site.links))
                .withMessageContaining(why);
    }

    private interface Asked {
        void of(LiveLinks links) throws LiveHost.RefusedException;
    }

    @ParameterizedTest
    @EnumSource(Protocol.class)
    void whatIsWrittenArrives(Protocol protocol) throws Exception {
        var before = new byte[SIZE];
        Arrays.fill(before, (byte) 7);
        a.storage.overwrite(a.volume, 0, ByteBuffer.wrap(before));
        createAndPromote(protocol, false);
        awaitEqual();
        assertThat(b.storage.content(b.volume).bytes()).isEqualTo(before);

        a.write(BLOCK, 3 * MIB, 2);
        a.image().writeZeroes(5 * MIB, MIB, false);
        a.write(1, 1, 3);
        a.image().flush();

        if (protocol == Protocol.C) {
            assertEqual();
        }
        awaitEqual();
        var read = ByteBuffer.allocate(SIZE);
        a.image().read(0, read);
        assertThat(read.array()).isEqualTo(b.storage.content(b.volume).bytes());
        assertThat(status(b).role()).isEqualTo(Role.SECONDARY);
        assertThat(a.live().export()).contains(LiveSite.EXPORT);
        assertThat(b.live().export()).isEmpty();
    }

    @Test
    void afterACutOnlyWhatIsDirtyIsSent() throws Exception {
        begin(Protocol.C);
        line.cut();
        awaitStatus(a, status -> status.replication() == ReplicationState.OFF);
        awaitStatus(b, status -> status.replication() == ReplicationState.OFF);

        var before = a.live();
        a.write(BLOCK, BLOCK, 3);
        a.write(4 * MIB, 2 * BLOCK, 4);

        assertThat(status(a).dirtyBlocks()).isEqualTo(3);
        assertAnotherGeneration(before, a.live());
        assertRefused(b, links -> links.promote(LiveSite.LINK, false), "promote by force");
        assertThat(status(b).role()).isEqualTo(Role.SECONDARY);
        line.bytes.set(0);
        line.mend();
        awaitEqual();
        assertThat(line.bytes).hasValueBetween(3L * BLOCK, MIB / 2);
        assertCarried(before, a.live(), b.live());
        // What was kept of the target until the resync's end is gone.
        await().atMost(LIMIT).until(() -> b.snapshots().isEmpty());
        await().atMost(LIMIT).until(() -> b.live().kept().isEmpty());
    }

    private static LiveFigures figures(LiveHost.Live live) {
        return live.figures().orElseThrow(() -> new AssertionError(live.why()));
    }

    private static void assertAnotherGeneration(LiveHost.Live before, LiveHost.Live now) {
        assertThat(figures(now).generation())
                .isPresent()
                .isNotEqualTo(figures(before).generation());
        assertThat(now.changes().get(LiveHost.Aspect.GENERATION))
                .isEqualTo(before.changes().getOrDefault(LiveHost.Aspect.GENERATION, 0L) + 1);
        assertThat(now.peerAddress()).isEmpty();
    }

    /** All of the volume as writes, and the three blocks that were dirty as a resync. */
    private static void assertCarried(LiveHost.Live before, LiveHost.Live source, LiveHost.Live target) {
        assertThat(source.traffic().sent().writeBytes()).isEqualTo(SIZE);
        assertThat(source.traffic().sent().resyncBytes())
                .isEqualTo(before.traffic().sent().resyncBytes() + 3 * BLOCK);
        assertThat(source.traffic().sessions()).isGreaterThan(before.traffic().sessions());
        assertThat(target.traffic().received()).isEqualTo(source.traffic().sent());
        assertThat(source.peerAddress()).isPresent();
        assertThat(figures(target).generation()).isEqualTo(figures(source).generation());
        assertThat(figures(source).unconfirmedBytes()).isZero();
        assertThat(figures(source).resync()).isEmpty();
    }

    @Test
    void bothSidesWrittenApartStandAloneUntilSomebodyChooses() throws Exception {
        begin(Protocol.C);
        line.cut();
        awaitStatus(a, status -> status.replication() == ReplicationState.OFF);
        awaitStatus(b, status -> status.replication() == ReplicationState.OFF);
        b.links.promote(LiveSite.LINK, true);
        a.write(0, BLOCK, 5);
        b.write(0, BLOCK, 6);
        b.write(MIB, BLOCK, 7);
        var given = b.storage.content(b.volume);

        line.mend();

        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.STAND_ALONE);
            assertThat(site.live().why()).isNotEmpty();
        }
        b.links.demote(LiveSite.LINK, false);
        b.links.resolve(LiveSite.LINK, false);
        a.links.resolve(LiveSite.LINK, true);
        awaitEqual();
        await().atMost(LIMIT).until(() -> b.live().kept().isEmpty());
        var kept = b.snapshots();
        assertThat(kept).hasSize(1);
        var id = kept.getFirst().id();
        assertThat(b.storage.content(id).orElseThrow().sameAs(given)).isTrue();
        assertThat(b.storage.holds(id)).isEmpty();
        assertThat(b.catalog.knows(id.recoveryPoint(), id.volume())).isTrue();
    }

    @Test
    void aPrimaryIsPrimaryAgainAfterItsProcessEndedAndItMetItsPeer() throws Exception {
        begin(Protocol.C);

        a.restart();

        awaitStatus(a, status -> status.role() == Role.PRIMARY);
        awaitEqual();
        await().atMost(LIMIT).until(a::hasOpenExport);
        a.write(0, BLOCK, 8);
        b.restart();
        a.write(BLOCK, BLOCK, 9);
        awaitEqual();
        assertThat(status(a).role()).isEqualTo(Role.PRIMARY);
        assertThat(status(b).role()).isEqualTo(Role.SECONDARY);

        a.links.demote(LiveSite.LINK, false);
        assertThat(a.hasOpenExport()).isFalse();
        // The demotion is told to the peer, which takes a moment.
        await().atMost(LIMIT).ignoreExceptions().until(() -> {
            b.links.promote(LiveSite.LINK, false);
            return true;
        });
        b.write(0, BLOCK, 10);
        assertEqual();
        a.restart();
        awaitEqual();
        assertThat(status(a).role()).isEqualTo(Role.SECONDARY);
    }

    @Test
    void dataAtThePeerIsNotOverwrittenUnlessItIsSaid() throws Exception {
        b.provider.create(b.volume, SIZE);
        b.storage.overwrite(b.volume, 5 * MIB, ByteBuffer.wrap(new byte[] {1}));

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.links.create(link(Protocol.C), false))
                .satisfies(e -> assertThat(e.error()).isInstanceOf(ReplicationError.PeerRefused.class))
                .withMessageContaining("memory:v has data there, in the mebibyte at " + 5 * MIB);

        assertThat(a.links.all()).isEmpty();
        assertThat(b.links.all()).isEmpty();
        a.provider.write(a.volume).close();
        b.provider.write(b.volume).close();
        createAndPromote(Protocol.C, true);
        awaitEqual();
    }

    @Test
    void aLinkThatThePeerHasRemovedIsNotMadeAnewThere() throws Exception {
        begin(Protocol.C);
        assertRefused(a, links -> links.remove(LiveSite.LINK), "demote it first");

        b.links.remove(LiveSite.LINK);

        int before = line.connections.get();
        await().atMost(LIMIT).until(() -> line.connections.get() > before);
        assertThat(b.links.all()).isEmpty();
        assertThat(status(a).replication()).isEqualTo(ReplicationState.OFF);
        a.write(0, BLOCK, 11);
        a.links.demote(LiveSite.LINK, false);
        a.links.remove(LiveSite.LINK);
        assertThat(a.links.all()).isEmpty();
        a.provider.write(a.volume).close();
        b.provider.write(b.volume).close();
    }

    @Test
    void aPeerThatSaysNothingIsLost() throws Exception {
        begin(Protocol.C);
        line.stall();
        var waiting = CompletableFuture.runAsync(() -> {
            try {
                a.write(0, BLOCK, 12);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        a.skippedNanos.addAndGet(LiveSession.SILENCE.minusSeconds(3).toNanos());
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> waiting.get(1, TimeUnit.SECONDS));
        a.skippedNanos.addAndGet(Duration.ofSeconds(3).toNanos());
        waiting.get(LIMIT.toSeconds(), TimeUnit.SECONDS);

        assertThat(status(a).dirtyBlocks()).isPositive();
        line.mend();
        awaitEqual();
    }

    @Test
    void clientsAreInTheWayOfADemotionButByForceItIsDoneAndStays() throws Exception {
        begin(Protocol.C);
        var leave = OpenImages.use(a.exports, LiveSite.EXPORT);
        try {
            assertRefused(a, links -> links.demote(LiveSite.LINK, false), "1 clients use export ex-1");
            assertThat(status(a).role()).isEqualTo(Role.PRIMARY);
            a.write(0, BLOCK, 13);

            // It waits for the client a while; meanwhile others look whether this should be primary again.
            a.links.demote(LiveSite.LINK, true);

            await().during(Duration.ofMillis(300))
                    .atMost(LIMIT)
                    .until(() -> status(a).role() == Role.SECONDARY);
            assertThat(a.hasOpenExport()).isFalse();
            assertEqual();
        } finally {
            leave.run();
        }
    }

    @Test
    void aSecondPromotionLeavesClientsWhereTheyAre() throws Exception {
        begin(Protocol.C);
        var served = a.image();

        a.links.promote(LiveSite.LINK, false);

        assertThat(a.image()).isSameAs(served);
        a.links.demote(LiveSite.LINK, true);
        assertThat(a.hasOpenExport()).isFalse();
        assertThat(status(a).role()).isEqualTo(Role.SECONDARY);
    }

    @Test
    void whatThePeerIsToldToGiveUpIsKeptForGoodThere() throws Exception {
        begin(Protocol.C);
        var given = b.storage.content(b.volume);

        a.links.invalidate(LiveSite.LINK, true);

        await().atMost(LIMIT).until(() -> b.live().kept().isPresent());
        awaitEqual();
        await().atMost(LIMIT).until(() -> b.live().kept().isEmpty());
        var kept = b.snapshots();
        assertThat(kept).hasSize(1);
        assertThat(b.storage.content(kept.getFirst().id()).orElseThrow().sameAs(given))
                .isTrue();
        assertThat(b.storage.holds(kept.getFirst().id())).isEmpty();
    }

    @Test
    void aRefusedRequestToGiveUpKeepsNothingForGood() throws Exception {
        begin(Protocol.C);
        line.cut();
        awaitStatus(b, status -> status.replication() == ReplicationState.OFF);

        assertRefused(b, links -> links.invalidate(LiveSite.LINK, false), "the peer is not there");
        assertRefused(b, links -> links.resolve(LiveSite.LINK, false), "does not stand alone");

        a.write(0, BLOCK, 14);
        line.mend();
        awaitEqual();
        await().atMost(LIMIT).until(() -> b.live().kept().isEmpty());
        assertThat(b.snapshots()).isEmpty();
    }

    @Test
    void howItIsReplicatedChangesWhileClientsGoOn() throws Exception {
        createAndPromote(Protocol.A, false);
        awaitInStep();
        var terms = new LiveHost.Terms(Protocol.C, Congestion.PULL_AHEAD, 2 * MIB, 67, 0, 1 << 30, true);
        assertRefused(b, links -> links.change(LiveSite.LINK, terms), "peer a made it");
        var image = a.image();

        a.links.change(LiveSite.LINK, new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 3 * MIB, 67, 0, 0, false));
        a.links.change(LiveSite.LINK, terms);
        a.write(0, BLOCK, 16);

        await().atMost(LIMIT).until(() -> b.live().link().terms(), terms::equals);
        awaitEqual();
        assertThat(a.image()).isSameAs(image);
        assertThat(a.live().link().terms()).isEqualTo(terms);
        // Each write is durable there once it is answered.
        a.write(BLOCK, BLOCK, 17);
        assertEqual();
        b.restart();
        a.restart();
        assertThat(b.live().link().terms()).isEqualTo(terms);
        assertThat(a.live().link().terms()).isEqualTo(terms);
        awaitEqual();
        assertRefused(
                a,
                links -> links.change(
                        LiveSite.LINK, new LiveHost.Terms(Protocol.A, Congestion.BLOCK, MIB, 68, 0, 0, false)),
                "its activity log has 67 extents");
    }

    /** Keeping may take hours, and the primary may die meanwhile: nothing else that is asked of the copy waits for that. */
    @Test
    void aRequestToGiveUpHoldsUpNobodyWhileTheContentIsKept() throws Exception {
        begin(Protocol.C);
        var gate = new CountDownLatch(1);
        b.gateOfCuts = gate;
        try {
            CompletableFuture.runAsync(() -> {
                        try {
                            b.links.invalidate(LiveSite.LINK, false);
                            assertRefused(b, links -> links.demote(LiveSite.LINK, false), "not primary");
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            // Nor do the peer's clients.
            CompletableFuture.runAsync(() -> {
                        try {
                            a.write(0, BLOCK, 15);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } finally {
            gate.countDown();
        }
        awaitEqual();
    }
}
