package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.fakecloud.gce.FakeGceSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Disks of a consistency group are cut at one instant, and what it made becomes snapshots afterwards. */
@SuppressWarnings("NullAway.Init") // Each test starts the project that it needs.
class GceGroupsTest {
    private static final RecoveryPointId FIRST = new RecoveryPointId("rp-1");

    private GceProject project;
    private GceProvider provider;
    private FakeDisk one;
    private FakeDisk two;

    private void start(FakeGceSettings settings) throws Exception {
        project = new GceProject(settings);
        provider = project.open();
        one = project.disk("data");
        two = project.disk("log");
        project.cloud().createConsistencyGroup("europe-west3", "both", List.of(one, two));
    }

    @AfterEach
    void everyCallWasCheckedAndNoneWasWrong() {
        project.everyCallIsChecked();
        project.close();
    }

    private List<VolumeId> both() {
        return List.of(GceProject.volume(one), GceProject.volume(two));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void groupIsCutAtOneInstantAndBecomesSnapshots(boolean groupTakesMembers) throws Exception {
        start(FakeGceSettings.defaults()
                .operations(Duration.ofSeconds(3))
                .takes(Duration.ofMinutes(30))
                .groupTakesMembers(groupTakesMembers));
        one.write(0, new byte[] {1});
        two.write(0, new byte[] {1});
        assertThat(provider.forecast(both()).atomic()).isTrue();
        var cut = provider.cut(new CutRequest(FIRST, both()));
        one.write(0, new byte[] {2});
        two.write(0, new byte[] {2});

        assertThat(cut.atomic()).isTrue();
        assertThat(project.cloud().snapshots()).isEmpty();
        assertThat(provider.snapshots(SnapshotQuery.ofRecoveryPoint(FIRST)).snapshots())
                .hasSize(2);
        var id = new SnapshotId(both().getFirst(), FIRST);
        // Another process goes on with it.
        var next = project.open();
        assertThat(next.readiness(id)).isInstanceOf(Readiness.Pending.class);
        project.cloud().clock().advance(Duration.ofMinutes(30));
        assertThat(next.readiness(id)).isInstanceOf(Readiness.Ready.class);
        assertThat(next.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(2);
        assertThat(project.cloud().instantSnapshots()).isEmpty();
        assertThat(project.cloud().groups()).isEmpty();
        assertThat(project.cloud().snapshots())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.read(0, 1)).containsExactly(1));
    }

    @Test
    void partOfAGroupIsCutOneAfterTheOtherAndSaidToBe() throws Exception {
        start(FakeGceSettings.defaults());
        var three = project.disk("other");
        var asked = List.of(GceProject.volume(one), GceProject.volume(three));

        assertThat(provider.forecast(asked).atomic()).isFalse();
        assertThat(provider.cut(new CutRequest(FIRST, asked)).atomic()).isFalse();
        assertThat(provider.forecast(List.of(GceProject.volume(one))).atomic()).isTrue();
        assertThat(project.cloud().groups()).isEmpty();
    }

    @Test
    void groupThatAThirdDiskHasJoinedIsNotTakenForItsParts() throws Exception {
        start(FakeGceSettings.defaults());
        var three = project.cloud().createDisk(GceProject.ZONE, "third", 10, Map.of("hidden", "yes"));
        project.cloud().createConsistencyGroup("europe-west3", "all", List.of(one, two, three));

        // "both" has just the two, "all" one more.
        provider.cut(new CutRequest(FIRST, both()));
        assertThat(project.cloud().instantSnapshots())
                .extracting(FakeGceSnapshot::sourceDisk)
                .noneMatch(each -> each.endsWith("third"));
    }

    @Test
    void deletionTakesTheInstantsToo() throws Exception {
        start(FakeGceSettings.defaults().takes(Duration.ofMinutes(30)));
        provider.cut(new CutRequest(FIRST, both()));
        provider.snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().snapshots()).hasSize(2);
        for (int round = 0; round < 6; round++) {
            for (var volume : both()) {
                provider.delete(new SnapshotId(volume, FIRST));
            }
            project.cloud().clock().advance(Duration.ofMinutes(3));
        }

        assertThat(provider.delete(new SnapshotId(both().getFirst(), FIRST))).isInstanceOf(Step.Done.class);
        assertThat(project.cloud().snapshots()).isEmpty();
        assertThat(project.cloud().instantSnapshots()).isEmpty();
        assertThat(project.cloud().groups()).isEmpty();
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
    }

    @Test
    void groupWhoseAnswerIsLostIsOneGroup() throws Exception {
        start(FakeGceSettings.defaults());
        project.cloud()
                .faults(FaultScript.none()
                        .on("instantSnapshotGroups.insert", 1, Fault.CUT_AFTER)
                        .on("instantSnapshotGroups.get", 1, Fault.THROTTLE));
        provider.cut(new CutRequest(FIRST, both()));
        provider.cut(new CutRequest(FIRST, both()));

        assertThat(project.cloud().groups()).hasSize(1);
        assertThat(project.cloud().instantSnapshots()).hasSize(2);
    }

    private SnapshotId cutBoth() throws Exception {
        provider.cut(new CutRequest(FIRST, both()));
        return new SnapshotId(both().getFirst(), FIRST);
    }

    private ProviderError failureOf(SnapshotId id) throws Exception {
        var readiness = provider.readiness(id);
        assertThat(readiness).isInstanceOf(Readiness.Failed.class);
        return ((Readiness.Failed) readiness).error();
    }

    @Test
    void whatMayNotBeMadeIsSaidToFailAndIsMadeOnceItMay() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cutBoth();
        project.cloud().deny("compute.snapshots.create");
        assertThat(failureOf(id)).isInstanceOf(ProviderError.Denied.class);
        assertThat(failureOf(id).message()).contains("compute.snapshots.create");
        assertThatThrownBy(() -> provider.hold(id, new HoldOwner("op-1")))
                .hasMessageContaining("compute.snapshots.create");

        project.cloud().allow("compute.snapshots.create");
        provider.snapshots(SnapshotQuery.everything());
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Ready.class);
    }

    @Test
    void whatIsRefusedForAWhileIsNotSaidToFail() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cutBoth();
        var faults = FaultScript.none();
        for (int call = 1; call <= 2 * Attempts.COUNT_MAXIMUM; call++) {
            faults.on("snapshots.insert", call, call % 2 == 0 ? Fault.THROTTLE : Fault.CUT_BEFORE);
        }
        project.cloud().faults(faults);
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Pending.class);
        provider.snapshots(SnapshotQuery.everything());
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Ready.class);
    }

    /** Every other of the fake's failures leaves a snapshot that is FAILED, the others an operation with an error. */
    @Test
    void uploadThatFailsIsSaidToFailAndIsMadeAgain() throws Exception {
        start(FakeGceSettings.defaults());
        one.write(0, new byte[] {1});
        two.write(0, new byte[] {1});
        cutBoth();
        project.cloud()
                .faults(FaultScript.none()
                        .on("snapshots.insert", 1, Fault.END_IN_ERROR)
                        .on("snapshots.insert", 2, Fault.END_IN_ERROR));
        provider.snapshots(SnapshotQuery.everything());
        var failures = new ArrayList<Class<?>>();
        for (var volume : both()) {
            failures.add(failureOf(new SnapshotId(volume, FIRST)).getClass());
        }
        assertThat(failures).containsExactlyInAnyOrder(ProviderError.Unexpected.class, ProviderError.Corrupt.class);
        for (int look = 0; look < 3; look++) {
            provider.snapshots(SnapshotQuery.everything());
        }

        for (var volume : both()) {
            assertThat(provider.readiness(new SnapshotId(volume, FIRST))).isInstanceOf(Readiness.Ready.class);
        }
        assertThat(project.cloud().groups()).isEmpty();
        assertThat(project.cloud().snapshots())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.read(0, 1)).containsExactly(1));
    }

    @Test
    void failedSnapshotThatIsHeldStays() throws Exception {
        start(FakeGceSettings.defaults().takes(Duration.ofMinutes(30)));
        var id = cutBoth();
        provider.snapshots(SnapshotQuery.everything());
        provider.hold(id, new HoldOwner("op-1"));
        project.cloud().snapshots().forEach(project.cloud()::fail);
        for (int look = 0; look < 3; look++) {
            assertThat(failureOf(id)).isInstanceOf(ProviderError.Corrupt.class);
        }
        assertThat(provider.snapshots(SnapshotQuery.ofVolume(id.volume())).snapshots())
                .hasSize(1);
        provider.release(id, new HoldOwner("op-1"));
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Pending.class);
    }

    @Test
    void instantThatHasFailedIsSaidToFail() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cutBoth();
        project.cloud().instantSnapshots().stream()
                .filter(each -> each.sourceDisk().endsWith(one.name()))
                .forEach(project.cloud()::fail);
        assertThat(failureOf(id)).isInstanceOf(ProviderError.Corrupt.class);
        assertThat(provider.readiness(new SnapshotId(both().getLast(), FIRST))).isInstanceOf(Readiness.Ready.class);
        assertThat(project.cloud().groups()).hasSize(1);
    }

    private List<String> disksWithSnapshots() {
        return project.cloud().snapshots().stream()
                .map(FakeGceSnapshot::sourceDisk)
                .map(GceAnswers::lastOf)
                .toList();
    }

    /** What a list lacks may be there: its group, deleted, would take it along. */
    @Test
    void listThatLacksMembersEndsNoGroup() throws Exception {
        start(FakeGceSettings.defaults());
        one.write(0, new byte[] {1});
        two.write(0, new byte[] {1});
        var id = cutBoth();
        project.cloud().hide("instantSnapshots", "", 1);
        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        assertThat(project.cloud().groups()).hasSize(1);

        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().snapshots())
                .singleElement()
                .satisfies(each -> assertThat(each.read(0, 1)).containsExactly(1));
    }

    @Test
    void memberThatIsSeenLateIsMadeASnapshotToo() throws Exception {
        start(FakeGceSettings.defaults());
        one.write(0, new byte[] {1});
        two.write(0, new byte[] {1});
        cutBoth();
        project.cloud().hide("instantSnapshots", "/disks/log", 2);
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(disksWithSnapshots()).containsExactly("data");
        assertThat(project.cloud().groups()).hasSize(1);

        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(disksWithSnapshots()).containsExactlyInAnyOrder("data", "log");
        project.cloud().clock().advance(Duration.ofMinutes(11));
        provider.snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().groups()).isEmpty();
    }

    @Test
    void whatIsBeingDeletedIsNotMadeAgainByWhoLists() throws Exception {
        start(FakeGceSettings.defaults().operations(Duration.ofSeconds(3)).takes(Duration.ofMinutes(30)));
        var id = cutBoth();
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(disksWithSnapshots()).containsExactlyInAnyOrder("data", "log");
        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        provider.snapshots(SnapshotQuery.everything());
        assertThat(disksWithSnapshots()).containsExactly("log");
    }

    @Test
    void instantThatIsNoSnapshotYetIsDeletedAtOnce() throws Exception {
        start(FakeGceSettings.defaults());
        var id = cutBoth();
        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        assertThat(project.cloud().instantSnapshots())
                .extracting(FakeGceSnapshot::sourceDisk)
                .allMatch(each -> each.endsWith("/log"));
        // Another process knows nothing of the deletion.
        project.open().snapshots(SnapshotQuery.everything());
        assertThat(disksWithSnapshots()).containsExactly("log");
    }

    @Test
    void listOfARecoveryPointThatMayBeUndoneStartsNoUpload() throws Exception {
        start(FakeGceSettings.defaults());
        cutBoth();
        assertThat(provider.snapshots(SnapshotQuery.ofRecoveryPoint(FIRST)).snapshots())
                .hasSize(2);
        assertThat(project.cloud().snapshots()).isEmpty();
    }

    @Test
    void groupWhoseMembersAreGoneIsEndedByWhoLooksLater() throws Exception {
        start(FakeGceSettings.defaults());
        cutBoth();
        var faults = FaultScript.none();
        for (int call = 1; call <= Attempts.COUNT_MAXIMUM; call++) {
            faults.on("instantSnapshotGroups.delete", call, Fault.CUT_BEFORE);
        }
        project.cloud().faults(faults);
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().instantSnapshots()).isEmpty();
        provider.snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().groups()).as("its members may yet be seen").hasSize(1);

        project.cloud().clock().advance(Duration.ofMinutes(11));
        project.open().snapshots(SnapshotQuery.everything());
        assertThat(project.cloud().groups()).isEmpty();
        assertThat(disksWithSnapshots()).containsExactlyInAnyOrder("data", "log");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void cutThatIsAskedForAgainAnswersWhatThereIs(int looks) throws Exception {
        start(FakeGceSettings.defaults());
        var request = new CutRequest(FIRST, both());
        one.write(0, new byte[] {1});
        two.write(0, new byte[] {1});
        provider.cut(request);
        // None: instants alone; one: snapshots beside them; two: the group has ended.
        for (int look = 0; look < looks; look++) {
            provider.snapshots(SnapshotQuery.everything());
        }
        one.write(0, new byte[] {2});
        two.write(0, new byte[] {2});
        provider.prepare(request);
        var again = provider.cut(request);

        assertThat(again.atomic()).isEqualTo(looks < 2);
        assertThat(again.members()).hasSize(2).allSatisfy(each -> {
            assertThat(each.startedNanos()).isZero();
            assertThat(each.finishedNanos()).isZero();
        });
        for (int look = looks; look < 2; look++) {
            provider.snapshots(SnapshotQuery.everything());
        }
        assertThat(project.cloud().groups()).isEmpty();
        assertThat(project.cloud().instantSnapshots()).isEmpty();
        assertThat(project.cloud().snapshots())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.read(0, 1)).containsExactly(1));
    }

    @Test
    void cutThatIsAskedForAgainCutsOnlyWhatLacksOne() throws Exception {
        start(FakeGceSettings.defaults());
        var three = GceProject.volume(project.disk("other"));
        var first = both().getFirst();
        provider.cut(new CutRequest(FIRST, List.of(first)));
        var again = provider.cut(new CutRequest(FIRST, List.of(first, three)));

        assertThat(again.atomic()).isFalse();
        assertThat(again.members().getFirst().startedNanos()).isZero();
        assertThat(again.members().getLast().startedNanos()).isPositive();
        assertThat(disksWithSnapshots()).containsExactlyInAnyOrder("data", "other");
    }
}
