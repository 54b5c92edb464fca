package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.TestSite;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
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
