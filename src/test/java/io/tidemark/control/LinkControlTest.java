package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.site.TestSite;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pausing, resyncing and reversing links; several links of one volume. */
@Timeout(60)
class LinkControlTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ReplicationLink link;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        site.addGroup("orders", "orders");
        for (var name : List.of("b", "c")) {
            site.store
                    .catalog()
                    .savePeer(new Peer(new PeerId("site-" + name), "127.0.0.1:1", name.repeat(64), Instant.EPOCH));
        }
        link = linkTo("b");
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private void restartWith(OperationSettings settings) throws Exception {
        site = site.reborn(settings);
        site.control.recover();
    }

    private ReplicationLink linkTo(String peer) throws Exception {
        return site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("site-" + peer),
                                new GroupId("orders"),
                                TestSite.volume("orders"),
                                TestSite.volume("copy"),
                                Optional.empty()),
                        site.intent());
    }

    @Test
    void aSnapshotThatTheStorageStillCopiesIsWaitedFor() throws Exception {
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        site.awaitEnd(taken.id());
        site.looksUntilReadable.set(Integer.MAX_VALUE);
        var sync = site.control.links().sync().start(link.id(), Optional.empty(), site.intent());
        Awaitility.await()
                .until(() -> site.control
                        .operations()
                        .get(sync.id())
                        .progress()
                        .phase()
                        .contains("can be read"));
        assertThat(site.replicator.sent).isEmpty();
        site.looksUntilReadable.set(0);

        assertThat(site.awaitEnd(sync.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.replicator.sent).hasSize(1);

        site.looksUntilReadable.set(Integer.MAX_VALUE);
        var cancelled = site.control.links().sync().start(link.id(), Optional.empty(), site.intent());
        site.control.operations().cancel(cancelled.id());
        assertThat(site.awaitEnd(cancelled.id()).state()).isEqualTo(Operation.State.CANCELLED);
    }

    @Test
    void linkOfAGroupOverSeveralHostsIsRefused() {
        site.store
                .groups()
                .add(new ConsistencyGroup(
                        new GroupId("shop"),
                        List.of(TestSite.volume("orders"), new VolumeId("db1/memory:orders")),
                        List.of(),
                        true,
                        ConsistencyGroup.FREEZE_LIMIT_DEFAULT,
                        Consistency.CRASH));
        var wish = new CreateLink.Wish(
                new PeerId("site-c"),
                new GroupId("shop"),
                TestSite.volume("orders"),
                TestSite.volume("copy"),
                Optional.empty());

        assertThat(errorOf(() -> site.control.links().create().create(wish, site.intent())))
                .isInstanceOfSatisfying(
                        ControlError.Invalid.class,
                        invalid -> assertThat(invalid.message()).contains("2 hosts", "attestation"));
        assertThat(site.store.links().all()).hasSize(1);
    }

    private RecoveryPointId take() throws Exception {
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        return new RecoveryPointId(taken.id().value().replace("op-", "rp-"));
    }

    private Operation sync(ReplicationLink over) throws Exception {
        return site.control.links().sync().start(over.id(), Optional.empty(), site.intent());
    }

    private ReplicationLink now() throws Exception {
        return site.control.inventory().link(link.id());
    }

    private static ControlError errorOf(ThrowingCallable call) {
        var error = new java.util.concurrent.atomic.AtomicReference<ControlError>();
        assertThatThrownBy(call).isInstanceOfSatisfying(ControlException.class, e -> error.set(e.error()));
        return java.util.Objects.requireNonNull(error.get());
    }

    @Test
    void volumeWithoutBlocksHasNoLink() {
        site.files.add(TestSite.volume("orders"));

        assertThat(errorOf(() -> linkTo("c")))
                .isEqualTo(new ControlError.Unsupported(TestSite.volume("orders"), Capability.RANDOM_READ));
        assertThat(site.store.links().all()).hasSize(1);
    }

    /** This site's side of a link that brings recovery points to the volume. */
    private LinkId receiving(String volume) throws Exception {
        var id = new LinkId("ln-received");
        site.store
                .catalog()
                .saveLink(new ReplicationLink(
                        id,
                        ReplicationLink.Role.TARGET,
                        new PeerId("site-b"),
                        TestSite.volume(volume),
                        TestSite.volume("there"),
                        new GroupId("far"),
                        Optional.<Duration>empty(),
                        Optional.empty(),
                        Optional.empty()));
        return id;
    }

    private RecoveryPointId receive(LinkId over, String volume, String id) throws Exception {
        var point = new RecoveryPointId(id);
        var target = TestSite.volume(volume);
        site.providers.of(target).cut(new CutRequest(point, List.of(target)));
        var certificate = new io.tidemark.domain.Certificate("h", "b", List.of(), List.of(), true, List.of());
        site.store
                .catalog()
                .recordReceived(
                        new RecoveryPoint(
                                point,
                                new GroupId("far"),
                                Instant.EPOCH,
                                io.tidemark.domain.Consistency.CRASH,
                                certificate,
                                List.of(new RecoveryPoint.Member(target, new SnapshotId(target, point), 1 << 20)),
                                Map.of(),
                                Optional.of(over),
                                Optional.empty()),
                        over,
                        new SyncReport(point, Optional.empty(), "full", 0, 0, 0, 0, 0, 0, 0, Duration.ZERO));
        return point;
    }

    @Test
    void aPausedLinkTakesNothingAndGoesOnWithWhatThePauseStopped() throws Exception {
        var point = take();
        site.replicator.slow = true;
        var running = sync(link);
        Awaitility.await()
                .until(() -> site.control.operations().get(running.id()).state() == Operation.State.RUNNING);

        var paused = site.control.links().pause().pause(link.id());
        var again = site.control.links().pause().pause(link.id());

        assertThat(site.awaitEnd(running.id()).state()).isEqualTo(Operation.State.CANCELLED);
        site.replicator.slow = false;
        assertThat(paused.state()).isEqualTo(LinkState.PAUSED);
        assertThat(again.underway()).contains(point);
        assertThat(errorOf(() -> sync(link))).isInstanceOf(ControlError.LinkState.class);
        assertThat(site.replicator.sent).isEmpty();

        site.control.links().resume().resume(link.id(), site.intent());

        Awaitility.await().until(() -> now().inStep().equals(Optional.of(point)));
        assertThat(now().state()).isEqualTo(LinkState.ACTIVE);
        assertThat(now().underway()).isEmpty();
    }

    @Test
    void aPauseThatDiedBeforeItStoppedAnythingHoldsAfterTheRestart() throws Exception {
        var point = take();
        site.replicator.slow = true;
        var running = sync(link);
        Awaitility.await()
                .until(() -> site.control.operations().get(running.id()).state() == Operation.State.RUNNING);
        site.dieAt(Moment.LINK_PAUSED);
        Thread.ofVirtual().start(() -> {
            try {
                site.control.links().pause().pause(link.id());
            } catch (ControlException e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();

        site = site.reborn();
        site.control.recover();

        assertThat(site.awaitEnd(running.id()).state()).isEqualTo(Operation.State.FAILED);
        assertThat(now().state()).isEqualTo(LinkState.PAUSED);
        assertThat(now().underway()).contains(point);
        assertThat(site.replicator.sent).isEmpty();
    }

    @Test
    void aResyncMustBeConfirmedAndIsAnOperationOfItsOwn() throws Exception {
        var point = take();
        var resync = site.control.links().resync();

        assertThat(errorOf(() -> resync.start(link.id(), Optional.empty(), false, site.intent())))
                .isInstanceOf(ControlError.Invalid.class);
        var operation = resync.start(link.id(), Optional.empty(), true, site.intent());

        assertThat(site.awaitEnd(operation.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.replicator.resynced).containsExactly(point);
        assertThat(now().inStep()).contains(point);
    }

    private Operation reverse(ReverseLink.Mode mode) throws Exception {
        return site.control.links().reverse().start(link.id(), mode, site.intent());
    }

    @Test
    void aPlannedReversalSendsTheLastChangesBeforeTheRolesSwap() throws Exception {
        take();

        var ended = site.awaitEnd(reverse(ReverseLink.Mode.PLANNED).id());

        assertThat(ended.state()).as(ended.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
        assertThat(now().state()).isEqualTo(LinkState.ACTIVE);
        assertThat(site.replicator.handedOver).hasSize(1);
        assertThat(now().inStep()).contains(site.replicator.handedOver.getFirst());
        assertThat(site.replicator.sent).containsExactly(site.replicator.handedOver.getFirst());
    }

    @Test
    void aPeerThatRefusesStaysTheTarget() throws Exception {
        site.replicator.refusal = Optional.of(new ReplicationError.TargetWritten(TestSite.volume("copy"), "byte 7"));

        var ended = site.awaitEnd(reverse(ReverseLink.Mode.PLANNED).id());

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.SOURCE);
        assertThat(now().state()).isEqualTo(LinkState.ACTIVE);
    }

    @Test
    void aPeerThatDoesNotAnswerMayBeTheSourceSoNothingIsSentUntilItSays() throws Exception {
        site.replicator.silent = true;
        var ended = site.awaitEnd(reverse(ReverseLink.Mode.PLANNED).id());
        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(now().state()).isEqualTo(LinkState.HANDING_OVER);
        assertThat(errorOf(() -> sync(link))).isInstanceOf(ControlError.LinkState.class);
        assertThat(errorOf(() -> site.control.links().pause().pause(link.id())))
                .isInstanceOf(ControlError.LinkState.class);
        assertThat(errorOf(() -> site.control.links().resume().resume(link.id(), site.intent())))
                .isInstanceOf(ControlError.LinkState.class);
        site.replicator.silent = false;

        var again = site.awaitEnd(reverse(ReverseLink.Mode.PLANNED).id());

        assertThat(again.state()).as(again.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
        assertThat(site.replicator.handedOver).containsExactly(now().inStep().orElseThrow());
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "OPERATION_RECORDED",
                "REVERSAL_DRAINING",
                "SNAPSHOT_CUT",
                "SYNC_PARTLY_SENT",
                "SYNC_ACKNOWLEDGED",
                "REVERSAL_DRAINED",
                "REVERSAL_ANSWERED"
            })
    void aPlannedReversalThatDiedIsFinishedByTheNextStart(Moment moment) throws Exception {
        site.dieAt(moment);
        var intent = site.intent();
        Thread.ofVirtual().start(() -> {
            try {
                site.control.links().reverse().start(link.id(), ReverseLink.Mode.PLANNED, intent);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();
        site = site.reborn();

        site.control.recover();

        var ended = site.awaitEnd(new OperationId(intent.operation().value()));
        assertThat(ended.state()).as(ended.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
        assertThat(now().inStep()).contains(intent.recoveryPoint());
        assertThat(site.snapshotCount()).isEqualTo(1);
    }

    @Test
    void atTheTargetAnUnplannedReversalMakesItTheSourceWithAGroupOfItsOwn() throws Exception {
        site.addVolume("received");
        var received = receiving("received");
        assertThat(errorOf(() ->
                        site.control.links().reverse().start(received, ReverseLink.Mode.UNPLANNED, site.intent())))
                .isInstanceOf(ControlError.NotFound.class);
        var point = receive(received, "received", "rp-1");

        var operation = site.control.links().reverse().start(received, ReverseLink.Mode.UNPLANNED, site.intent());

        assertThat(site.awaitEnd(operation.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        var promoted = site.control.inventory().link(received);
        assertThat(promoted.role()).isEqualTo(ReplicationLink.Role.SOURCE);
        assertThat(promoted.inStep()).contains(point);
        assertThat(site.control.inventory().group(promoted.group()).volumes())
                .containsExactly(TestSite.volume("received"));
    }

    @Test
    void anOldSourceFollowsOnlyAPeerThatSaysItIsTheSource() throws Exception {
        site.replicator.refusal = Optional.of(new ReplicationError.PeerRefused("not-source", "told to"));
        assertThat(site.awaitEnd(reverse(ReverseLink.Mode.FOLLOW).id()).state()).isEqualTo(Operation.State.FAILED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.SOURCE);
        site.replicator.refusal = Optional.empty();

        assertThat(site.awaitEnd(reverse(ReverseLink.Mode.FOLLOW).id()).state()).isEqualTo(Operation.State.SUCCEEDED);

        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
    }

    @Test
    void aReversalIsRefusedAtTheWrongSide() throws Exception {
        assertThat(errorOf(() -> reverse(ReverseLink.Mode.UNPLANNED)).message()).contains("asked for at the TARGET");
    }

    @Test
    void aStuckTargetDelaysNobodyElse() throws Exception {
        var other = linkTo("c");
        site.replicator.stuck.add(link.id());
        var first = take();
        var stuck = sync(link);

        for (int round = 0; round < 10; round++) {
            var point = take();
            assertThat(site.awaitEnd(sync(other).id()).state()).isEqualTo(Operation.State.SUCCEEDED);
            assertThat(site.control.inventory().link(other.id()).inStep()).contains(point);
        }

        assertThat(site.control.operations().get(stuck.id()).state()).isEqualTo(Operation.State.RUNNING);
        assertThat(now().inStep()).isEmpty();
        assertThat(errorOf(() -> site.control.points().delete().delete(first))).isInstanceOf(ControlError.InUse.class);
        site.replicator.stuck.clear();
        assertThat(site.awaitEnd(stuck.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void reversalsToAStuckTargetLeaveTheOthersTheirTurn() throws Exception {
        restartWith(new OperationSettings(1, Duration.ofSeconds(20)));
        site.addGroup("other", "other");
        site.replicator.stuck.add(link.id());
        var stuck = reverse(ReverseLink.Mode.PLANNED);
        Awaitility.await().until(() -> now().state() == LinkState.DRAINING);

        var taken = site.control.points().create().start(new GroupId("other"), site.intent());

        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.control.operations().get(stuck.id()).state()).isEqualTo(Operation.State.RUNNING);
        site.replicator.stuck.clear();
        assertThat(site.awaitEnd(stuck.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void aHeldRecoveryPointIsNotDeleted() throws Exception {
        var point = take();
        assertThat(site.awaitEnd(sync(link).id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        take();
        site.store.links().change(link.id(), current -> current.in(LinkState.ACTIVE, Optional.empty()));

        // In step with it, and held on the storage even when the record were lost.
        assertThat(errorOf(() -> site.control.points().delete().delete(point))).isInstanceOf(ControlError.InUse.class);
        var volume = TestSite.volume("orders");
        assertThatThrownBy(() -> site.providers.of(volume).delete(new SnapshotId(volume, point)))
                .isInstanceOf(ProviderException.class);
    }

    @Test
    void whatArrivesIsSentOnAndNothingIsTakenOfAReceivedVolume() throws Exception {
        var received = receiving("orders");
        site.store.links().change(link.id(), current -> current.with(Optional.empty(), current.rates(), true));
        site.control.start();
        try {
            var first = receive(received, "orders", "rp-1");
            Awaitility.await().until(() -> now().inStep().equals(Optional.of(first)));
            var second = receive(received, "orders", "rp-2");
            Awaitility.await().until(() -> now().inStep().equals(Optional.of(second)));
        } finally {
            site.control.stop();
        }

        assertThat(site.replicator.sent).containsExactly(new RecoveryPointId("rp-1"), new RecoveryPointId("rp-2"));
        assertThat(site.control
                        .operations()
                        .page(Optional.of("recovery-point"), Optional.empty(), java.util.OptionalLong.empty(), 10)
                        .items())
                .isEmpty();
    }

    private void setEvery(Duration every) throws Exception {
        site.control.links().set().set(link.id(), new SetLink.Settings(Optional.of(every), now().rates(), false));
    }

    @Test
    void aScheduleThatIsChangedDuringARunHoldsAfterIt() throws Exception {
        setEvery(Duration.ofDays(1));
        site.replicator.slow = true;
        site.control.start();
        try {
            Awaitility.await().until(() -> !site.replicator.basesOffered.isEmpty());

            setEvery(Duration.ofMinutes(1));
            var changed = site.control.inventory().due(link.id()).orElseThrow();
            site.replicator.slow = false;

            // Due at once, as it was set, and by the new beat from there.
            Awaitility.await().until(() -> site.replicator.sent.size() == 2);
            Awaitility.await()
                    .until(() -> !site.control.inventory().due(link.id()).equals(Optional.of(changed)));
            assertThat(site.control.inventory().due(link.id()).orElseThrow().dueAt())
                    .isEqualTo(changed.dueAt().plus(Duration.ofMinutes(1)));
        } finally {
            site.control.stop();
        }
    }
}
