package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.Protocol;
import io.tidemark.telemetry.Metrics;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two hosts over TLS on loopback, that are written while the line between them is cut. */
@Timeout(120)
class LiveSplitBrainTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 4 * MIB;
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

    private static void awaitStatus(LiveSite site, Predicate<LiveStatus> wanted) {
        await().atMost(LIMIT)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> site.live().status().filter(wanted).isPresent());
    }

    /** One block is written at a, two at b, and neither knows of the other's; a is secondary again. */
    private void areWrittenApart(AfterSplitBrain policy) throws Exception {
        var terms = new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 67, 0, 0, false, policy);
        a.links.create(
                new LiveHost.Link(LiveSite.LINK, new PeerId("b"), a.volume, b.volume, SIZE, true, terms, Instant.now()),
                false);
        a.links.promote(LiveSite.LINK, false);
        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.ESTABLISHED);
        }
        line.cut();
        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.OFF);
        }
        b.links.promote(LiveSite.LINK, true);
        a.write(0, BLOCK, 5);
        b.write(0, BLOCK, 6);
        b.write(MIB, BLOCK, 7);
        a.links.demote(LiveSite.LINK, false);
    }

    /** What a had is given up, kept and recorded; both have what b has. */
    private void assertIsKeptAndOverwritten() throws Exception {
        var given = a.storage.content(a.volume);
        line.mend();

        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.ESTABLISHED && !status.isSplitBrain());
        }
        await().atMost(LIMIT).until(() -> a.storage.content(a.volume).sameAs(b.storage.content(b.volume)));
        await().atMost(LIMIT).until(() -> a.live().kept().isEmpty());
        assertThat(a.snapshots()).hasSize(1);
        var id = a.snapshots().getFirst().id();
        assertThat(a.storage.content(id).orElseThrow().sameAs(given)).isTrue();
        assertThat(a.storage.holds(id)).isEmpty();
        assertThat(a.catalog.knows(id.recoveryPoint(), id.volume())).isTrue();
        assertThat(b.snapshots()).isEmpty();
        assertThat(a.links.changes(LiveSite.LINK))
                .anyMatch(
                        each -> each.aspect() == Aspect.SPLIT_BRAIN && each.to().contains("given up, and kept"));
        assertThat(b.links.changes(LiveSite.LINK))
                .anyMatch(
                        each -> each.aspect() == Aspect.SPLIT_BRAIN && each.to().contains("content stays"));
    }

    @Test
    void besideAPrimaryTheSecondaryYieldsByThePolicyAndClientsGoOn() throws Exception {
        areWrittenApart(new AfterSplitBrain(NoPrimary.DISCONNECT, OnePrimary.DISCARD_SECONDARY));

        assertIsKeptAndOverwritten();
        try (var metrics = new Metrics()) {
            metrics.watchLive(b.links::all);
            // Two blocks of b's, one of a's at the place of one of them; and what was written alone was never sent.
            assertThat(metrics.scrape())
                    .contains(
                            "tidemark_live_role{link=\"ln-1\",state=\"primary\"} 1.0",
                            "tidemark_live_connected{link=\"ln-1\"} 1.0",
                            "tidemark_live_changes_total{link=\"ln-1\",what=\"split_brain\"} 1.0",
                            "tidemark_live_sent_bytes_total{link=\"ln-1\",what=\"resync\"} 8192.0",
                            "tidemark_live_sent_bytes_total{link=\"ln-1\",what=\"write\"} 0.0");
        }
        b.write(2 * MIB, BLOCK, 8);
        assertThat(a.storage.content(a.volume).sameAs(b.storage.content(b.volume)))
                .isTrue();
    }

    @Test
    void withoutAPolicyBothTellWhatEachHas() throws Exception {
        var before = Instant.now();
        areWrittenApart(AfterSplitBrain.DISCONNECT);
        line.mend();

        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.STAND_ALONE && status.isSplitBrain());
        }
        var here = a.live().figures().orElseThrow().apart().orElseThrow();
        var there = b.live().figures().orElseThrow().apart().orElseThrow();
        assertThat(here.self()).isEqualTo(there.peer());
        assertThat(here.peer()).isEqualTo(there.self());
        assertThat(here.self().apart().dirtyBlocks()).isEqualTo(1);
        assertThat(here.peer().apart().dirtyBlocks()).isEqualTo(2);
        assertThat(here.here()).containsExactly(new DirtyBitmap.Run(0, 1));
        assertThat(there.here()).containsExactly(new DirtyBitmap.Run(0, 1), new DirtyBitmap.Run(MIB / BLOCK, 1));
        assertThat(Instant.ofEpochMilli(here.peer().apart().since())).isBetween(before.minusMillis(1), Instant.now());
        assertThat(a.snapshots()).isEmpty();
    }

    /** A restart forgets neither that it stays, nor that it was given up. */
    @Test
    void whatAPersonHasChosenHoldsOverARestart() throws Exception {
        areWrittenApart(new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCONNECT));
        line.mend();
        awaitStatus(a, status -> status.replication() == ReplicationState.STAND_ALONE);
        line.cut();
        a.links.resolve(LiveSite.LINK, true);
        b.links.demote(LiveSite.LINK, true);

        a.restart();
        b.restart();
        line.mend();

        for (var site : new LiveSite[] {a, b}) {
            awaitStatus(site, status -> status.replication() == ReplicationState.STAND_ALONE);
        }
        assertThat(a.live().why()).contains("a person has chosen at one");
        assertThat(a.snapshots()).isEmpty();
        line.cut();
        a.links.resolve(LiveSite.LINK, false);
        a.restart();
        b.links.resolve(LiveSite.LINK, true);
        assertIsKeptAndOverwritten();
    }
}
