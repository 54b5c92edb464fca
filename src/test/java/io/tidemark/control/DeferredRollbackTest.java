package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.site.TestSite;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A recovery point of two volumes, of which one is open. */
@Timeout(60)
class DeferredRollbackTest {
    /** A stop that waits for what only waits would take this long, and one slot would be taken for as long. */
    private static final OperationSettings ONE_AT_ONCE = new OperationSettings(1, Duration.ofMinutes(10));

    private static final VolumeId FIRST = TestSite.volume("orders");
    private static final VolumeId SECOND = TestSite.volume("wal");
    private static final int OLD = 1;
    private static final int NEW = 2;

    @TempDir
    Path folder;

    private volatile Instant now = Instant.parse("2026-11-23T00:00:00Z");
    private TestSite site;
    private RecoveryPointId point;

    @BeforeEach
    void takePoint() throws Exception {
        site = TestSite.in(folder, () -> now, ONE_AT_ONCE, Observer.NONE).recovered();
        site.addGroup("orders", "orders", "wal");
        writeBoth(OLD);
        point = take();
        writeBoth(NEW);
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private RecoveryPointId take() throws Exception {
        var started = site.control.points().create().start(new GroupId("orders"), site.intent());
        assertThat(site.awaitEnd(started.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        return site.control
                .inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 1)
                .items()
                .getFirst()
                .id();
    }

    private void writeBoth(int value) throws Exception {
        site.write(FIRST, 0, value);
        site.write(SECOND, 0, value);
    }

    private VolumeWriter opened(VolumeId volume) throws Exception {
        return site.providers.of(volume).write(volume);
    }

    private List<Integer> content() throws Exception {
        return List.of(firstByte(FIRST), firstByte(SECOND));
    }

    private int firstByte(VolumeId volume) throws Exception {
        var buffer = ByteBuffer.allocateDirect(1);
        try (var writer = opened(volume)) {
            writer.read(0, buffer);
        }
        return buffer.get(0);
    }

    private OperationId start(WhenOpen whenOpen) throws Exception {
        return site.control
                .points()
                .rollback()
                .start(point, whenOpen, site.intent())
                .id();
    }

    private Operation get(OperationId id) throws Exception {
        return site.control.operations().get(id);
    }

    private OperationId waiting() throws Exception {
        var id = start(WhenOpen.DEFER);
        awaitWaiting(id);
        return id;
    }

    private void awaitWaiting(OperationId id) {
        Awaitility.await()
                .untilAsserted(() -> assertThat(get(id).progress().phase())
                        .isEqualTo("waits until memory:wal is closed: a writer that is open"));
    }

    private Operation ended(OperationId id) {
        return site.awaitEnd(id);
    }

    @Test
    void agentThatIsAwayIsWaitedFor() throws Exception {
        site.unreachable = true;
        var id = start(WhenOpen.DEFER);
        Awaitility.await()
                .untilAsserted(() -> assertThat(get(id).progress().phase())
                        .isEqualTo("waits: agent db1 cannot be reached: it is not connected"));
        assertThat(content()).containsExactly(NEW, NEW);

        site.unreachable = false;

        assertThat(site.awaitEnd(id).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(content()).containsExactly(OLD, OLD);
    }

    @Test
    void refusedRollbackLeavesTheClosedVolumeToo() throws Exception {
        OperationId id;
        try (var writer = opened(SECOND)) {
            id = start(WhenOpen.REFUSE);

            assertThat(ended(id).state()).isEqualTo(Operation.State.FAILED);
        }

        assertThat(get(id).problemJson().orElseThrow()).contains("memory:wal is in use by");
        assertThat(content()).containsExactly(NEW, NEW);
    }

    @Test
    void deferredRollbackWaitsForTheOpenVolumeAndLeavesBothAloneMeanwhile() throws Exception {
        OperationId id;
        try (var writer = opened(SECOND)) {
            id = waiting();
            site.write(FIRST, 0, NEW + 1);

            assertThat(take()).isNotEqualTo(point);
            assertThat(firstByte(FIRST)).isEqualTo(NEW + 1);
        }

        assertThat(ended(id).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(content()).containsExactly(OLD, OLD);
        assertThat(site.snapshotCount()).isEqualTo(4);
    }

    @Test
    void recoveryPointThatIsWaitedForIsNotDeleted() throws Exception {
        try (var writer = opened(SECOND)) {
            var id = waiting();

            assertThatThrownBy(() -> site.control.points().delete().delete(point))
                    .isInstanceOf(ControlException.class)
                    .hasMessageContaining(id.value());
        }
    }

    @Test
    void cancelledOneLeavesEverythingAsItIs() throws Exception {
        OperationId id;
        try (var writer = opened(SECOND)) {
            id = waiting();

            site.control.operations().cancel(id);

            assertThat(ended(id).state()).isEqualTo(Operation.State.CANCELLED);
        }
        assertThat(content()).containsExactly(NEW, NEW);
        site.control.points().delete().delete(point);
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void givesUpAtTheLimitEvenWhereTheProcessWasAnotherOne() throws Exception {
        try (var writer = opened(SECOND)) {
            var id = waiting();

            now = now.plus(ClosedVolumes.LIMIT);

            assertThat(ended(id).state()).isEqualTo(Operation.State.FAILED);
            assertThat(get(id).problemJson().orElseThrow()).contains("/not-closed", "memory:wal", "7 days");
        }
        assertThat(content()).containsExactly(NEW, NEW);
    }

    @Test
    void oneRollbackOfAVolumeWaitsAtATime() throws Exception {
        try (var writer = opened(SECOND)) {
            var id = waiting();

            for (var whenOpen : WhenOpen.values()) {
                assertThatThrownBy(() -> start(whenOpen))
                        .isInstanceOf(ControlException.class)
                        .hasMessageContaining("volume memory:orders is needed by waiting rollback " + id);
            }
        }
    }

    @Test
    void nextLifeDoesNotRollBackWhatIsReplicatedLive() throws Exception {
        var id = die(Moment.ROLLBACK_WAITING);
        site.replicateLive(SECOND);

        site.control.recover();

        assertThat(ended(id).state()).isEqualTo(Operation.State.FAILED);
        assertThat(get(id).problemJson().orElseThrow()).contains("memory:wal", "live link ln-live");
        assertThat(content()).containsExactly(NEW, NEW);
    }

    @Test
    void volumeThatIsReplicatedLiveIsNeitherRolledBackNorDeletedNorExported() throws Exception {
        site.replicateLive(SECOND);
        var alone = site.addVolume("alone");
        site.replicateLive(alone);

        for (var whenOpen : WhenOpen.values()) {
            assertThatThrownBy(() -> start(whenOpen))
                    .isInstanceOf(ControlException.class)
                    .hasMessageContaining("volume memory:wal is needed by live link ln-live");
        }
        assertThatThrownBy(() -> site.control.volumes().delete().delete(alone))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("live link ln-live");
        assertThatThrownBy(() -> site.control.exports().ofVolume(alone, site.intent()))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("live link ln-live");
    }

    @Test
    void nextLifeGoesOnWaiting() throws Exception {
        OperationId id;
        try (var writer = opened(SECOND)) {
            id = startAndDieAt(Moment.ROLLBACK_WAITING);

            awaitWaiting(id);
            assertThat(firstByte(FIRST)).isEqualTo(NEW);
        }

        assertThat(ended(id).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(content()).containsExactly(OLD, OLD);
    }

    private OperationId startAndDieAt(Moment moment) throws Exception {
        site.dieAt(moment);
        var id = start(WhenOpen.DEFER);
        site.awaitDeath();
        site = site.reborn(ONE_AT_ONCE);
        site.control.recover();
        return id;
    }

    @Test
    void stopOfTheSiteDoesNotWaitForIt() throws Exception {
        OperationId id;
        try (var writer = opened(SECOND)) {
            id = waiting();

            site.control.stop();

            assertThat(site.store.operations().find(id).orElseThrow().state()).isEqualTo(Operation.State.RUNNING);
            site = site.reborn(ONE_AT_ONCE);
            site.control.recover();
            awaitWaiting(id);
        }
        assertThat(ended(id).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    /** Between the two; the host's restart has mounted the second again, say. */
    private OperationId dieBetween() throws Exception {
        return die(Moment.ROLLBACK_MEMBER_RECORDED);
    }

    private OperationId die(Moment moment) throws Exception {
        site.dieAt(moment);
        var id = start(WhenOpen.DEFER);
        site.awaitDeath();
        site = site.reborn(ONE_AT_ONCE);
        return id;
    }

    @Test
    void nextLifeWaitsForTheVolumeThatIsLeftAndKeepsWhatWasWrittenToTheOther() throws Exception {
        var id = dieBetween();
        assertThat(content()).containsExactly(OLD, NEW);
        site.write(FIRST, 0, NEW + 1);

        try (var writer = opened(SECOND)) {
            site.control.recover();
            awaitWaiting(id);
        }

        assertThat(ended(id).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(content()).containsExactly(NEW + 1, OLD);
    }

    @Test
    void cancelledBetweenTwoVolumesTellsThatTheyAreOfTwoTimes() throws Exception {
        var id = dieBetween();

        try (var writer = opened(SECOND)) {
            site.control.recover();
            awaitWaiting(id);
            site.control.operations().cancel(id);

            assertThat(ended(id).state()).isEqualTo(Operation.State.FAILED);
        }

        assertThat(get(id).problemJson().orElseThrow())
                .contains("/partly-rolled-back", "[memory:orders] is rolled back and [memory:wal] not");
        assertThat(content()).containsExactly(OLD, NEW);
    }

    @Test
    void whatWasOpenedSinceAProcessDiedInItsRollbackIsNotRolledBackLater() throws Exception {
        var id = die(Moment.ROLLBACK_MEMBER_DONE);

        try (var writer = opened(FIRST)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {NEW + 1}));
            writer.flush();
            site.control.recover();

            assertThat(ended(id).state()).isEqualTo(Operation.State.FAILED);
        }

        assertThat(get(id).problemJson().orElseThrow()).contains("/rollback-unknown", "memory:orders");
        assertThat(content()).containsExactly(NEW + 1, NEW);
    }

    @Test
    void whatNobodyHasOpenedSinceIsRolledBackOnceMore() throws Exception {
        var id = die(Moment.ROLLBACK_MEMBER_DONE);

        site.control.recover();

        assertThat(ended(id).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(content()).containsExactly(OLD, OLD);
    }
}
