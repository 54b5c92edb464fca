package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Protocol;
import io.tidemark.site.TestSite;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scheduled links and live links of one volume. */
@Timeout(60)
class LinksBesideLiveTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ReplicationLink link;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        site.addGroup("orders", "orders");
        site.store.catalog().savePeer(new Peer(new PeerId("site-b"), "127.0.0.1:1", "b".repeat(64), Instant.EPOCH));
        link = site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("site-b"),
                                new GroupId("orders"),
                                TestSite.volume("orders"),
                                TestSite.volume("copy"),
                                Optional.empty()),
                        site.intent());
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private static ControlError errorOf(ThrowingCallable asked) {
        return catchThrowableOfType(ControlException.class, asked).error();
    }

    @Test
    void aVolumeOfALiveLinkNeverReceivesOverAnother() throws Exception {
        site.replicateLive(link.localVolume());

        for (var mode : List.of(ReverseLink.Mode.PLANNED, ReverseLink.Mode.FOLLOW)) {
            assertThat(errorOf(() -> site.control.links().reverse().start(link.id(), mode, site.intent())))
                    .isInstanceOfSatisfying(
                            ControlError.InUse.class, e -> assertThat(e.by()).isEqualTo("live link ln-live"));
        }
        assertThat(site.store.links().all().getFirst().role()).isEqualTo(ReplicationLink.Role.SOURCE);
    }

    private LiveHost.Live replicatedLive() throws Exception {
        var terms = new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 1 << 20, 67, 0, 0, false);
        var wish = new ManageLive.Wish(new PeerId("site-b"), link.localVolume(), link.localVolume(), terms, false);
        return site.control.live().create(wish, site.intent());
    }

    private Operation reversal(ReverseLink.Mode mode) throws Exception {
        return site.control.links().reverse().start(link.id(), mode, site.intent());
    }

    @Test
    void aVolumeThatIsBeingHandedOverIsNotReplicatedLive() throws Exception {
        site.replicator.stuck.add(link.id());
        var reversal = reversal(ReverseLink.Mode.PLANNED);
        Awaitility.await().until(() -> site.control.inventory().link(link.id()).state() == LinkState.DRAINING);

        assertThat(errorOf(this::replicatedLive))
                .isInstanceOfSatisfying(
                        ControlError.InUse.class,
                        e -> assertThat(e.by()).contains(reversal.id().value()));
        assertThat(ReverseLink.willReceive(site.store.operations()))
                .as("what peers are refused")
                .containsExactly(Map.entry(link.localVolume(), reversal.id()));

        site.replicator.stuck.clear();
        assertThat(site.awaitEnd(reversal.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(ReverseLink.willReceive(site.store.operations())).isEmpty();
        assertThat(site.live().all()).isEmpty();
    }

    /** It had been asked for before the link was there to be found. */
    @ParameterizedTest
    @EnumSource(names = {"PLANNED", "FOLLOW"})
    void aReversalThatIsAskedForWhileALiveLinkIsMadeFindsIt(ReverseLink.Mode mode) throws Exception {
        var asked = new CompletableFuture<Operation>();
        site.whileLiveIsMade(() -> {
            try {
                asked.complete(reversal(mode));
            } catch (Exception e) {
                asked.completeExceptionally(e);
            }
        });

        var made = replicatedLive();

        var ended = site.awaitEnd(asked.get().id());
        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow())
                .contains("in-use", made.link().id().value());
        assertThat(site.control.inventory().link(link.id()).role()).isEqualTo(ReplicationLink.Role.SOURCE);
        assertThat(site.control.inventory().link(link.id()).state()).isEqualTo(LinkState.ACTIVE);
    }

    /** One that waits, of a process that is gone perhaps, has not its claims yet. */
    @Test
    void aVolumeThatAWaitingReversalIsToReceiveIntoIsNotReplicatedLive() throws Exception {
        site.replicator.stuck.add(link.id());
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        var sync = site.control.links().sync().start(link.id(), Optional.empty(), site.intent());
        Awaitility.await().until(() -> !site.replicator.basesOffered.isEmpty());
        var waiting = reversal(ReverseLink.Mode.FOLLOW);

        assertThat(errorOf(this::replicatedLive))
                .isInstanceOfSatisfying(
                        ControlError.InUse.class, e -> assertThat(e.by()).isEqualTo("reversal " + waiting.id()));

        site.replicator.stuck.clear();
        site.awaitEnd(sync.id());
        assertThat(site.awaitEnd(waiting.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void noLiveLinkIsMadeBesideOneThatCannotBeRead() throws Exception {
        site.keepUnreadLive();

        assertThat(errorOf(this::replicatedLive)).isInstanceOf(ControlError.LiveUnread.class);
    }

    @Test
    void noVolumeIsChangedThatMayBeReplicatedLive() throws Exception {
        var orders = TestSite.volume("orders");
        var spare = site.addVolume("spare");
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        var point = site.store.recoveryPoints().ofVolume(orders).getFirst().id();
        site.keepUnreadLive();

        for (var asked : List.<ThrowingCallable>of(
                () -> site.control.points().rollback().start(point, WhenOpen.REFUSE, site.intent()),
                () -> site.control.exports().ofVolume(spare, site.intent()),
                () -> site.control.volumes().delete().delete(spare))) {
            assertThat(errorOf(asked)).isInstanceOf(ControlError.LiveUnread.class);
        }
        assertThat(site.providers.of(spare).volume(spare).id()).isEqualTo(spare);
        assertThat(site.control.exports().all()).isEmpty();
    }

    /** As the peer does where this site knows nothing of it. */
    @Test
    void aLinkToThePeersVolumeOfALiveLinkIsRefused() throws Exception {
        site.replicateLive(TestSite.volume("orders"));
        var wish = new CreateLink.Wish(
                new PeerId("site-b"),
                new GroupId("orders"),
                link.localVolume(),
                TestSite.volume("orders"),
                Optional.empty());

        assertThat(errorOf(() -> site.control.links().create().create(wish, site.intent())))
                .isInstanceOfSatisfying(
                        ControlError.InUse.class,
                        e -> assertThat(e.message())
                                .isEqualTo("volume memory:orders of peer site-b is needed by live link ln-live"));
        assertThat(site.store.links().all()).containsExactly(link);
    }
}
