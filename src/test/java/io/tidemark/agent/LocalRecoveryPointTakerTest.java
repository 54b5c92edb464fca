package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.consistency.attestation.TestKey;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocalRecoveryPointTakerTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final VolumeId LOGS = new VolumeId("other:logs");
    private static final SigningKey KEY = TestKey.make();
    private static final Duration LIMIT = Duration.ofSeconds(2);

    private final FakeHost host = new FakeHost();
    private final List<Moment> moments = new ArrayList<>();
    private Moments onMoment = moments::add;

    @BeforeEach
    void twoVolumesOfTwoProvidersBothMounted() {
        host.volume("image:orders", "/orders");
        host.volume("other:logs", "/logs");
    }

    private LocalRecoveryPointTaker taker() {
        return new LocalRecoveryPointTaker(
                host.providers("image", "other"),
                new Quiescers(List.of(host)),
                host,
                new HostIdentity("host", "boot"),
                KEY,
                InstantSource.fixed(Instant.EPOCH),
                moment -> onMoment.reached(moment));
    }

    private static ConsistencyGroup group(Consistency required, boolean freezeFileSystems, String... databases) {
        return new ConsistencyGroup(
                new GroupId("shop"),
                List.of(ORDERS, LOGS),
                List.of(databases).stream()
                        .map(name -> new QuiescerSpec("database", Map.of("name", name)))
                        .toList(),
                freezeFileSystems,
                LIMIT,
                required);
    }

    private RecoveryPoint take(ConsistencyGroup group) throws ConsistencyException {
        var taker = taker();
        return taker.take(taker.plan(POINT, group), ProgressListener.NONE);
    }

    private void nothingIsLeft() {
        assertThat(host.frozen).isEmpty();
        assertThat(host.snapshots).isEmpty();
    }

    @Test
    void applicationsAreFrozenBeforeFileSystemsAndThawedAfterThem() throws Exception {
        var point = take(group(Consistency.APPLICATION, true, "one", "two"));

        assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
        assertThat(host.events)
                .containsExactly(
                        "arm /orders,/logs",
                        "freeze one",
                        "freeze two",
                        "flush",
                        "prepare image",
                        "prepare other",
                        "hold one",
                        "hold two",
                        "freeze /orders,/logs",
                        "cut image",
                        "cut other",
                        "ask /orders,/logs",
                        "thaw /orders,/logs",
                        "ask two",
                        "thaw two",
                        "ask one",
                        "thaw one",
                        "disarm");
        assertThat(moments)
                .containsExactly(
                        Moment.RECOVERY_POINT_PLANNED,
                        Moment.GUARD_ARMED,
                        Moment.DATABASE_FROZEN,
                        Moment.DATABASE_FROZEN,
                        Moment.WRITTEN_OUT,
                        Moment.DATABASE_HELD,
                        Moment.FILE_SYSTEM_FROZEN,
                        Moment.SNAPSHOT_CUT,
                        Moment.FREEZES_ASKED,
                        Moment.THAWED);
        assertThat(host.frozen).isEmpty();
    }

    @Test
    void recoveryPointKeepsMembersCertificateAndEvidence() throws Exception {
        var point = take(group(Consistency.APPLICATION, true, "one"));

        assertThat(point.members())
                .extracting(RecoveryPoint.Member::snapshot)
                .containsExactly(new SnapshotId(ORDERS, POINT), new SnapshotId(LOGS, POINT));
        assertThat(point.certificate().reasons()).isEmpty();
        assertThat(point.certificate().everyCutLiesInsideEveryFreeze()).isTrue();
        assertThat(point.evidence()).containsOnlyKeys("backup_label");
        assertThat(point.receivedOver()).isEmpty();
        var statement = Attestation.open(point.attestation().orElseThrow()).statement();
        assertThat(statement.point().certificate()).isEqualTo(point.certificate());
        assertThat(statement.verdict().consistency()).isEqualTo(Consistency.APPLICATION);
    }

    @Test
    void evidenceOfTwoDatabasesIsToldApart() throws Exception {
        var point = take(group(Consistency.APPLICATION, true, "one", "two"));

        assertThat(point.evidence()).containsOnlyKeys("database one/backup_label", "database two/backup_label");
    }

    @Test
    void dryRunChangesNothing() throws Exception {
        var plan = taker().plan(POINT, group(Consistency.APPLICATION, true, "one"));

        assertThat(plan.expected()).isEqualTo(Consistency.APPLICATION);
        assertThat(plan.fileSystems()).containsExactly("/orders", "/logs");
        assertThat(plan.steps()).anyMatch(step -> step.contains("freeze database one"));
        assertThat(plan.warnings()).isEmpty();
        assertThat(host.events).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "arm",
                "freeze one",
                "freeze two",
                "flush",
                "hold one",
                "hold two",
                "freeze",
                "cut image:orders",
                "cut other:logs"
            })
    void failureAtAnyStepLeavesNothingFrozenAndNoSnapshot(String step) {
        var plan = planned(group(Consistency.CRASH, true, "one", "two"));
        host.failing.add(step);

        assertThatThrownBy(() -> taker().take(plan, ProgressListener.NONE)).isInstanceOf(ConsistencyException.class);

        nothingIsLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"arm", "freeze one", "freeze two", "flush", "hold two", "freeze"})
    void bugAtAnyStepLeavesNothingFrozenAndNoSnapshot(String step) {
        var plan = planned(group(Consistency.CRASH, true, "one", "two"));
        host.failing.add("bug in " + step);

        assertThatThrownBy(() -> taker().take(plan, ProgressListener.NONE)).isInstanceOf(IllegalStateException.class);

        nothingIsLeft();
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {
                "RECOVERY_POINT_PLANNED",
                "GUARD_ARMED",
                "DATABASE_FROZEN",
                "WRITTEN_OUT",
                "DATABASE_HELD",
                "FILE_SYSTEM_FROZEN",
                "SNAPSHOT_CUT",
                "FREEZES_ASKED",
                "THAWED"
            })
    void failureAtAnyMomentLeavesNothingFrozenAndNoSnapshot(Moment failing) {
        onMoment = moment -> {
            if (moment == failing) {
                throw new IllegalStateException("told to fail at " + moment);
            }
        };

        assertThatThrownBy(() -> take(group(Consistency.CRASH, true, "one")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(failing.name());

        nothingIsLeft();
    }

    @Test
    void writersAreNotHeldWhereNothingOfTheLimitWouldBeLeftForTheCut() {
        host.holdTakes = LIMIT.dividedBy(2).plusMillis(1);

        assertThatThrownBy(() -> take(group(Consistency.CRASH, true, "one")))
                .hasMessageContaining("database one could not be frozen")
                .hasMessageContaining("more than half of the freeze limit");

        nothingIsLeft();
        assertThat(host.events).doesNotContain("freeze /orders,/logs");
    }

    @Test
    void whatWouldNotFitTheFreezeIsCutUnfrozenWhereTheGroupAllowsIt() throws Exception {
        host.flushTakes = LIMIT.dividedBy(4).plusMillis(1);

        var point = take(group(Consistency.CRASH, true, "one"));

        assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(point.certificate().reasons().getFirst())
                .contains("more than a quarter of the freeze limit of 2000 ms; file systems were not frozen");
        assertThat(host.events)
                .contains("freeze one", "cut image", "thaw one", "disarm")
                .doesNotContain("freeze /orders,/logs");
        assertThat(host.frozen).isEmpty();
    }

    @Test
    void whatWouldNotFitTheFreezeIsRefusedWhereTheGroupWantsMore() {
        host.flushTakes = LIMIT.dividedBy(4).plusMillis(1);

        assertThatThrownBy(() -> take(group(Consistency.FILESYSTEM, true, "one")))
                .isInstanceOfSatisfying(
                        ConsistencyException.class,
                        e -> assertThat(e.error()).isInstanceOf(ConsistencyError.WriteOutTooLong.class));

        assertThat(host.events).doesNotContain("cut image", "freeze /orders,/logs");
        nothingIsLeft();
    }

    private io.tidemark.consistency.RecoveryPointPlan planned(ConsistencyGroup group) {
        try {
            return taker().plan(POINT, group);
        } catch (ConsistencyException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void fileSystemThatDidNotHoldIsRecordedAsCrashWhereTheGroupAllowsIt() throws Exception {
        host.notHolding.add("/logs");

        var point = take(group(Consistency.CRASH, true, "one"));

        assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(point.certificate().reasons()).anyMatch(reason -> reason.contains("did not hold"));
        assertThat(host.snapshots).hasSize(2);
    }

    @Test
    void recoveryPointThatAchievesLessThanRequiredIsDeletedAgain() {
        host.notHolding.add("one");

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> take(group(Consistency.APPLICATION, true, "one")));

        assertThat(thrown.error())
                .isInstanceOfSatisfying(
                        ConsistencyError.NotAchieved.class,
                        error -> assertThat(error.achieved()).contains(Consistency.FILESYSTEM));
        nothingIsLeft();
    }

    @Test
    void fileSystemMountedWhileWeWereAtItCountsAsNotFrozen() throws Exception {
        onMoment = moment -> {
            if (moment == Moment.SNAPSHOT_CUT) {
                host.mounts.put(ORDERS, List.of(Path.of("/orders"), Path.of("/surprise")));
            }
        };

        var point = take(group(Consistency.CRASH, true, "one"));

        assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(point.certificate().reasons()).anyMatch(reason -> reason.contains("/surprise"));
    }

    @Test
    void volumeThatIsNotMountedIsCrashAndSaysWhy() throws Exception {
        host.volume("other:logs");

        var plan = taker().plan(POINT, group(Consistency.CRASH, true, "one"));

        assertThat(plan.expected()).isEqualTo(Consistency.CRASH);
        assertThat(plan.warnings()).anyMatch(warning -> warning.contains("nothing is mounted from volume other:logs"));
    }

    @Test
    void withoutTheNativeGuardNoFileSystemIsFrozenAndThePlanSaysWhy() throws Exception {
        host.unavailable = Optional.of("no C compiler at build time");

        var plan = taker().plan(POINT, group(Consistency.CRASH, true, "one"));
        var point = taker().take(plan, ProgressListener.NONE);

        assertThat(plan.fileSystems()).isEmpty();
        assertThat(plan.warnings()).anyMatch(warning -> warning.contains("no C compiler"));
        assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(host.events).noneMatch(event -> event.startsWith("arm"));
    }

    @Test
    void requirementThatCannotBeReachedIsRefusedBeforeAnythingIsFrozen() {
        host.unavailable = Optional.of("no C compiler at build time");

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> taker().plan(POINT, group(Consistency.FILESYSTEM, true, "one")));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.NotAchievable.class);
        assertThat(host.events).isEmpty();
    }

    @Test
    void databaseThatCannotBeReachedIsLeftOutWhereTheGroupAllowsIt() throws Exception {
        host.failing.add("check one");

        var point = take(group(Consistency.FILESYSTEM, true, "one", "two"));

        assertThat(point.consistency()).isEqualTo(Consistency.FILESYSTEM);
        assertThat(point.certificate().reasons()).containsExactly("database one was not frozen");
        assertThat(host.events).doesNotContain("freeze one").contains("freeze two");
    }

    @Test
    void cutPredictedLongerThanTheLimitIsRefusedBeforeAnythingIsFrozen() {
        host.predicted = LIMIT;

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> taker().plan(POINT, group(Consistency.FILESYSTEM, true)));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.CutTooLong.class);
    }

    @Test
    void cutPredictedLongerThanTheLimitIsTakenUnfrozenWhereCrashIsEnough() throws Exception {
        host.predicted = LIMIT;

        var point = take(group(Consistency.CRASH, true));

        assertThat(point.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(host.events).noneMatch(event -> event.startsWith("freeze"));
    }

    @Test
    void copyOfAMountedVolumeLongerThanTheLimitIsRefusedWhateverTheGroupAllows() {
        host.predicted = LIMIT;
        host.copying.add("image");

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> taker().plan(POINT, group(Consistency.CRASH, true)));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.CutTooLong.class);
    }

    @Test
    void copyOfAMountedVolumeIsRefusedWhereTheGroupDoesNotFreeze() {
        host.copying.add("image");

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> taker().plan(POINT, group(Consistency.CRASH, false)));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.FreezeFailed.class);
    }

    @Test
    void copyWhoseFreezeDidNotHoldIsNotEvenCrashAndIsDeletedAgain() {
        host.copying.add("image");
        host.notHolding.add("/orders");

        var thrown = catchThrowableOfType(ConsistencyException.class, () -> take(group(Consistency.CRASH, true)));

        assertThat(thrown.error())
                .isInstanceOfSatisfying(
                        ConsistencyError.NotAchieved.class,
                        error -> assertThat(error.achieved()).isEmpty());
        nothingIsLeft();
    }

    @Test
    void copyOfAVolumeWithNothingMountedIsTaken() throws Exception {
        host.volume("image:orders");
        host.copying.add("image");

        assertThat(take(group(Consistency.CRASH, true)).consistency()).isEqualTo(Consistency.CRASH);
    }

    @Test
    void fileSystemWeStandOnIsRefused() {
        host.failing.add("stand");

        var thrown = catchThrowableOfType(
                ConsistencyException.class, () -> taker().plan(POINT, group(Consistency.CRASH, true)));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.StandsOnIt.class);
    }

    @Test
    void unknownVolumeAndUnknownQuiescerAreRefused() {
        var unknownQuiescer = new ConsistencyGroup(
                new GroupId("shop"),
                List.of(ORDERS),
                List.of(new QuiescerSpec("oracle", Map.of())),
                true,
                LIMIT,
                Consistency.CRASH);
        assertThatThrownBy(() -> taker().plan(POINT, unknownQuiescer))
                .hasMessage("quiescer kind oracle is not known, known are database");

        host.mounts.remove(LOGS);
        assertThatThrownBy(() -> taker().plan(POINT, group(Consistency.CRASH, true)))
                .hasMessage("volume other:logs of the group does not exist");
    }

    @Test
    void cancelledBeforeTheFreezeLeavesNothing() {
        var plan = planned(group(Consistency.CRASH, true, "one"));
        var listener = new ProgressListener() {
            @Override
            public void progress(Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return host.events.contains("flush");
            }
        };

        var thrown = catchThrowableOfType(ConsistencyException.class, () -> taker().take(plan, listener));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.Cancelled.class);
        assertThat(host.events).doesNotContain("cut image");
        nothingIsLeft();
    }

    @Test
    void undoDeletesTheSnapshotsOfThatRecoveryPointOnEveryProviderOnly() throws Exception {
        var other = new SnapshotId(ORDERS, new RecoveryPointId("rp-2"));
        host.snapshots.addAll(List.of(new SnapshotId(ORDERS, POINT), new SnapshotId(LOGS, POINT), other));

        taker().undo(POINT);
        taker().undo(POINT);

        assertThat(host.snapshots).containsExactly(other);
    }

    @Test
    void undoGoesOnAfterAFailureAndReportsIt() {
        host.snapshots.addAll(List.of(new SnapshotId(ORDERS, POINT), new SnapshotId(LOGS, POINT)));
        host.failing.add("delete image:orders");

        var thrown = catchThrowableOfType(ConsistencyException.class, () -> taker().undo(POINT));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.Storage.class);
        assertThat(host.snapshots).containsExactly(new SnapshotId(ORDERS, POINT));
    }
}
