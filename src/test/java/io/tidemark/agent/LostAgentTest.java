package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.tidemark.agent.remote.AgentLink;
import io.tidemark.agent.remote.AgentRules;
import io.tidemark.agent.remote.CommandVersions;
import io.tidemark.control.CreateVolume;
import io.tidemark.control.Intent;
import io.tidemark.control.SiteControl;
import io.tidemark.control.WhenOpen;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.site.TestControl;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Long work at an agent whose connection is lost meanwhile, over real connections; agents and controllers of two versions. */
@Timeout(90)
@SuppressWarnings("NullAway.Init") // each test begins by starting what it needs
class LostAgentTest {
    private static final VolumeId ORDERS = new VolumeId("db1/image:orders");
    private static final VolumeId MADE = new VolumeId("db1/image:made");
    private static final CommandVersions OLD = new CommandVersions(1, 1);
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private AgentWorld world;
    private SiteControl control;
    private RecoveryPointId point;
    private int requests;

    /** What is asked for, and the event at the storage that begins it. */
    private enum Kind {
        CLONE("clone image:made"),
        ROLLBACK("rollback image:orders"),
        CREATION("create image:made");

        private final String event;

        Kind(String event) {
            this.event = event;
        }
    }

    private void start(CommandVersions ofController, CommandVersions ofAgent) throws Exception {
        world = new AgentWorld(folder, ofController);
        world.agent("db1", AgentWorld.ALL, ofAgent);
        world.awaitConnected("db1");
        control = TestControl.over(world.store, world.providers, world.taker, world.agents);
        control.recover();
        var group = new ConsistencyGroup(
                new GroupId("shop"), List.of(ORDERS), List.of(), true, Duration.ofSeconds(2), Consistency.CRASH);
        control.volumes().saveGroup().create(group, intent());
        var taken = ended(control.points().create().start(group.id(), intent()).id());
        assertThat(taken.state()).as("%s", taken.problemJson()).isEqualTo(Operation.State.SUCCEEDED);
        point = control.inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 1)
                .items()
                .getFirst()
                .id();
    }

    @AfterEach
    void stop() throws Exception {
        host().slow = false;
        control.stop();
        world.close();
    }

    private FakeHost host() {
        return world.one("db1").host;
    }

    private Intent intent() {
        return new Intent("work" + ++requests, false);
    }

    private OperationId ask(Kind kind) throws Exception {
        var intent = intent();
        switch (kind) {
            case CLONE -> control.points().cloneMember().start(point, ORDERS, MADE, intent);
            case ROLLBACK -> control.points().rollback().start(point, WhenOpen.REFUSE, intent);
            case CREATION ->
                assertThat(control.volumes().create().create(MADE, 4096, intent))
                        .isInstanceOf(CreateVolume.Outcome.Begun.class);
        }
        return intent.operation();
    }

    private Operation ended(OperationId id) {
        return Awaitility.await()
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> control.operations().get(id),
                        operation -> operation.state().ended());
    }

    private void succeeded(OperationId id) {
        var end = ended(id);
        assertThat(end.state()).as("%s", end.problemJson()).isEqualTo(Operation.State.SUCCEEDED);
    }

    private long times(String event) {
        return host().events.stream().filter(event::equals).count();
    }

    private void awaitEvent(String event) {
        Awaitility.await().atMost(SOON).until(() -> times(event) > 0);
    }

    /** At the first event of that name, on the thread that acts at the agent. */
    private void atFirst(String event, Act act) {
        var done = new AtomicBoolean();
        var witness = host().witness;
        host().witness = now -> {
            witness.accept(now);
            if (now.equals(event) && done.compareAndSet(false, true)) {
                try {
                    act.act();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };
    }

    private interface Act {
        void act() throws Exception;
    }

    private void loseAndAwaitBack() {
        world.loseAll();
        Awaitility.await().atMost(SOON).until(() -> !world.connected("db1"));
        Awaitility.await().atMost(SOON).until(() -> world.connected("db1"));
    }

    @ParameterizedTest
    @EnumSource
    void workGoesOnOverTheLossOfTheConnection(Kind kind) throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        host().slow = true;
        var operation = ask(kind);
        awaitEvent(kind.event);

        loseAndAwaitBack();
        assertThat(control.operations().get(operation).state()).isEqualTo(Operation.State.RUNNING);
        host().slow = false;

        succeeded(operation);
        assertThat(times(kind.event)).isEqualTo(1);
    }

    /** The storage has done it, and nobody was told: it must not be done again over what is written since. */
    @ParameterizedTest
    @EnumSource
    void workWhoseAnswerIsLostIsNotDoneTwice(Kind kind) throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        atFirst("done " + kind.event, this::loseAndAwaitBack);

        var operation = ask(kind);

        succeeded(operation);
        assertThat(times(kind.event)).isEqualTo(1);
        assertThat(times("done " + kind.event)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void workGoesOnOverARestartOfTheController(Kind kind) throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        host().slow = true;
        var operation = ask(kind);
        awaitEvent(kind.event);

        control.stop();
        world.loseAll();
        host().slow = false;
        control = TestControl.over(world.store, world.providers, world.taker, world.agents);
        control.recover();

        succeeded(operation);
        assertThat(times(kind.event)).isEqualTo(1);
    }

    private OperationId askAndAwaitHandle(Kind kind) throws Exception {
        host().slow = true;
        var operation = ask(kind);
        awaitEvent(kind.event);
        Awaitility.await()
                .until(() -> control.operations().get(operation).progress().doneUnits() > 0);
        return operation;
    }

    /** What is made by its name is begun again where its storage has lost it. */
    @ParameterizedTest
    @EnumSource(names = {"CLONE", "CREATION"})
    void workThatKeepsGoesOnOverARestartOfTheAgent(Kind kind) throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        var operation = askAndAwaitHandle(kind);

        world.restart("db1", AgentWorld.ALL);
        host().slow = false;

        succeeded(operation);
        assertThat(times(kind.event)).isEqualTo(2);
    }

    /** A storage that lost it would begin it again, whoever wrote since. */
    @Test
    void rollbackIsNotGoneOnWithOverARestartOfTheAgent() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        host().slow = true;
        var byHandle = (Step.Running<Volume>) world.providers.of(ORDERS).rollback(new SnapshotId(ORDERS, point));
        var operation = askAndAwaitHandle(Kind.ROLLBACK);

        world.restart("db1", AgentWorld.ALL);
        host().slow = false;

        assertThat(ended(operation).problemJson().orElseThrow()).contains("storage-conflict", "is not known");
        assertThatThrownBy(() -> world.providers.of(ORDERS).resume(byHandle.handle()))
                .hasMessageContaining("is not known");
        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(2);

        succeeded(ask(Kind.ROLLBACK));
        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(3);
    }

    private void endsUntold(OperationId operation, String reason) {
        var end = ended(operation);
        assertThat(end.state()).isEqualTo(Operation.State.FAILED);
        assertThat(end.problemJson().orElseThrow()).contains("rollback-unknown", reason);
        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(1);
    }

    /** It was asked without an id; under one it would be other work to the agent, and be begun. */
    @Test
    void agentThatIsBroughtToTheNextVersionDuringARollbackDoesNotDoItAgain() throws Exception {
        start(CommandVersions.ALL, OLD);
        atFirst("done " + Kind.ROLLBACK.event, () -> world.restart("db1", AgentWorld.ALL));

        endsUntold(ask(Kind.ROLLBACK), "too old to tell");
    }

    @Test
    void agentThatIsBroughtToTheNextVersionIsNotAskedByAnOlderOnesHandle() throws Exception {
        start(CommandVersions.ALL, OLD);
        var operation = askAndAwaitHandle(Kind.ROLLBACK);

        world.restart("db1", AgentWorld.ALL);
        host().slow = false;

        endsUntold(operation, "too old to tell");
    }

    @Test
    void agentThatIsBroughtToTheNextVersionWhileItsControllerIsAwayDoesNotDoARollbackAgain() throws Exception {
        start(CommandVersions.ALL, OLD);
        var operation = askAndAwaitHandle(Kind.ROLLBACK);

        control.stop();
        world.restart("db1", AgentWorld.ALL);
        host().slow = false;
        control = TestControl.over(world.store, world.providers, world.taker, world.agents);
        control.recover();

        endsUntold(operation, "too old to tell");
    }

    /** It has the name of the one that was asked, and nothing of what that had begun. */
    @Test
    void agentThatIsInstalledAnewDuringARollbackDoesNotDoItAgain() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        atFirst("done " + Kind.ROLLBACK.event, () -> world.reinstall("db1"));

        endsUntold(ask(Kind.ROLLBACK), "installed anew");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void list() {
        try {
            var unused = world.providers.of(ORDERS).volumes();
        } catch (ProviderException e) {
            assertThat(e).hasMessageContaining("64 commands");
        }
    }

    /** The work goes on: an agent with too much to do for an answer has not refused it. */
    @Test
    void agentThatCannotAnswerForALongTimeIsAskedAgain() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        var operation = askAndAwaitHandle(Kind.ROLLBACK);
        var enough = new CountDownLatch(1);
        var witness = host().witness;
        host().witness = event -> {
            witness.accept(event);
            if (event.equals("list")) {
                await(enough);
            }
        };

        try {
            Awaitility.await().atMost(SOON).until(() -> {
                // One place may be another command's for a moment: what is refused then is asked for again.
                for (int i = 0; i < 64; i++) {
                    Thread.ofVirtual().start(this::list);
                }
                var progress = control.operations().get(operation).progress();
                return progress.phase().contains("64 commands");
            });
            assertThat(control.operations().get(operation).state()).isEqualTo(Operation.State.RUNNING);
        } finally {
            host().slow = false;
            enough.countDown();
        }

        succeeded(operation);
        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(1);
    }

    /** The agent's process ends between the storage's beginning and its own note of what that said. */
    @Test
    void agentThatEndedWhileItBeganARollbackDoesNotGuess() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        var never = new CountDownLatch(1);
        atFirst(Kind.ROLLBACK.event, () -> await(never));
        var operation = ask(Kind.ROLLBACK);
        awaitEvent(Kind.ROLLBACK.event);

        world.restart("db1", AgentWorld.ALL);

        var end = ended(operation);
        assertThat(end.state()).isEqualTo(Operation.State.FAILED);
        assertThat(end.problemJson().orElseThrow()).contains("is not known");
        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(1);
        // Its storage has lost the work with its process: it begins it again where it goes on.
        never.countDown();
    }

    @Test
    void ruleThatIsWithdrawnEndsARollbackThatWasBegun() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        host().slow = true;
        var byHandle = (Step.Running<Volume>) world.providers.of(ORDERS).rollback(new SnapshotId(ORDERS, point));
        var operation = ask(Kind.ROLLBACK);
        awaitEvent(Kind.ROLLBACK.event);

        var rules = AgentWorld.ALL;
        world.restart("db1", new AgentRules(rules.volumes(), rules.quiescers(), rules.secrets(), false, Set.of()));

        assertThatThrownBy(() -> world.providers.of(ORDERS).resume(byHandle.handle()))
                .hasMessageContaining("agent.overwrite");
        assertThat(ended(operation).problemJson().orElseThrow()).contains("agent.overwrite");
    }

    @ParameterizedTest
    @EnumSource
    void agentOfTheVersionBeforeCarriesOutWhatItKnows(Kind kind) throws Exception {
        start(CommandVersions.ALL, OLD);
        host().slow = true;
        var operation = ask(kind);
        awaitEvent(kind.event);
        host().slow = false;

        succeeded(operation);
        // A creation is asked for by the request, and again by its operation.
        assertThat(times(kind.event)).isEqualTo(kind == Kind.CREATION ? 2 : 1);
    }

    @ParameterizedTest
    @EnumSource
    void controllerOfTheVersionBeforeIsObeyedByANewerAgent(Kind kind) throws Exception {
        start(OLD, CommandVersions.ALL);
        host().slow = true;
        var operation = ask(kind);
        awaitEvent(kind.event);
        host().slow = false;

        succeeded(operation);
        // A creation is asked for by the request, and again by its operation.
        assertThat(times(kind.event)).isEqualTo(kind == Kind.CREATION ? 2 : 1);
    }

    /** What is made once by its name is asked for again; a rollback is not. */
    @ParameterizedTest
    @EnumSource
    void answerThatAnOlderAgentOwesIsNamedWhereAskingAgainWouldDoHarm(Kind kind) throws Exception {
        start(CommandVersions.ALL, OLD);
        atFirst("done " + kind.event, this::loseAndAwaitBack);

        var operation = ask(kind);

        if (kind == Kind.ROLLBACK) {
            assertThat(ended(operation).problemJson().orElseThrow())
                    .contains("rollback-unknown")
                    .contains("too old to tell");
            assertThat(times(kind.event)).isEqualTo(1);
        } else {
            succeeded(operation);
        }
    }

    @Test
    void sidesWithoutACommonVersionSaySoAndDoNotTalk() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        var logger = (Logger) LoggerFactory.getLogger(AgentLink.class);
        var told = new ListAppender<ILoggingEvent>();
        told.start();
        var level = logger.getLevel();
        logger.setLevel(Level.WARN);
        logger.addAppender(told);
        try {
            world.agent("db2", AgentWorld.ALL, new CommandVersions(4, 5));
            // However often it tries.
            Awaitility.await().atMost(SOON).until(() -> List.copyOf(told.list).size() > 1);
        } finally {
            logger.detachAppender(told);
            logger.setLevel(level);
        }

        assertThat(List.copyOf(told.list))
                .allSatisfy(event -> assertThat(event.getFormattedMessage()).contains("commands 1-3", "commands 4-5"));
        assertThat(world.connected("db2")).isFalse();
        assertThat(world.connected("db1")).isTrue();
    }

    @Test
    void listsNameAgentsThatAreLostWhileTheyAreAskedAndThoseThatAreNotConnected() throws Exception {
        start(CommandVersions.ALL, CommandVersions.ALL);
        world.agent("db2");
        world.here.volume("image:here");
        var all = control.inventory().volumes(Optional.empty(), 10);
        assertThat(all.unlisted()).isEmpty();
        assertThat(all.page().items()).hasSize(3);

        var relay = world.one("db1").relay;
        atFirst("list", () -> relay.stalled = true);
        for (int look = 0; look < 2; look++) {
            var listed = control.inventory().volumes(Optional.empty(), 10);
            assertThat(listed.page().items())
                    .extracting(volume -> volume.id().value())
                    .containsExactly("db2/image:orders", "image:here");
            assertThat(listed.unlisted()).extracting(Unlisted::name).containsExactly("db1");
        }

        var snapshots = control.inventory().snapshots(Optional.empty(), Optional.empty(), 10);
        assertThat(snapshots.page().items()).isEmpty();
        assertThat(snapshots.unlisted()).containsExactly(Unlisted.agent("db1", "it is not connected"));
        assertThatThrownBy(() -> control.inventory().snapshots(Optional.of(ORDERS), Optional.empty(), 10))
                .hasMessageContaining("not connected");
        relay.stalled = false;
    }

    @Test
    void newestOfSeveralCommonVersionsIsUsed() throws Exception {
        start(CommandVersions.ALL, new CommandVersions(1, 9));
        atFirst("done " + Kind.ROLLBACK.event, this::loseAndAwaitBack);

        succeeded(ask(Kind.ROLLBACK));

        assertThat(times(Kind.ROLLBACK.event)).isEqualTo(1);
    }
}
