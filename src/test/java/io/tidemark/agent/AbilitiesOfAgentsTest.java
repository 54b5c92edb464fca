package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.remote.AgentAbility;
import io.tidemark.agent.remote.AgentRules;
import io.tidemark.agent.remote.CommandVersions;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.ProtectSnapshot;
import io.tidemark.control.SiteControl;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.site.Protections;
import io.tidemark.site.TestControl;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FastRestores;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotArchives.Tier;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What storage does with snapshots and volumes beside keeping them, asked of an agent's host over a real connection. */
@Timeout(60)
class AbilitiesOfAgentsTest {
    private static final VolumeId ORDERS = new VolumeId("db1/image:orders");
    private static final VolumeId SPARE = new VolumeId("db1/image:spare");
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, new RecoveryPointId("rp-1"));
    private static final SnapshotId AT_HOME = new SnapshotId(new VolumeId("image:orders"), SNAPSHOT.recoveryPoint());
    private static final SnapshotId COPY = new SnapshotId(new VolumeId("db1/mirror:orders"), SNAPSHOT.recoveryPoint());
    private static final LockRequest LOCK =
            new LockRequest(LockMode.GOVERNANCE, Instant.parse("2030-01-01T00:00:00Z"), Duration.ZERO);
    private static final ProviderError CLOUD_AWAY =
            new ProviderError.Unreachable("ec2 of eu-west-1", "no answer within 30 s");
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final Protections storage = new Protections();
    private AgentWorld world;
    private SiteControl control;

    @BeforeEach
    void start() throws Exception {
        world = new AgentWorld(folder);
        world.agent("db1");
        control = TestControl.over(world.store, world.providers, world.taker, world.agents);
        control.recover();
        world.providers.of(ORDERS).cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(ORDERS)));
    }

    @AfterEach
    void stop() throws Exception {
        control.stop();
        world.close();
    }

    private FakeHost host() {
        return world.one("db1").host;
    }

    /** Its storage is told when it connects. */
    private void give(AgentRules rules, Class<?>... abilities) throws Exception {
        for (var ability : abilities) {
            host().abilities.putIfAbsent(ability, storage);
        }
        world.restart("db1", rules);
    }

    private static AgentRules rules(String volumes, Set<AgentAbility> abilities) {
        return new AgentRules(List.of(volumes), Set.of(), Path.of("/etc/tidemark"), true, abilities);
    }

    private ProtectSnapshot protect() {
        return control.volumes().protectSnapshot();
    }

    private Operation ended(OperationId id) {
        return Awaitility.await()
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> control.operations().get(id),
                        operation -> operation.state().ended());
    }

    private static void refused(ThrowingCallable asked, Class<? extends ProviderError> error, String... words) {
        assertThatThrownBy(asked)
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(error))
                .hasMessageContainingAll(words);
    }

    @Test
    void locksTiersAndFastRestoresOfAnAgentsSnapshotAreTheStoragesOfItsHost() throws Exception {
        give(AgentWorld.ALL, SnapshotLocks.class, SnapshotArchives.class, FastRestores.class);

        protect().lock(SNAPSHOT, LOCK);
        protect().archive(SNAPSHOT);
        protect().setFastRestore(SNAPSHOT, List.of("a", "b"), true);
        var told = protect().of(SNAPSHOT);

        assertThat(storage.locks).containsOnlyKeys(AT_HOME);
        assertThat(told.untold()).isEmpty();
        assertThat(told.lock().orElseThrow().until()).isEqualTo(LOCK.until());
        assertThat(told.tier().orElseThrow().tier()).isEqualTo(Tier.ARCHIVING);
        assertThat(told.fastRestores()).hasSize(2);
        assertThat(told.fastRestoreCost()).contains("2 an hour");
        protect().restore(SNAPSHOT, Optional.of(3));
        assertThat(protect().of(SNAPSHOT).tier().orElseThrow().tier()).isEqualTo(Tier.RESTORING);
        protect().unlock(SNAPSHOT);
        assertThat(protect().of(SNAPSHOT).lock()).isEmpty();
    }

    @Test
    void binOfAnAgentsStorageIsListedAndEmptiedByTheControllersNames() throws Exception {
        storage.deletions.add(AT_HOME);
        storage.undeletion = storage.deletions::remove;
        give(AgentWorld.ALL, RecycleBin.class);

        assertThat(protect().binned("db1/image"))
                .extracting(RecycleBin.Binned::id)
                .containsExactly(SNAPSHOT);
        protect().undelete(SNAPSHOT);

        assertThat(protect().binned("db1/image")).isEmpty();
        refused(() -> protect().undelete(SNAPSHOT), ProviderError.SnapshotNotFound.class, SNAPSHOT.toString());
    }

    @Test
    void whatTheAgentsConfigurationDoesNotNameIsLookedAtAndNotChanged() throws Exception {
        storage.locks.put(AT_HOME, storage.lock(AT_HOME, LOCK));
        give(
                rules("image:*", EnumSet.of(AgentAbility.ARCHIVES)),
                SnapshotLocks.class,
                SnapshotArchives.class,
                FastRestores.class,
                RecycleBin.class);

        assertThat(protect().of(SNAPSHOT).lock()).isPresent();
        protect().archive(SNAPSHOT);
        for (ThrowingCallable asked : List.<ThrowingCallable>of(
                () -> protect().lock(SNAPSHOT, LOCK), () -> protect().unlock(SNAPSHOT))) {
            refused(asked, ProviderError.Denied.class, "agent.abilities to name locks");
        }
        refused(
                () -> protect().setFastRestore(SNAPSHOT, List.of("a"), true),
                ProviderError.Denied.class,
                "agent.abilities to name fastRestores");
        refused(() -> protect().undelete(SNAPSHOT), ProviderError.Denied.class, "agent.abilities to name recycleBin");
        assertThat(storage.locks).containsOnlyKeys(AT_HOME);

        give(rules("image:other", EnumSet.allOf(AgentAbility.class)));
        refused(() -> protect().lock(SNAPSHOT, LOCK), ProviderError.Denied.class, "agent.volumes to name it");
        assertThat(protect().of(SNAPSHOT).untold()).hasSize(3);
    }

    @Test
    void storageThatHasItNotIsNotAsked() {
        refused(() -> protect().lock(SNAPSHOT, LOCK), ProviderError.Conflict.class, "its storage has no locks");
        assertThatThrownBy(() -> control.volumes().replicateInStorage().of(ORDERS))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("is of a storage that does not replicate by itself");
    }

    @Test
    void agentOfBeforeIsNotAskedAndToldToBeBroughtUp() throws Exception {
        host().abilities.put(SnapshotLocks.class, storage);
        var one = world.one("db1");
        one.stop();
        world.awaitLost("db1");
        world.connect(one, AgentWorld.ALL, new CommandVersions(1, 2));
        world.awaitConnected("db1");

        refused(
                () -> protect().lock(SNAPSHOT, LOCK),
                ProviderError.Conflict.class,
                "agent db1, whose software is of before",
                "install there what this site runs");
        assertThatThrownBy(() -> control.volumes().replicateInStorage().of(ORDERS))
                .hasMessageContaining("install there what this site runs");
        assertThat(protect().of(SNAPSHOT).untold()).isEmpty();
        control.volumes().deleteSnapshot().delete(SNAPSHOT);
        assertThat(host().snapshots).isEmpty();
    }

    /** Copies of one provider of the host to the other, that take until they are told to end. */
    private final class Copies implements SnapshotCopies {
        @Override
        public Step<Snapshot> copyOf(StorageProvider source, SnapshotId snapshot, Optional<String> key)
                throws ProviderException {
            host().hiccup("copyOf");
            host().events.add("copy %s of %s under %s".formatted(snapshot, source.name(), key.orElse("none")));
            return new Step.Running<>(new Handle("mirror", "copying"), 0.25, Duration.ZERO);
        }

        @Override
        public boolean copiesFrom(StorageProvider source) {
            return source.name().equals("image");
        }

        @Override
        public String phase(Handle handle) {
            return handle.token().equals("copying") ? "crosses the sea" : "is of something else";
        }
    }

    private Operation copying() throws Exception {
        host().kinds.add("mirror");
        host().abilities.put(SnapshotCopies.class, new Copies());
        host().outcomes.put("copying", new Step.Running<>(new Handle("mirror", "copying"), 0.5, Duration.ZERO));
        world.restart("db1", AgentWorld.ALL);
        var begun = control.volumes()
                .copySnapshot()
                .start(SNAPSHOT, "db1/mirror", Optional.of("k"), new Intent("copy", false));
        Awaitility.await()
                .atMost(SOON)
                .until(() ->
                        control.operations().get(begun.id()).progress().phase().contains("crosses the sea"));
        return begun;
    }

    private void copied() {
        var copy = new SnapshotId(COPY.volume().onItsHost(), COPY.recoveryPoint());
        host().outcomes.put("copying", new Step.Done<>(new Snapshot(copy, 4096, Instant.EPOCH)));
    }

    @Test
    void copyBetweenTwoProvidersOfAnAgentOutlivesItsConnectionAndItsProcess() throws Exception {
        var begun = copying();

        world.loseAll();
        world.restart("db1", AgentWorld.ALL);
        copied();
        var ended = ended(begun.id());

        assertThat(ended.state()).as("%s", ended.problemJson()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(ended.resultJson().orElseThrow()).contains(COPY.toString());
        assertThat(host().events.stream().filter(event -> event.startsWith("copy")))
                .containsExactly("copy %s of image under k".formatted(AT_HOME));
    }

    /** The way of every step of a copy leads over a cloud that does not answer once. */
    @Test
    void copyOutlivesTheHiccupsOfTheAgentsCloud() throws Exception {
        for (var method : List.of("readiness", "copyOf", "resume")) {
            host().hiccups.put(method, CLOUD_AWAY);
        }
        var begun = copying();
        copied();
        var ended = ended(begun.id());

        assertThat(ended.state()).as("%s", ended.problemJson()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(host().hiccups).as("what was answered").isEmpty();
    }

    @Test
    void whoAsksIsToldWhichAgentsCloudDoesNotAnswer() throws Exception {
        give(AgentWorld.ALL, RecycleBin.class);

        storage.deletions.add(AT_HOME);
        storage.undeletion = snapshot -> {
            throw new ProviderException(CLOUD_AWAY);
        };
        refused(
                () -> protect().undelete(SNAPSHOT),
                ProviderError.Unreachable.class,
                "ec2 of eu-west-1 at agent db1 cannot be reached: no answer within 30 s");
        host().hiccups.put("cut", CLOUD_AWAY);
        refused(
                () -> world.providers.of(ORDERS).cut(new CutRequest(new RecoveryPointId("rp-2"), List.of(ORDERS))),
                ProviderError.Unexpected.class,
                "agent db1 answered: ec2 of eu-west-1");
    }

    @Test
    void copyGoesOnOnlyWhileTheAgentsConfigurationNamesCopies() throws Exception {
        var begun = copying();

        world.restart("db1", rules("*", Set.of()));
        copied();
        var ended = ended(begun.id());

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow()).contains("agent.abilities to name copies");
    }

    @Test
    void snapshotOfThisHostIsNotCopiedToAnAgents() throws Exception {
        var begun = copying();
        world.here.volume("image:orders", "/orders");
        var here = world.providers
                .of(AT_HOME.volume())
                .cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(AT_HOME.volume())));

        assertThatThrownBy(() -> control.volumes()
                        .copySnapshot()
                        .start(
                                here.members().getFirst().snapshot().id(),
                                "db1/mirror",
                                Optional.empty(),
                                new Intent("other", false)))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("makes no copies of snapshots of image");
        copied();
        assertThat(ended(begun.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    /** Replicates what it is told to, and tells so when it is asked a second time. */
    private final class Replication implements StorageReplication {
        private State state = State.NONE;

        private Status status() {
            return new Status(
                    ORDERS.onItsHost(), state, List.of(SPARE.onItsHost()), List.of("group"), "a new secondary");
        }

        private Step<Status> running(State next) {
            if (state == State.NONE) {
                host().hiccups.put("resume", CLOUD_AWAY);
            }
            state = next;
            host().outcomes.put("pair", new Step.Done<>(status()));
            return new Step.Running<>(new Handle("image", "pair"), 0.5, Duration.ZERO);
        }

        @Override
        public Status replication(VolumeId volume) {
            return status();
        }

        @Override
        public Step<Status> startReplication(VolumeId primary, VolumeId secondary) {
            host().events.add("replicate %s to %s".formatted(primary, secondary));
            return running(State.ACTIVE);
        }

        @Override
        public Step<Status> stopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted) {
            host().events.add("stop %s %s %s".formatted(volume, wholeGroup, newSecondaryAccepted));
            return running(State.STOPPED);
        }
    }

    @Test
    void agentsStorageReplicatesByItselfUntilItIsStopped() throws Exception {
        host().abilities.put(StorageReplication.class, new Replication());
        give(AgentWorld.ALL);
        var replicate = control.volumes().replicateInStorage();

        var started =
                ended(replicate.start(ORDERS, SPARE, new Intent("start", false)).id());
        var status = replicate.of(ORDERS);
        var stopped = ended(
                replicate.stop(ORDERS, true, true, new Intent("stop", false)).id());

        assertThat(started.resultJson().orElseThrow()).contains("ACTIVE", SPARE.toString());
        assertThat(status.volume()).isEqualTo(ORDERS);
        assertThat(status.partners()).containsExactly(SPARE);
        assertThat(stopped.resultJson().orElseThrow()).contains("STOPPED");
        assertThat(host().events).contains("replicate image:orders to image:spare", "stop image:orders true true");
    }

    @Test
    void groupThatMayHoldVolumesThatAreNotAllowedIsNotStopped() throws Exception {
        host().abilities.put(StorageReplication.class, new Replication());
        host().volume("image:payroll");
        give(rules("image:o*", EnumSet.allOf(AgentAbility.class)));
        var replicate = control.volumes().replicateInStorage();

        var whole = ended(
                replicate.stop(ORDERS, true, true, new Intent("whole", false)).id());
        var secondary =
                ended(replicate.start(ORDERS, SPARE, new Intent("start", false)).id());

        assertThat(whole.problemJson().orElseThrow()).contains("image:payroll", "agent.volumes to name it");
        assertThat(secondary.problemJson().orElseThrow()).contains("image:spare", "agent.volumes to name it");
        assertThat(host().events).noneMatch(event -> event.startsWith("stop") || event.startsWith("replicate"));
    }
}
