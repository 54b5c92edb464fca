package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.TestSite;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that dies at a step, and what the next one makes of it. */
class RestartTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ReplicationLink link;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        var group = site.addGroup("orders", "orders", "wal");
        site.store.catalog().savePeer(new Peer(new PeerId("site-b"), "127.0.0.1:1", "a".repeat(64), Instant.EPOCH));
        link = site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("site-b"),
                                group.id(),
                                group.volumes().getFirst(),
                                TestSite.volume("copy"),
                                Optional.empty()),
                        site.intent());
    }

    @AfterEach
    void stop() {
        site.close();
    }

    @FunctionalInterface
    private interface Start {
        Operation with(Intent intent) throws Exception;
    }

    /** Starts it on a thread that may never come back, waits for the death, and begins the next life. */
    private OperationId dieAt(Moment moment, Start start) throws Exception {
        site.dieAt(moment);
        var intent = site.intent();
        Thread.ofVirtual().start(() -> {
            try {
                start.with(intent);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();
        site = site.reborn();
        site.control.recover();
        return intent.operation();
    }

    private RecoveryPointId takePoint() throws Exception {
        var group = site.store.groups().page(Optional.empty(), 1).items().getFirst();
        var started = site.control.points().create().start(group.id(), site.intent());
        site.awaitEnd(started.id());
        return site.control
                .inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 1)
                .items()
                .getFirst()
                .id();
    }

    @ParameterizedTest
    @EnumSource(names = {"OPERATION_RECORDED", "SNAPSHOT_CUT"})
    void aRecoveryPointThatWasNotRecordedIsUndone(Moment moment) throws Exception {
        var operation = dieAt(moment, intent -> site.control.points().create().start(link.group(), intent));

        var ended = site.control.operations().get(operation);
        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.problemJson().orElseThrow()).contains("/interrupted");
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void aRecoveryPointThatWasRecordedStandsAndItsOperationSucceeds() throws Exception {
        var operation = dieAt(
                Moment.RECOVERY_POINT_RECORDED,
                intent -> site.control.points().create().start(link.group(), intent));

        var ended = site.control.operations().get(operation);
        assertThat(ended.state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(ended.resultJson().orElseThrow()).contains("certificate");
        assertThat(site.snapshotCount()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(names = {"OPERATION_RECORDED", "SNAPSHOT_CUT"})
    void aSnapshotIsTakenOnceHoweverOftenTheProcessDies(Moment moment) throws Exception {
        var operation =
                dieAt(moment, intent -> site.control.volumes().takeSnapshot().start(link.localVolume(), intent));

        assertThat(site.awaitEnd(operation).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.snapshotCount()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"OPERATION_RECORDED", "SYNC_PARTLY_SENT", "SYNC_ACKNOWLEDGED"})
    void aSynchronisationRunsAgainUntilTheLinkIsInStep(Moment moment) throws Exception {
        var point = takePoint();

        var operation = dieAt(moment, intent -> site.control.links().sync().start(link.id(), Optional.empty(), intent));

        assertThat(site.awaitEnd(operation).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.control.inventory().link(link.id()).inStep()).contains(point);
        assertThat(site.replicator.sent).containsExactly(point);
    }

    @Test
    void aVerificationRunsAgain() throws Exception {
        var point = takePoint();

        var operation = dieAt(
                Moment.OPERATION_RECORDED,
                intent -> site.control.links().verify().start(link.id(), Optional.of(point), intent));

        assertThat(site.awaitEnd(operation).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void aCloneIsMadeByTheNextLife() throws Exception {
        var point = takePoint();

        var operation = dieAt(
                Moment.OPERATION_RECORDED,
                intent -> site.control
                        .points()
                        .cloneMember()
                        .start(point, link.localVolume(), TestSite.volume("drill"), intent));

        assertThat(site.awaitEnd(operation).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.control.inventory().volume(TestSite.volume("drill")).sizeBytes())
                .isEqualTo(1 << 20);
    }

    @Test
    void aRollbackIsDoneByTheNextLife() throws Exception {
        var point = takePoint();

        var operation = dieAt(
                Moment.OPERATION_RECORDED,
                intent -> site.control.points().rollback().start(point, WhenOpen.REFUSE, intent));

        assertThat(site.awaitEnd(operation).state()).isEqualTo(Operation.State.SUCCEEDED);
    }

    @Test
    void aRollbackGoesOnBehindTheMemberItHadReached() throws Exception {
        var point = takePoint();
        var group = site.store.groups().page(Optional.empty(), 1).items().getFirst();
        site.dieAt(Moment.OPERATION_RECORDED);
        var intent = site.intent();
        Thread.ofVirtual().start(() -> {
            try {
                site.control.points().rollback().start(point, WhenOpen.REFUSE, intent);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();
        var recorded = site.store.operations().find(intent.operation()).orElseThrow();
        site.store.operations().update(reached(recorded, "rolled-back-1"));
        for (var volume : group.volumes()) {
            try (var writer = site.providers.of(volume).write(volume)) {
                writer.write(0, ByteBuffer.allocateDirect(4_096).put(0, (byte) 7));
                writer.flush();
            }
        }

        site = site.reborn();
        site.control.recover();

        assertThat(site.awaitEnd(intent.operation()).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(firstByte(group.volumes().get(0))).isEqualTo((byte) 7);
        assertThat(firstByte(group.volumes().get(1))).isZero();
    }

    private static Operation reached(Operation operation, String step) {
        return new Operation(
                operation.id(),
                operation.kind(),
                operation.subject(),
                Operation.State.RUNNING,
                operation.requestJson(),
                step,
                operation.progress(),
                Optional.empty(),
                Optional.empty(),
                operation.createdAt(),
                operation.updatedAt());
    }

    private byte firstByte(VolumeId volume) throws Exception {
        var buffer = ByteBuffer.allocateDirect(4_096);
        try (var writer = site.providers.of(volume).write(volume)) {
            writer.read(0, buffer);
        }
        return buffer.get(0);
    }

    @Test
    void aDeletionThatFailedHalfWayMayBeAskedForAgain() throws Exception {
        var point = takePoint();
        site.store.recoveryPoints().markDeleting(point, true);

        site.control.points().delete().delete(point);

        assertThat(site.store.recoveryPoints().knows(point)).isFalse();
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void aDeletionThatWasBegunIsFinished() throws Exception {
        var point = takePoint();
        site.store.recoveryPoints().markDeleting(point, true);

        site = site.reborn();
        site.control.recover();

        assertThat(site.store.recoveryPoints().knows(point)).isFalse();
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void aRepeatedRequestAfterTheDeathDoesNotActTwice() throws Exception {
        site.dieAt(Moment.OPERATION_RECORDED);
        Thread.ofVirtual().start(() -> {
            try {
                site.control.idempotentRequests().once(Optional.of("key-1"), "hash", false, this::takeSnapshot);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();
        site = site.reborn();
        site.control.recover();

        var answer = site.control.idempotentRequests().once(Optional.of("key-1"), "hash", false, this::takeSnapshot);

        site.awaitEnd(new OperationId(answer));
        assertThat(site.control
                        .inventory()
                        .operations(Optional.empty(), Optional.empty(), Optional.empty(), 10)
                        .items())
                .hasSize(1);
        assertThat(site.snapshotCount()).isEqualTo(1);
    }

    private String takeSnapshot(Intent intent) throws Exception {
        return site.control
                .volumes()
                .takeSnapshot()
                .start(link.localVolume(), intent)
                .id()
                .value();
    }

    @Test
    void leftoversOfAFailedOperationAreSweptButWhatNobodyKnowsIsKept() throws Exception {
        site.taker.failUndo = true;
        site.taker.failAfterCut = true;
        var started = site.control.points().create().start(link.group(), site.intent());
        assertThat(site.awaitEnd(started.id()).state()).isEqualTo(Operation.State.FAILED);
        assertThat(site.snapshotCount()).isEqualTo(2);
        var stranger = new RecoveryPointId("rp-stranger");
        site.providers.of(link.localVolume()).cut(new CutRequest(stranger, List.of(link.localVolume())));

        site = site.reborn();
        site.control.recover();

        assertThat(site.snapshotCount()).isEqualTo(1);
        assertThat(site.control.inventory().snapshot(new SnapshotId(link.localVolume(), stranger)))
                .isNotNull();
    }
}
