package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.site.TestSite;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What failed operations made is found though it is seen late, and though the storage refuses for a while. */
@Timeout(60)
class LateSweepTest {
    private static final GroupId ORDERS = new GroupId("orders");
    private static final VolumeId VOLUME = TestSite.volume("orders");
    private static final ProviderError AWAY = new ProviderError.Unreachable("the cloud", "it does not answer");

    @TempDir
    Path folder;

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-27T12:00:00Z"));
    private TestSite site;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder, now::get, new OperationSettings(8, Duration.ofSeconds(20)), Observer.NONE)
                .recovered();
        site.addGroup(ORDERS.value(), "orders");
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private void lookAfter(Duration pause) throws Exception {
        now.updateAndGet(time -> time.plus(pause));
        site.control.lateSweep().look();
    }

    /** A failed recovery point whose snapshot is still there. */
    private RecoveryPointId failed() throws Exception {
        site.taker.failAfterCut = true;
        site.taker.failUndo = true;
        var started = site.control.points().create().start(ORDERS, site.intent());
        assertThat(site.awaitEnd(started.id()).state()).isEqualTo(Operation.State.FAILED);
        site.taker.failAfterCut = false;
        site.taker.failUndo = false;
        return only();
    }

    private RecoveryPointId only() throws Exception {
        var snapshots = site.providers.of(VOLUME).snapshots(SnapshotQuery.everything());
        assertThat(snapshots.snapshots()).hasSize(1);
        return snapshots.snapshots().getFirst().id().recoveryPoint();
    }

    private RecoveryPointId taken() throws Exception {
        var started = site.control.points().create().start(ORDERS, site.intent());
        assertThat(site.awaitEnd(started.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        return site.control
                .inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 1)
                .items()
                .getFirst()
                .id();
    }

    @Test
    void whatAFailedOperationLeftIsDeletedAMinuteLater() throws Exception {
        failed();

        lookAfter(Duration.ofSeconds(30));
        assertThat(site.snapshotCount()).isEqualTo(1);
        lookAfter(Duration.ofSeconds(30));

        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void whatIsSeenOnlyLaterIsDeletedByALaterLook() throws Exception {
        var id = failed();
        lookAfter(Duration.ofMinutes(1));
        assertThat(site.snapshotCount()).isZero();

        site.providers.of(VOLUME).cut(new CutRequest(id, List.of(VOLUME)));
        lookAfter(Duration.ofMinutes(3));
        assertThat(site.snapshotCount()).as("no look was due").isEqualTo(1);
        lookAfter(Duration.ofMinutes(1));

        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void aStorageThatDoesNotAnswerIsAskedUntilItDoes() throws Exception {
        failed();
        site.refusal = Optional.of(AWAY);
        lookAfter(Duration.ofHours(2));
        lookAfter(Duration.ofHours(2));
        site.refusal = Optional.empty();
        assertThat(site.snapshotCount()).isEqualTo(1);

        lookAfter(Duration.ofMinutes(9));
        assertThat(site.snapshotCount()).as("it is asked every 10 minutes").isEqualTo(1);
        lookAfter(Duration.ofMinutes(1));

        assertThat(site.snapshotCount()).isZero();
    }

    /** Somebody has copied it before its recovery point was deleted; that its maker failed afterwards is no reason. */
    @Test
    void aCopyThatCarriesTheIdOfAFailedOperationStays() throws Exception {
        var id = failed();
        var copy = site.addVolume("copy");
        site.providers.of(copy).cut(new CutRequest(id, List.of(copy)));

        lookAfter(Duration.ofHours(1));

        assertThat(only()).isEqualTo(id);
        assertThat(site.providers
                        .of(copy)
                        .snapshots(SnapshotQuery.ofVolume(copy))
                        .snapshots())
                .hasSize(1);
    }

    @Test
    void whatWasRecordedAndWhatNobodyAskedForStays() throws Exception {
        var failed = failed();
        taken();
        var snapshot = site.control.volumes().takeSnapshot().start(VOLUME, site.intent());
        assertThat(site.awaitEnd(snapshot.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        site.providers.of(VOLUME).cut(new CutRequest(new RecoveryPointId("rp-foreign"), List.of(VOLUME)));
        assertThat(site.snapshotCount()).isEqualTo(4);

        lookAfter(Duration.ofHours(1));

        assertThat(site.snapshotCount()).isEqualTo(3);
        assertThat(site.providers
                        .of(VOLUME)
                        .snapshots(SnapshotQuery.ofRecoveryPoint(failed))
                        .snapshots())
                .isEmpty();
    }

    @Test
    void aDeletionThatTheStorageRefusedIsFinishedLater() throws Exception {
        var point = taken();
        site.refusal = Optional.of(new ProviderError.Busy("orders", "a copy", Duration.ofSeconds(1)));
        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("a copy");
        lookAfter(Duration.ofMinutes(10));
        site.refusal = Optional.empty();
        assertThat(site.snapshotCount()).isEqualTo(1);

        lookAfter(Duration.ofMinutes(10));

        assertThat(site.snapshotCount()).isZero();
        assertThat(site.store.recoveryPoints().deleting()).isEmpty();
    }

    /** It may be half deleted: it is not shown as a whole one again because its storage is away at a later try. */
    @Test
    void aDeletionThatIsBegunIsNotTakenBackByALaterTry() throws Exception {
        var point = taken();
        site.refusal = Optional.of(new ProviderError.Busy("orders", "a copy", Duration.ofSeconds(1)));
        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("a copy");
        site.refusal = Optional.of(AWAY);

        lookAfter(Duration.ofMinutes(10));
        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("the cloud");

        assertThat(site.store.recoveryPoints().find(point)).isEmpty();
        assertThat(site.store.recoveryPoints().deleting()).hasSize(1);
    }

    @Test
    void aDeletionThatIsRefusedAtOnceIsTakenBack() throws Exception {
        var point = taken();
        site.refusal = Optional.of(new ProviderError.Conflict("orders", "an image uses it"));

        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("an image");

        assertThat(site.store.recoveryPoints().find(point)).isPresent();
        assertThat(site.store.recoveryPoints().deleting()).isEmpty();
    }

    @Test
    void aDeletionThatWasNotAnsweredMayHaveBeenDoneAndGoesOn() throws Exception {
        var point = taken();
        site.refusal = Optional.of(AWAY);
        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("the cloud");

        assertThatThrownBy(() -> site.control.inventory().recoveryPointOrItsDeletion(point))
                .isInstanceOfSatisfying(
                        ControlException.class,
                        e -> assertThat(e.error()).isInstanceOf(ControlError.BeingDeleted.class))
                .hasMessageContaining("is being deleted");
        site.refusal = Optional.empty();
        lookAfter(Duration.ofMinutes(10));

        assertThat(site.snapshotCount()).isZero();
        assertThatThrownBy(() -> site.control.inventory().recoveryPointOrItsDeletion(point))
                .hasMessageContaining("does not exist");
    }

    /** That it is under way was told: what its storage says afterwards is no sign that nothing is deleted. */
    @Test
    void aDeletionThatWasUnderWayIsNotTakenBack() throws Exception {
        var point = taken();
        site.refusalAfterAStep = Optional.of(new ProviderError.Conflict("orders", "a lock of just now"));

        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("a lock");

        assertThat(site.store.recoveryPoints().find(point)).isEmpty();
        site.refusalAfterAStep = Optional.empty();
        lookAfter(Duration.ofMinutes(10));
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void aDeletionForWhichARightIsLackingIsTakenBack() throws Exception {
        var point = taken();
        site.refusal = Optional.of(new ProviderError.Denied("orders", "the right to delete"));

        assertThatThrownBy(() -> site.control.points().delete().delete(point)).hasMessageContaining("the right to");

        assertThat(site.store.recoveryPoints().find(point)).isPresent();
        assertThat(site.store.recoveryPoints().deleting()).isEmpty();
    }

    /** Some storage goes on with what it has cut when it is asked, and only then. */
    @Test
    void newRecoveryPointsAreLookedAtUntilTheyCanBeRead() throws Exception {
        taken();
        site.looksUntilReadable.set(2);

        for (int look = 0; look < 3; look++) {
            assertThat(site.looksUntilReadable.get()).isEqualTo(2 - look);
            lookAfter(Duration.ofMinutes(2));
        }
        lookAfter(Duration.ofMinutes(20));

        assertThat(site.looksUntilReadable.get())
                .as("what can be read is not looked at again")
                .isEqualTo(-1);
    }

    @Test
    void whatWaitingDoesNotHelpIsSaidAsAnErrorAndLookedAtAgain() throws Exception {
        var logger = (Logger) LoggerFactory.getLogger(NewPoints.class);
        var said = new ListAppender<ILoggingEvent>();
        said.start();
        logger.addAppender(said);
        var snapshot = new SnapshotId(VOLUME, taken());
        try {
            site.unreadable = Optional.of(AWAY);
            lookAfter(Duration.ofMinutes(1));
            assertThat(errors(said)).isEmpty();
            site.unreadable = Optional.of(new ProviderError.SnapshotNotFound(snapshot));
            lookAfter(Duration.ofMinutes(10));
            assertThat(errors(said)).singleElement().asString().contains(snapshot + " does not exist");
            site.unreadable = Optional.empty();
            site.looksUntilReadable.set(1);
            lookAfter(Duration.ofMinutes(10));
            assertThat(site.looksUntilReadable.get()).isZero();
            assertThat(errors(said)).hasSize(1);
        } finally {
            logger.detachAppender(said);
        }
    }

    private static List<String> errors(ListAppender<ILoggingEvent> said) {
        return said.list.stream()
                .filter(each -> each.getLevel() == Level.ERROR)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Test
    void theNextProcessGoesOnLooking() throws Exception {
        var id = failed();
        lookAfter(Duration.ofMinutes(1));
        site = site.reborn();
        site.control.recover();
        site.providers.of(VOLUME).cut(new CutRequest(id, List.of(VOLUME)));

        lookAfter(Duration.ofMinutes(1));

        assertThat(site.snapshotCount()).isZero();
    }
}
