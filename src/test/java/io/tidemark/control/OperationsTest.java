package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.agent.Replicator;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.site.TestSite;
import io.tidemark.spi.RecoveryPointId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperationsTest {
    private static final OperationSettings TWO_AT_ONCE = new OperationSettings(2, Duration.ofMillis(200));

    @TempDir
    Path folder;

    private volatile Instant now = Instant.parse("2026-11-23T00:00:00Z");
    private final InstantSource clock = () -> now;
    private TestSite site;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder, clock, TWO_AT_ONCE, Observer.NONE).recovered();
    }

    @AfterEach
    void stop() {
        site.taker.slow = false;
        site.replicator.slow = false;
        site.close();
    }

    private Operation take(String group) throws Exception {
        return site.control.points().create().start(new GroupId(group), site.intent());
    }

    private void awaitRunning(Operation operation) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> site.control.operations().get(operation.id()).state() == Operation.State.RUNNING);
    }

    @Test
    void noMoreOperationsRunAtOnceThanAllowedAndTheOthersFollow() throws Exception {
        site.taker.slow = true;
        var started = new ArrayList<Operation>();
        for (int index = 0; index < 5; index++) {
            site.addGroup("g" + index, "v" + index);
            started.add(take("g" + index));
        }

        Awaitility.await().until(() -> site.control.operations().runningCount() == 2);
        assertThat(site.control.operations().waitingCount()).isEqualTo(3);
        site.taker.slow = false;

        for (var operation : started) {
            assertThat(site.awaitEnd(operation.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        }
        Awaitility.await().until(() -> site.control.operations().runningCount() == 0);
        assertThat(site.control.operations().waitingCount()).isZero();
    }

    @Test
    void whoeverHearsOfTheEndMayAskForTheNextThingAtOnce() throws Exception {
        var refusals = new ArrayList<Throwable>();
        stop();
        site = TestSite.in(folder, clock, TWO_AT_ONCE, new Observer() {
                    @Override
                    public void operationEnded(Operation operation, Duration took) {
                        refusals.add(catchThrowable(
                                () -> site.control.volumes().delete().delete(TestSite.volume("v"))));
                    }
                })
                .recovered();
        site.addGroup("g", "v");

        site.awaitEnd(take("g").id());

        // Not by the operation, which has ended.
        Awaitility.await().until(() -> !refusals.isEmpty());
        assertThat(refusals.getFirst())
                .isInstanceOfSatisfying(
                        ControlException.class,
                        e -> assertThat(e.error())
                                .isEqualTo(new ControlError.InUse(
                                        "volume", TestSite.volume("v").value(), "group g")));
    }

    @Test
    void twoOperationsOnOneVolumeRunOneAfterTheOther() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        var first = take("g");
        awaitRunning(first);
        var second = take("g");

        assertThat(site.control.operations().get(second.id()).state()).isEqualTo(Operation.State.PENDING);
        site.taker.slow = false;

        assertThat(site.awaitEnd(second.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.control.operations().get(first.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void aWaitingOperationIsCancelledWithoutEverActing() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        var first = take("g");
        awaitRunning(first);
        var second = take("g");

        site.control.operations().cancel(second.id());

        assertThat(site.awaitEnd(second.id()).state()).isEqualTo(Operation.State.CANCELLED);
        site.control.operations().cancel(first.id());
        assertThat(site.awaitEnd(first.id()).state()).isEqualTo(Operation.State.CANCELLED);
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void tooManyWaitingOperationsAreRefusedAndNothingIsWrittenDown() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        take("g");
        Awaitility.await().until(() -> site.control.operations().runningCount() == 1);
        for (int index = 0; index < OperationSettings.WAITING_MAXIMUM; index++) {
            take("g");
        }

        assertThatThrownBy(() -> take("g"))
                .isInstanceOfSatisfying(
                        ControlException.class,
                        e -> assertThat(e.error()).isInstanceOf(ControlError.TooManyOperations.class));

        assertThat(site.store.operations().unfinished()).hasSize(OperationSettings.WAITING_MAXIMUM + 1);
        for (var waiting : site.store.operations().unfinished()) {
            site.control.operations().cancel(waiting.id());
        }
    }

    @Test
    void aStopLeavesWhatDoesNotEndInTimeToTheNextStart() throws Exception {
        site.addGroup("g", "v");
        site.store.catalog().savePeer(new Peer(new PeerId("b"), "127.0.0.1:1", "a".repeat(64), now));
        var link = site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("b"),
                                new GroupId("g"),
                                TestSite.volume("v"),
                                TestSite.volume("c"),
                                Optional.empty()),
                        site.intent());
        site.awaitEnd(take("g").id());
        site.replicator.slow = true;
        var sync = site.control.links().sync().start(link.id(), Optional.empty(), site.intent());
        awaitRunning(sync);

        site.control.stop();

        assertThat(site.store.operations().find(sync.id()).orElseThrow().state())
                .isEqualTo(Operation.State.RUNNING);
        site = site.reborn().recovered();
        assertThat(site.awaitEnd(sync.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void aWatcherHearsEveryStateInOrderAndTheEndLast() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        var operation = take("g");
        List<Operation.State> heard = new CopyOnWriteArrayList<>();

        try (var watch = site.control.operations().watch(operation.id(), seen -> heard.add(seen.state()))) {
            site.taker.slow = false;
            site.awaitEnd(operation.id());
            Awaitility.await().until(() -> heard.contains(Operation.State.SUCCEEDED));
        }

        assertThat(heard).isSorted().endsWith(Operation.State.SUCCEEDED);
    }

    @Test
    void whatAnOperationUsesIsNotDeletedUnderIt() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        var operation = take("g");
        awaitRunning(operation);

        assertThatThrownBy(() -> site.control.volumes().delete().delete(TestSite.volume("v")))
                .hasMessageContaining(operation.id().value());
    }

    @Test
    void aDueLinkTakesAndSendsAndIsNotDueBeforeItsTime() throws Exception {
        var link = scheduledLink();
        site.control.start();

        Awaitility.await()
                .until(() -> site.control
                        .inventory()
                        .due(link.id())
                        .orElseThrow()
                        .dueAt()
                        .isAfter(now));

        var due = site.control.inventory().due(link.id()).orElseThrow();
        assertThat(due.dueAt()).isEqualTo(now.plus(Duration.ofMinutes(15)));
        assertThat(site.replicator.sent).hasSize(1);
        now = now.plus(Duration.ofHours(5));
        Awaitility.await().until(() -> site.replicator.sent.size() == 2);
        Awaitility.await()
                .until(() -> site.control
                        .inventory()
                        .due(link.id())
                        .orElseThrow()
                        .dueAt()
                        .isAfter(now));
        assertThat(site.replicator.sent).hasSize(2);
        assertThat(site.replicator.basesOffered.getLast()).containsExactly(site.replicator.sent.getFirst());
        site.control.stop();
    }

    @Test
    void aLinkThatFailsIsTriedAgainLaterAndItsFailuresAreCounted() throws Exception {
        var link = scheduledLink();
        site.taker.failure = new ConsistencyError.FreezeFailed("postgresql", "db", "gone");
        site.control.start();

        Awaitility.await()
                .until(() ->
                        site.control.inventory().due(link.id()).orElseThrow().failures() == 1);

        var due = site.control.inventory().due(link.id()).orElseThrow();
        assertThat(due.dueAt()).isBetween(now.plusSeconds(5), now.plusSeconds(7));
        site.taker.failure = null;
        now = due.dueAt();
        Awaitility.await()
                .until(() ->
                        site.control.inventory().due(link.id()).orElseThrow().failures() == 0);
        assertThat(site.replicator.sent).hasSize(1);
        site.control.stop();
    }

    @Test
    void aPointThatCouldNotBeSentIsSentAgainBeforeAnotherIsTaken() throws Exception {
        var link = scheduledLink();
        site.control.start();
        awaitFailures(link, 0, 1);
        site.replicator.failure = new ReplicationError.PeerUnreachable("127.0.0.1:1", "gone");
        now = now.plus(Duration.ofMinutes(15));
        awaitFailures(link, 1, 1);
        now = site.control.inventory().due(link.id()).orElseThrow().dueAt();
        awaitFailures(link, 2, 1);
        assertThat(site.snapshotCount()).isEqualTo(2);

        site.replicator.failure = null;
        now = site.control.inventory().due(link.id()).orElseThrow().dueAt();
        awaitFailures(link, 0, 3);

        assertThat(site.snapshotCount()).isEqualTo(3);
        assertThat(site.replicator.sent).doesNotHaveDuplicates();
        site.control.stop();
    }

    private void awaitFailures(ReplicationLink link, int failures, int sent) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            var due = site.control.inventory().due(link.id()).orElseThrow();
            return due.failures() == failures && due.dueAt().isAfter(now) && site.replicator.sent.size() == sent;
        });
    }

    @Test
    void whatALinkIsInStepWithIsOfferedHoweverManyWereTakenSince() throws Exception {
        var link = scheduledLink();
        site.awaitEnd(take("g").id());
        var first = newestPoint();
        site.awaitEnd(site.control
                .links()
                .sync()
                .start(link.id(), Optional.empty(), site.intent())
                .id());
        for (int number = 0; number < Replicator.BASES_MAXIMUM + 4; number++) {
            site.store.recoveryPoints().add(copyOf(first, new RecoveryPointId("rp-copy" + number)));
        }
        site.awaitEnd(take("g").id());

        var sync = site.control.links().sync().start(link.id(), Optional.empty(), site.intent());

        assertThat(site.awaitEnd(sync.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.replicator.basesOffered.getLast())
                .hasSize(Replicator.BASES_MAXIMUM)
                .endsWith(first.id());
    }

    private RecoveryPoint newestPoint() throws Exception {
        return site.control
                .inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 1)
                .items()
                .getFirst();
    }

    private static RecoveryPoint copyOf(RecoveryPoint point, RecoveryPointId id) {
        return new RecoveryPoint(
                id,
                point.group(),
                point.createdAt(),
                point.consistency(),
                point.certificate(),
                point.members(),
                Map.of(),
                Optional.empty(),
                Optional.empty());
    }

    @Test
    void aLinkThatItsPeerRefusesHasNotTakenAnything() throws Exception {
        site.replicator.slowOpening = true;
        site.control.start();
        var refused = new CompletableFuture<Exception>();
        Thread.ofVirtual().start(() -> {
            try {
                scheduledLink();
            } catch (Exception e) {
                refused.complete(e);
            }
        });
        Awaitility.await().until(() -> !site.store.links().all().isEmpty());
        // Two looks of the scheduler, and a half.
        Awaitility.await().pollDelay(Duration.ofMillis(1_250)).until(() -> true);

        site.replicator.failure = new ReplicationError.PeerUnreachable("127.0.0.1:1", "gone");
        site.replicator.slowOpening = false;

        assertThat(refused.get(30, TimeUnit.SECONDS)).isInstanceOf(ReplicationException.class);
        assertThat(site.store.links().all()).isEmpty();
        assertThat(site.snapshotCount()).isZero();
        site.control.stop();
    }

    @Test
    void theEndIsToldEvenWhenItCannotBeWrittenDown() throws Exception {
        site.addGroup("g", "v");
        site.taker.slow = true;
        var operation = take("g");
        awaitRunning(operation);
        List<Operation.State> heard = new CopyOnWriteArrayList<>();

        try (var watch = site.control.operations().watch(operation.id(), seen -> heard.add(seen.state()))) {
            site.store.close();
            site.taker.slow = false;
            Awaitility.await().until(() -> heard.contains(Operation.State.FAILED));
        }

        assertThat(site.control.operations().await(operation.id()).state()).isEqualTo(Operation.State.FAILED);
    }

    @Test
    void aGroupThatWasGivenOtherVolumesMeanwhileIsNotTaken() throws Exception {
        var group = site.addGroup("g", "v");
        var other = site.addVolume("w");
        site.taker.slow = true;
        awaitRunning(take("g"));
        var waiting = take("g");
        site.control
                .volumes()
                .saveGroup()
                .replace(new ConsistencyGroup(
                        group.id(),
                        List.of(TestSite.volume("v"), other),
                        List.of(),
                        true,
                        group.freezeLimit(),
                        group.requireConsistency()));
        site.taker.slow = false;

        var ended = site.awaitEnd(waiting.id());

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow()).contains("other volumes");
    }

    @Test
    void leftoversAreSweptBeforeTheirOperationIsForgotten() throws Exception {
        site.addGroup("g", "v");
        site.taker.failUndo = true;
        site.taker.failAfterCut = true;
        site.awaitEnd(take("g").id());
        assertThat(site.snapshotCount()).isEqualTo(1);
        now = now.plus(OperationSettings.HISTORY).plusSeconds(1);

        site = site.reborn().recovered();

        assertThat(site.snapshotCount()).isZero();
    }

    private ReplicationLink scheduledLink() throws Exception {
        site.addGroup("g", "v");
        site.store.catalog().savePeer(new Peer(new PeerId("b"), "127.0.0.1:1", "a".repeat(64), now));
        return site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("b"),
                                new GroupId("g"),
                                TestSite.volume("v"),
                                TestSite.volume("c"),
                                Optional.of(Duration.ofMinutes(15))),
                        site.intent());
    }
}
