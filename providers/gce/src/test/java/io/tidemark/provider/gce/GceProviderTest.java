package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.api.client.http.javanet.NetHttpTransport;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGce;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.fakecloud.gce.GceLimits;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the provider does with a project that does as it is asked, and with one that does not. */
class GceProviderTest {
    private static final RecoveryPointId FIRST = new RecoveryPointId("rp-1");
    private static final HoldOwner LINK = new HoldOwner("link-1");

    private GceProject project = projectOf(FakeGceSettings.defaults());
    private GceProvider provider = project.open();

    private static GceProject projectOf(FakeGceSettings settings) {
        try {
            return new GceProject(settings);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void restart(FakeGceSettings settings) {
        project.close();
        project = projectOf(settings);
        provider = project.open();
    }

    @AfterEach
    void everyCallWasCheckedAndNoneWasWrong() {
        project.everyCallIsChecked();
        project.close();
    }

    private SnapshotId cut(FakeDisk disk, RecoveryPointId recoveryPoint) throws ProviderException {
        var volume = GceProject.volume(disk);
        provider.cut(new CutRequest(recoveryPoint, List.of(volume)));
        return new SnapshotId(volume, recoveryPoint);
    }

    private static ProviderError errorOf(ThrowingCallable call) {
        try {
            call.call();
        } catch (ProviderException e) {
            return e.error();
        } catch (Throwable e) {
            throw new AssertionError("no error of a provider", e);
        }
        throw new AssertionError("nothing was thrown");
    }

    @Test
    void volumesAreTheDisksOfTheConfiguredPlaces() throws Exception {
        project.disk("orders");
        project.cloud().createDisk(GceProject.REGION, "twice", 20, Map.of());
        project.cloud().createDisk("zones/us-east1-b", "far", 20, Map.of());

        assertThat(provider.volumes())
                .extracting(each -> each.id().toString())
                .containsExactly("gce:europe-west3-a/orders", "gce:europe-west3/twice");
        var volume = provider.volume(VolumeId.of("gce", "europe-west3-a/orders"));
        assertThat(volume.sizeBytes()).isEqualTo(10L << 30);
        assertThat(volume.can(Capability.RANDOM_READ)).isFalse();
        assertThat(volume.can(Capability.CHANGED_RANGES)).isFalse();
        assertThat(volume.facts().get("changedRanges")).contains("the setting helper");
        assertThat(errorOf(() -> provider.volume(VolumeId.of("gce", "us-east1-b/far"))))
                .isInstanceOf(ProviderError.VolumeNotFound.class);
    }

    @Test
    void cutWaitsUntilTheContentIsFixedAndNoLonger() throws Exception {
        restart(FakeGceSettings.defaults().creating(Duration.ofSeconds(7)).takes(Duration.ofHours(1)));
        var disk = project.disk("orders");
        disk.write(0, new byte[] {1});
        var begun = project.cloud().clock().instant();
        var id = cut(disk, FIRST);
        disk.write(0, new byte[] {2});

        assertThat(Duration.between(begun, project.cloud().clock().instant()))
                .isBetween(Duration.ofSeconds(7), Duration.ofSeconds(9));
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Pending.class);
        project.cloud().clock().advance(Duration.ofHours(1));
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Ready.class);
        assertThat(project.cloud().snapshots().getFirst().read(0, 1)).containsExactly(1);
    }

    @Test
    void cutThatGoogleDoesNotFixInTimeIsBusyAndItsSnapshotCanBeDeleted() throws Exception {
        restart(FakeGceSettings.defaults().creating(Duration.ofSeconds(45)));
        var disk = project.disk("orders");

        assertThat(errorOf(() -> cut(disk, FIRST))).isInstanceOf(ProviderError.Busy.class);
        var id = new SnapshotId(GceProject.volume(disk), FIRST);
        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        project.cloud().clock().advance(Duration.ofMinutes(1));
        assertThat(provider.delete(id)).isInstanceOf(Step.Done.class);
        assertThat(project.cloud().snapshots()).isEmpty();
    }

    @Test
    void cutOfWhatDoesNotAnswerEndsInTime() throws Exception {
        var one = project.disk("orders");
        var two = project.disk("log");
        project.cloud().createConsistencyGroup("europe-west3", "both", List.of(one, two));
        var lost = FaultScript.none();
        for (int attempt = 1; attempt <= 100; attempt++) {
            lost.on("snapshots.insert", attempt, Fault.ERROR_BEFORE);
            lost.on("instantSnapshotGroups.insert", attempt, Fault.ERROR_BEFORE);
        }
        project.cloud().faults(lost);
        var clock = project.cloud().clock();
        var call = Duration.ofSeconds(10);
        for (var disks : List.of(List.of(one), List.of(one, two))) {
            var request =
                    new CutRequest(FIRST, disks.stream().map(GceProject::volume).toList());
            provider.prepare(request);
            project.cloud().beforeAnswer(number -> clock.advance(call));
            var begun = clock.instant();
            assertThat(errorOf(() -> provider.cut(request))).isInstanceOf(ProviderError.Unreachable.class);
            assertThat(Duration.between(begun, clock.instant())).isLessThan(GceWaiting.CUT_MAXIMUM.plus(call));
            project.cloud().beforeAnswer(number -> {});
        }
    }

    @Test
    void whatWasNotAnsweredMayYetAppearThoughTheLastAttemptWasRefused() throws Exception {
        var disk = project.disk("orders");
        var lost = FaultScript.none().on("snapshots.insert", 1, Fault.CUT_BEFORE);
        for (int attempt = 2; attempt <= 100; attempt++) {
            lost.on("snapshots.insert", attempt, Fault.THROTTLE);
        }
        project.cloud().clock().advance(Duration.ofMinutes(11));
        project.cloud().faults(lost);
        assertThat(errorOf(() -> cut(disk, FIRST))).isInstanceOf(ProviderError.Busy.class);

        var id = new SnapshotId(GceProject.volume(disk), FIRST);
        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        project.cloud().clock().advance(Duration.ofMinutes(11));
        assertThat(provider.delete(id)).isInstanceOf(Step.Done.class);
    }

    @Test
    void whatIsNotSeenMayYetAppearAndIsNotSaidToBeDeleted() throws Exception {
        var disk = project.disk("orders");
        var lost = FaultScript.none();
        for (int attempt = 1; attempt <= 100; attempt++) {
            lost.on("snapshots.insert", attempt, Fault.CUT_BEFORE);
        }
        project.cloud().clock().advance(Duration.ofMinutes(11));
        var id = new SnapshotId(GceProject.volume(disk), FIRST);
        assertThat(provider.delete(id)).isInstanceOf(Step.Done.class);
        project.cloud().faults(lost);
        assertThat(errorOf(() -> cut(disk, FIRST))).isInstanceOf(ProviderError.Unreachable.class);

        var begun = (Step.Running<Boolean>) provider.delete(id);
        // The next process knows it from the handle, and of its own start.
        assertThat(project.open().resume(begun.handle())).isInstanceOf(Step.Running.class);
        project.cloud().clock().advance(Duration.ofMinutes(11));
        assertThat(provider.resume(begun.handle())).isInstanceOf(Step.Done.class);
        assertThat(provider.delete(id)).isInstanceOf(Step.Done.class);
    }

    @Test
    void cutAskedForTwiceIsOneSnapshot() throws Exception {
        var disk = project.disk("orders");
        project.cloud().faults(FaultScript.none().on("snapshots.insert", 1, Fault.CUT_AFTER));
        cut(disk, FIRST);
        cut(disk, FIRST);

        assertThat(project.cloud().snapshots()).hasSize(1);
        assertThat(project.cloud().snapshots().getFirst().labels())
                .containsEntry("tidemark_installation", "tests")
                .containsEntry("tidemark_recovery_point", "rp-1")
                .containsEntry("tidemark_volume", "europe-west3-a_2forders");
    }

    @Test
    void workThatIsDoneWithAnErrorIsNoSnapshot() {
        restart(FakeGceSettings.defaults().limits(GceLimits.published()));
        var disk = project.disk("orders");
        for (int count = 0; count < 6; count++) {
            var each = new RecoveryPointId("rp-" + count);
            assertThat(errorOf(() -> {
                        cut(disk, each);
                        throw new ProviderException(new ProviderError.VolumeNotFound(GceProject.volume(disk)));
                    }))
                    .isInstanceOf(ProviderError.VolumeNotFound.class);
        }
        var error = errorOf(() -> cut(disk, new RecoveryPointId("rp-7")));

        assertThat(error)
                .isInstanceOfSatisfying(
                        ProviderError.Busy.class,
                        busy -> assertThat(busy.retryAfter()).isEqualTo(Duration.ofMinutes(10)));
        assertThat(project.cloud().snapshots()).hasSize(6);
    }

    @Test
    void heldSnapshotIsNotDeleted() throws Exception {
        var id = cut(project.disk("orders"), FIRST);
        provider.hold(id, LINK);
        provider.hold(id, LINK);
        provider.hold(id, new HoldOwner("a".repeat(64)));

        assertThat(errorOf(() -> provider.delete(id)))
                .isEqualTo(new ProviderError.Held(id, java.util.Set.of(LINK, new HoldOwner("a".repeat(64)))));
        provider.release(id, LINK);
        provider.release(id, new HoldOwner("a".repeat(64)));
        provider.release(id, LINK);
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
    }

    @Test
    void holdGoesOnWhereSomebodyHasChangedTheLabelsMeanwhile() throws Exception {
        var id = cut(project.disk("orders"), FIRST);
        var other = project.open();
        var once = new AtomicBoolean();
        project.cloud().beforeAnswer(call -> {
            if (once.compareAndSet(false, true)) {
                assertThat(errorOf(() -> {
                            other.hold(id, new HoldOwner("other"));
                            throw new ProviderException(new ProviderError.SnapshotNotFound(id));
                        }))
                        .isInstanceOf(ProviderError.SnapshotNotFound.class);
            }
        });
        provider.hold(id, LINK);

        assertThat(GceNames.holdsIn(project.cloud().snapshots().getFirst().labels()))
                .containsExactlyInAnyOrder(LINK, new HoldOwner("other"));
    }

    @Test
    void cloneIsLongWorkThatAnotherProcessGoesOnWith() throws Exception {
        restart(FakeGceSettings.defaults().operations(Duration.ofMinutes(2)));
        var disk = project.disk("orders");
        disk.write(4096, new byte[] {7});
        var id = cut(disk, FIRST);
        for (var name : List.of("europe-west3-a/copy", "Orders_of.Monday", "europe-west3-a/other-copy")) {
            var request = new CloneRequest(id, VolumeId.of("gce", name));
            var begun = (Step.Running<Volume>) provider.clone(request);
            assertThat(project.open().resume(begun.handle())).isInstanceOf(Step.Running.class);
            project.cloud().clock().advance(Duration.ofMinutes(2));
            var done = (Step.Done<?>) project.open().resume(begun.handle());

            assertThat(((Volume) done.result()).id()).isEqualTo(request.name());
            assertThat(provider.clone(request)).isInstanceOf(Step.Done.class);
            assertThat(provider.volume(request.name()).id()).isEqualTo(request.name());
        }
        assertThat(project.cloud().disks())
                .hasSize(4)
                .allSatisfy(each -> assertThat(each.read(4096, 1)).containsExactly(7));
        var taken = VolumeId.of("gce", "europe-west3-a/orders");
        assertThat(errorOf(() -> provider.clone(new CloneRequest(id, taken))))
                .isEqualTo(new ProviderError.VolumeExists(taken));
    }

    /** Its caller hears of it at once; asked again a minute later the same work goes on. */
    @Test
    void cloneThatEndedForWantOfQuotaIsBegunAgainAMinuteLater() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults().operations(Duration.ofSeconds(5)))) {
            var provider = project.open();
            var id = new SnapshotId(GceProject.volume(project.disk("orders")), new RecoveryPointId("rp-1"));
            project.cloud().clock().advance(Duration.ofMinutes(1));
            provider.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
            project.cloud().endInError("disks.insert", 1, "QUOTA_EXCEEDED");
            var begun = (Step.Running<Volume>)
                    provider.clone(new CloneRequest(id, VolumeId.of("gce", "europe-west3-a/copy")));

            project.cloud().clock().advance(Duration.ofSeconds(5));
            assertThat(errorOf(() -> provider.resume(begun.handle()))).isInstanceOf(ProviderError.Busy.class);
            project.cloud().clock().advance(Duration.ofMinutes(1));
            var again = (Step.Running<?>) provider.resume(begun.handle());
            project.cloud().clock().advance(Duration.ofSeconds(5));
            assertThat(provider.resume(again.handle())).isInstanceOf(Step.Done.class);
            project.everyCallIsChecked();
        }
    }

    @Test
    void cloneThatGoogleGivesUpIsToldOfByItsOperation() throws Exception {
        restart(FakeGceSettings.defaults().operations(Duration.ofMinutes(2)));
        var id = cut(project.disk("orders"), FIRST);
        project.cloud().faults(FaultScript.none().on("disks.insert", 1, Fault.END_IN_ERROR));
        var begun =
                (Step.Running<Volume>) provider.clone(new CloneRequest(id, VolumeId.of("gce", "europe-west3-a/copy")));
        project.cloud().clock().advance(Duration.ofMinutes(2));

        assertThat(errorOf(() -> provider.resume(begun.handle()))).isInstanceOf(ProviderError.Unexpected.class);
        assertThat(project.cloud().disks()).hasSize(1);
    }

    @Test
    void onlyWhatWeMadeIsRemoved() throws Exception {
        var disk = project.disk("orders");
        var id = cut(disk, FIRST);
        var copy = VolumeId.of("gce", "europe-west3-a/copy");
        provider.clone(new CloneRequest(id, copy));

        assertThat(errorOf(() -> provider.remove(GceProject.volume(disk)))).isInstanceOf(ProviderError.Conflict.class);
        project.cloud().attach(project.cloud().disks().getFirst(), "web-1");
        assertThat(errorOf(() -> provider.remove(copy)))
                .isInstanceOfSatisfying(
                        ProviderError.Busy.class,
                        busy -> assertThat(busy.holder()).contains("web-1"));
        assertThat(project.cloud().disks()).hasSize(2);
    }

    @Test
    void snapshotOfOursNameWithoutOurLabelsIsNeitherListedNorDeleted() {
        var disk = project.disk("orders");
        var id = new SnapshotId(GceProject.volume(disk), FIRST);
        project.cloud().createSnapshot(disk, GceNames.snapshotOf("tests", id), Map.of("team", "a"));

        assertThat(errorOf(() -> provider.delete(id))).isInstanceOf(ProviderError.Conflict.class);
        assertThat(errorOf(() -> cut(disk, FIRST))).isInstanceOf(ProviderError.Conflict.class);
        assertThat(project.cloud().snapshots()).hasSize(1);
    }

    @Test
    void whatLacksARightIsDenied() {
        var disk = project.disk("orders");
        project.cloud().deny("compute.disks.createSnapshot");

        assertThat(errorOf(() -> cut(disk, FIRST)))
                .isInstanceOfSatisfying(
                        ProviderError.Denied.class,
                        denied -> assertThat(denied.right()).contains("compute.disks.createSnapshot"));
    }

    @Test
    void kindOfSnapshotIsAsTheSettingsSayOfARegionalDiskToo() throws Exception {
        var disk = project.cloud().createDisk(GceProject.REGION, "twice", 20, Map.of());
        var settings = new HashMap<>(GceProject.settings());
        settings.put("snapshotType", "archive");
        settings.put("storageLocation", "eu");
        settings.put("guestFlush", "true");
        provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
        cut(disk, FIRST);

        assertThat(project.cloud().snapshots()).singleElement().satisfies(each -> {
            assertThat(each.type()).isEqualTo("ARCHIVE");
            assertThat(each.guestFlush()).isTrue();
            assertThat(each.sourceDisk()).contains("/regions/europe-west3/disks/twice");
        });
    }

    @Test
    void withoutCredentialsNothingIsAskedFor() {
        var disk = project.disk("orders");
        var without = new GceProvider(
                GceProject.config(),
                new GceConnection(() -> {
                    throw new IOException("no default credentials");
                }),
                new Attempts(new Random(1), pause -> {}),
                project.cloud().clock(),
                new GceWaiting(pause -> {}, System::nanoTime),
                Runnable::run);

        assertThat(errorOf(() -> without.prepare(new CutRequest(FIRST, List.of(GceProject.volume(disk))))))
                .isInstanceOf(ProviderError.Denied.class);
        assertThat(project.cloud().calls()).isEmpty();
    }

    @Test
    void whatIsAbsentIsSaidToBe() {
        var id = new SnapshotId(VolumeId.of("gce", "europe-west3-a/orders"), FIRST);

        assertThatThrownBy(() -> provider.read(id)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> provider.changedRanges(id, id)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void listSurvivesEmptyPagesAndExpiredTokens() throws Exception {
        project.cloud().fill("europe-west3-a", 1_200, 0, Map.of());
        project.cloud()
                .faults(FaultScript.none()
                        .on("disks.aggregatedList", 2, Fault.EMPTY_PAGE)
                        .on("disks.aggregatedList", 3, Fault.EXPIRE_TOKEN));

        assertThat(provider.volumes()).hasSize(1_200);
    }

    @Test
    void tenThousandDisksAndAHundredThousandSnapshotsAreListedInAsManyCallsAsPages() throws Exception {
        project.cloud().fill("europe-west3-a", 10_000, 0, Map.of());
        var place = new GceLocation("europe-west3-a");
        for (var disk : project.cloud().disks()) {
            for (int count = 0; count < 10; count++) {
                var id = new SnapshotId(GceProject.volume(disk), new RecoveryPointId("rp-" + count));
                project.cloud()
                        .createSnapshot(disk, GceNames.snapshotOf("tests", id), GceNames.labelsOf("tests", id, place));
            }
        }
        long begun = System.nanoTime();
        assertThat(provider.volumes()).hasSize(10_000);
        int listed = 0;
        var query = SnapshotQuery.everything();
        var page = provider.snapshots(query);
        listed += page.snapshots().size();
        while (page.nextCursor().isPresent()) {
            page = provider.snapshots(query.after(page.nextCursor().get()));
            listed += page.snapshots().size();
        }
        long calls = project.cloud().calls().values().stream()
                .mapToLong(each -> each.seen())
                .sum();

        System.out.printf("inventory: %d calls, %d ms%n", calls, (System.nanoTime() - begun) / 1_000_000);
        assertThat(listed).isEqualTo(100_000);
        assertThat(calls).isLessThanOrEqualTo((10_000 + 100_000) / GceCalls.PAGE * 12 / 10);
    }

    @Test
    void providersOfOneProjectSeeTheSnapshotsOfTheirOwnPlaces() throws Exception {
        cut(project.disk("orders"), FIRST);
        var settings = new HashMap<>(GceProject.settings());
        settings.put("locations.0", "us-east1-b");
        settings.put("locations.1", "us-east1");
        var other = project.open(GceConfig.of("gce", settings), new AtomicBoolean());

        assertThat(other.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(Snapshot::id)
                .extracting(SnapshotId::toString)
                .containsExactly("gce:europe-west3-a/orders@rp-1");
    }

    @Test
    void sameOverSockets() throws Exception {
        try (var cloud = FakeGce.start()) {
            var disk = cloud.createDisk(GceProject.ZONE, "orders", 10, Map.of());
            var clients = new GceClients(cloud.endpoint(), new NetHttpTransport(), Optional.empty());
            var over = new GceProvider(
                    GceProject.config(),
                    new GceConnection(() -> clients),
                    new Attempts(new Random(1), pause -> {}),
                    cloud.clock(),
                    new GceWaiting(pause -> {}, System::nanoTime),
                    Runnable::run);
            cloud.faults(FaultScript.none()
                    .on("snapshots.insert", 1, Fault.CUT_AFTER)
                    .on("snapshots.get", 1, Fault.THROTTLE));
            over.cut(new CutRequest(FIRST, List.of(GceProject.volume(disk))));

            assertThat(cloud.snapshots()).hasSize(1);
            assertThat(cloud.violations()).isEmpty();
            over.close();
        }
    }
}
