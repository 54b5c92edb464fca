package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.agent.Providers;
import io.tidemark.agent.ProvidersElsewhere;
import io.tidemark.agent.Unlisted;
import io.tidemark.control.document.Json;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.site.TestSite;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that their storage copies to another provider. */
@Timeout(60)
class CopySnapshotTest {
    private static final VolumeId ORDERS = TestSite.volume("orders");
    private static final VolumeId COPY = VolumeId.of("mirror", "orders");

    @TempDir
    Path folder;

    private TestSite site;
    private SnapshotId snapshot;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.mirrored(folder).recovered();
        site.addGroup("orders", "orders");
        site.write(ORDERS, 4_096, 42);
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        snapshot = snapshotsOf(ORDERS).getFirst();
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private List<SnapshotId> snapshotsOf(VolumeId volume) throws ProviderException {
        return site.providers.of(volume).snapshots(SnapshotQuery.ofVolume(volume)).snapshots().stream()
                .map(Snapshot::id)
                .toList();
    }

    private Operation started() throws Exception {
        return site.control.volumes().copySnapshot().start(snapshot, "mirror", Optional.empty(), site.intent());
    }

    @Test
    void copyIsFollowedToItsEndAndHasTheBytes() throws Exception {
        site.looksUntilReadable.set(2);
        site.stepsToCopy.set(3);

        var ended = site.awaitEnd(started().id());

        assertThat(ended.state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.stepsToCopy).as("asked again until it was made").hasValue(-1);
        var copy = new SnapshotId(COPY, snapshot.recoveryPoint());
        assertThat(snapshotsOf(COPY)).containsExactly(copy);
        var read = ByteBuffer.allocate(1);
        try (var reader = site.providers.of(COPY).read(copy)) {
            reader.read(4_096, read);
        }
        assertThat(read.get(0)).isEqualTo((byte) 42);
    }

    @Test
    void copyStaysWithoutItsRecoveryPointAndIsDeletedAsASnapshotWithIt() throws Exception {
        site.awaitEnd(started().id());
        var copy = new SnapshotId(COPY, snapshot.recoveryPoint());

        assertThatThrownBy(() -> site.control.volumes().deleteSnapshot().delete(snapshot))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("recovery point");
        site.control.volumes().deleteSnapshot().delete(copy);
        assertThat(snapshotsOf(COPY)).isEmpty();

        site.awaitEnd(started().id());
        site.control.points().delete().delete(snapshot.recoveryPoint());
        assertThat(snapshotsOf(ORDERS)).isEmpty();
        assertThat(snapshotsOf(COPY)).containsExactly(copy);
    }

    private Operation startedUntil(String phase) throws Exception {
        var operation = started();
        awaitPhase(operation, phase);
        return operation;
    }

    private void awaitPhase(Operation operation, String phase) {
        Awaitility.await()
                .until(() -> site.control
                        .operations()
                        .get(operation.id())
                        .progress()
                        .phase()
                        .contains(phase));
    }

    private Operation cancelled(Operation operation) throws Exception {
        site.control.operations().cancel(operation.id());
        return site.awaitEnd(operation.id());
    }

    @Test
    void cancelledCopyIsDeleted() throws Exception {
        site.stepsToCopy.set(Integer.MAX_VALUE);
        var operation = startedUntil("is copied");

        assertThat(cancelled(operation).state()).isEqualTo(Operation.State.CANCELLED);
        assertThat(snapshotsOf(COPY)).isEmpty();
    }

    @Test
    void cancelledCopyThatCannotBeDeletedIsToldWithTheWayOut() throws Exception {
        site.stepsToCopy.set(Integer.MAX_VALUE);
        var operation = startedUntil("is copied");
        site.copiesUnanswered = true;

        var ended = cancelled(operation);

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow())
                .contains(
                        "copy-left",
                        "may be left at mirror: the mirror cannot be reached",
                        "tidemark snapshots delete " + new SnapshotId(COPY, snapshot.recoveryPoint()));
    }

    @Test
    void wholeCopyOfBeforeOutlivesTheCancellingOfAnotherWhichIsTold() throws Exception {
        site.awaitEnd(started().id());
        site.copiesUnanswered = true;
        var operation = startedUntil("does not answer");

        var ended = cancelled(operation);

        assertThat(ended.problemJson().orElseThrow()).contains("may be left at mirror", "has not answered");
        assertThat(snapshotsOf(COPY)).containsExactly(new SnapshotId(COPY, snapshot.recoveryPoint()));
    }

    /** The storage goes on with it, whether or not it can be asked after the start. */
    @Test
    void copyThatAProcessThatIsGoneAskedForIsToldWhenItIsCancelled() throws Exception {
        site.stepsToCopy.set(Integer.MAX_VALUE);
        var operation = startedUntil("is copied");
        site.control.stop();
        site = site.reborn();
        site.looksUntilReadable.set(Integer.MAX_VALUE);
        site.control.recover();
        awaitPhase(operation, "can be read");

        var ended = cancelled(operation);

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow())
                .contains(
                        "copy-left",
                        "has not answered",
                        "tidemark snapshots delete " + new SnapshotId(COPY, snapshot.recoveryPoint()));
    }

    @Test
    void copyThatWasNeverAskedForLeavesNothingAlsoAfterAStart() throws Exception {
        site.looksUntilReadable.set(Integer.MAX_VALUE);
        var operation = startedUntil("can be read");
        site.control.stop();
        site = site.reborn();
        site.looksUntilReadable.set(Integer.MAX_VALUE);
        site.control.recover();

        assertThat(cancelled(operation).state()).isEqualTo(Operation.State.CANCELLED);
    }

    /** As after a start, when no agent is connected yet. */
    @Test
    void copyAtAnAgentThatIsAwayIsToldWhenItWasAskedFor() throws Exception {
        var away = site.providers.and(new ProvidersElsewhere() {
            @Override
            public StorageProvider of(VolumeId volume) throws ProviderException {
                throw new ProviderException(new ProviderError.Unreachable("agent db1", "it is not connected"));
            }

            @Override
            public List<StorageProvider> reachable() {
                return List.of();
            }

            @Override
            public List<Unlisted> unreachable() {
                return List.of();
            }
        });
        var request = Json.object().put("snapshot", snapshot.toString()).put("to", "db1/mirror");

        for (var step : List.of("started", CopySnapshotOperation.ASKED)) {
            var running = new FakeRunning(CopySnapshotOperation.KIND, step);
            running.cancelled = true;

            assertThatThrownBy(() -> new CopySnapshotOperation(away).carryOut(request, running))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            e -> assertThat(e.error())
                                    .isInstanceOf(
                                            step.equals("started")
                                                    ? ControlError.Cancelled.class
                                                    : ControlError.CopyLeft.class));
        }
    }

    /** How a copy ends that is cancelled when the last of these was the answer. */
    private ControlError cancelledAfter(ProviderError... answers) throws Exception {
        var left = new ArrayDeque<>(List.of(answers));
        var running = new FakeRunning(CopySnapshotOperation.KIND, "started");
        var mirror = (StorageProvider) Proxy.newProxyInstance(
                CopySnapshotTest.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class, SnapshotCopies.class},
                (proxy, method, given) -> switch (method.getName()) {
                    case "name" -> "mirror";
                    case "ability" -> Optional.of(proxy);
                    default -> {
                        running.cancelled = left.size() == 1;
                        throw new ProviderException(left.remove());
                    }
                });
        var providers = new Providers(List.of(site.providers.of(ORDERS), mirror));
        var request = Json.object().put("snapshot", snapshot.toString()).put("to", "mirror");
        var end = catchThrowableOfType(
                ControlException.class, () -> new CopySnapshotOperation(providers).carryOut(request, running));
        assertThat(running.operation().step().equals(CopySnapshotOperation.ASKED))
                .as("what the next start goes by")
                .isEqualTo(end.error() instanceof ControlError.CopyLeft);
        return end.error();
    }

    @Test
    void storageThatHasRefusedACopyHasAnswered() throws Exception {
        var busy = new ProviderError.Busy("CopySnapshot", "a limit of requests", Duration.ofSeconds(5));
        var silent = new ProviderError.Unreachable("the mirror", "it does not answer");

        assertThat(cancelledAfter(busy)).isInstanceOf(ControlError.Cancelled.class);
        assertThat(cancelledAfter(silent)).isInstanceOf(ControlError.CopyLeft.class);
        assertThat(cancelledAfter(silent, busy))
                .as("the first may have begun it")
                .isInstanceOf(ControlError.CopyLeft.class);
    }

    @Test
    void copyThatWouldBeAMemberOfARecoveryPointIsRefused() throws Exception {
        var taken = site.store.recoveryPoints().find(snapshot.recoveryPoint()).orElseThrow();
        var there = new RecoveryPoint.Member(COPY, new SnapshotId(COPY, taken.id()), 1 << 20);
        site.store.recoveryPoints().remove(taken.id());
        site.store.recoveryPoints().add(taken.with(List.of(there)));

        assertThatThrownBy(this::started)
                .isInstanceOfSatisfying(
                        ControlException.class, e -> assertThat(e.error()).isInstanceOf(ControlError.InUse.class))
                .hasMessageContaining(COPY.value());
        assertThat(snapshotsOf(ORDERS)).as("nothing was begun").hasSize(1);
    }

    @Test
    void placeThatTakesNoCopiesIsRefusedWithThoseThatDo() {
        for (var to : List.of("memory", "nowhere")) {
            assertThatThrownBy(() ->
                            site.control.volumes().copySnapshot().start(snapshot, to, Optional.empty(), site.intent()))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            e -> assertThat(e.error()).isInstanceOfSatisfying(ControlError.Invalid.class, invalid -> {
                                assertThat(invalid.field()).isEqualTo("to");
                                assertThat(invalid.allowed()).isEqualTo("one of mirror");
                            }));
        }
    }
}
