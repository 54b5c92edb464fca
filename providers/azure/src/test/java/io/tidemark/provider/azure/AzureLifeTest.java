package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AzureLifeTest {
    private final FakeAzure cloud = FakeAzure.start(FakeAzureSettings.defaults().withPages(2));
    private final AzureProvider provider = AzureAccount.open(cloud, Map.of("otherGroups.0", "Other"));

    @AfterEach
    void close() {
        provider.close();
        AzureAccount.everyCallIsChecked(cloud);
        assertThat(cloud.earlyCalls()).as("calls before their time").isZero();
        cloud.close();
    }

    @Test
    void disksOfTwoGroupsAreToldApart() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "Data", 1);
        var other = cloud.createDisk("OTHER", "data", 2);
        cloud.createDisk("unseen", "data", 1);
        cloud.createDisk(AzureAccount.GROUP, "north", 1, "Premium_LRS", "northeurope");

        assertThat(provider.volumes()).extracting(Volume::id).containsExactly(id("data"), id("other/data"));
        assertThat(provider.volume(id("other/data")).facts())
                .containsEntry("cloudId", other.id.toLowerCase(java.util.Locale.ROOT));
        cut("rp-1", id("data"), id("other/data"));
        assertThat(cloud.snapshots())
                .extracting(each -> each.group.toLowerCase(java.util.Locale.ROOT))
                .containsExactly("disks", "other");
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.id().volume())
                .containsExactly(id("data"), id("other/data"));
    }

    /** A name that no id of ours can have is told by a digest of it, and found by that. */
    @Test
    void aDiskWithAnOddNameIsAVolumeToo() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "_odd", 1);

        var volume = provider.volumes().getFirst();

        assertThat(volume.id().name()).matches("disk-[0-9a-f]{16}");
        var id = cut("rp-1", volume.id());
        assertThat(provider.snapshots(SnapshotQuery.ofVolume(volume.id())).snapshots())
                .extracting(each -> each.id())
                .containsExactly(id);
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
        assertThat(cloud.snapshots()).isEmpty();
    }

    @Test
    void emptyPagesAreNotTheLast() throws Exception {
        for (int count = 0; count < 7; count++) {
            cloud.createDisk(AzureAccount.GROUP, "d" + count, 1);
        }
        cloud.faults(FaultScript.none()
                .on("Disks_ListByResourceGroup", 1, Fault.EMPTY_PAGE)
                .on("Disks_ListByResourceGroup", 3, Fault.EXPIRE_TOKEN)
                .on("Disks_ListByResourceGroup", 5, Fault.EMPTY_PAGE));

        assertThat(provider.volumes()).hasSize(7);
    }

    @Test
    void heldIsNotDeleted() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        provider.hold(id, new HoldOwner("link-1"));
        provider.hold(id, new HoldOwner("me"));
        provider.hold(id, new HoldOwner("me"));

        assertRefused(() -> provider.delete(id), ProviderError.Held.class, "link-1");
        provider.release(id, new HoldOwner("link-1"));
        assertRefused(() -> provider.delete(id), ProviderError.Held.class, "me");
        provider.release(id, new HoldOwner("me"));
        assertThat(cloud.snapshots().getFirst().tags()).hasSize(3);
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        assertRefused(() -> provider.hold(id, new HoldOwner("me")), ProviderError.SnapshotNotFound.class, "rp-1");
    }

    /** A hold that was granted is one that every deletion sees, also after a look at a copy that is behind. */
    @Test
    void aHoldIsGrantedWhenItIsSeen() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        cloud.lateTags(4);

        provider.hold(id, new HoldOwner("me"));

        assertRefused(() -> AzureAccount.open(cloud).delete(id), ProviderError.Held.class, "me");
        provider.release(id, new HoldOwner("me"));
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
    }

    @Test
    void aHoldThatIsNotSeenIsNotGranted() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        cloud.lateTags(1_000);

        assertRefused(() -> provider.hold(id, new HoldOwner("me")), ProviderError.Busy.class, "tags");
    }

    @Test
    void lockedStaysAndTheLockIsNamed() throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        var snapshot = cloud.snapshots().getFirst();
        cloud.lock(snapshot.id, "CanNotDelete");

        assertRefused(() -> provider.delete(id), ProviderError.Conflict.class, "ScopeLocked");
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(1);
        cloud.unlock(snapshot.id);
        cloud.lock(
                "/subscriptions/%s/resourceGroups/%s".formatted(cloud.settings().subscription(), disk.group),
                "ReadOnly");
        assertRefused(() -> cut("rp-2", id("data")), ProviderError.Conflict.class, "ScopeLocked");
        assertRefused(() -> provider.read(id), ProviderError.Conflict.class, "ScopeLocked");
    }

    /** Tags alone make nothing ours: a copy that somebody made with them has another name. */
    @Test
    void whatOnlyHasOurTagsIsNotOurs() throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        var copy = cloud.createSnapshot(
                disk, "by-hand", cloud.snapshots().getFirst().tags());

        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(1);
        provider.delete(id);
        assertThat(cloud.snapshots()).containsExactly(copy);
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
    }

    @Test
    void providersOfOneSubscriptionSeeTheSnapshotsOfTheirOwnRegions() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = cut("rp-1", id("data"));
        var north = AzureAccount.open(cloud, Map.of("location", "northeurope"));

        assertThat(north.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        // Its names say of which region they are: this is about none that is there.
        north.delete(id);
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.id())
                .containsExactly(id);
    }

    /** Somebody else's snapshot under the very name that ours would have is neither taken for ours nor changed. */
    @Test
    void anotherSnapshotOfOurNameIsAConflict() throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = new SnapshotId(id("data"), new RecoveryPointId("rp-1"));
        var name = AzureNames.snapshotName(AzureAccount.inProcess(cloud), id);
        var other = cloud.createSnapshot(disk, name, Map.of("owner", "them"));

        assertRefused(() -> cut("rp-1", id("data")), ProviderError.Conflict.class, "not ours");
        assertRefused(() -> provider.delete(id), ProviderError.Conflict.class, "not ours");
        assertThat(other.tags()).isEqualTo(Map.of("owner", "them"));
    }

    @Test
    void cloneIsMadeOnceAndRemoved() throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);
        disk.write(0, new byte[] {4});
        var snapshot = cut("rp-1", id("data"));
        var request = new CloneRequest(snapshot, id("other/copy"));

        var made = provider.clone(request);
        assertThat(provider.clone(request)).isEqualTo(made);

        assertThat(cloud.disks()).hasSize(2);
        var copy = cloud.disks().getLast();
        assertThat(copy.group).isEqualToIgnoringCase("other");
        assertThat(copy.read(0, 1)).containsExactly(4);
        assertThat(copy.sku).isEqualTo("Premium_LRS");
        assertRefused(
                () -> provider.clone(new CloneRequest(snapshot, id("data"))), ProviderError.VolumeExists.class, "data");
        assertRefused(
                () -> provider.clone(new CloneRequest(snapshot, id("Copy"))),
                ProviderError.Conflict.class,
                "lower case");
        assertRefused(() -> provider.remove(id("data")), ProviderError.Conflict.class, "not made by Tidemark");
        provider.remove(id("other/copy"));
        provider.remove(id("other/copy"));
        assertThat(cloud.disks()).containsExactly(disk);
    }

    @Test
    void longWorkGoesOnInTheNextProcess() throws Exception {
        try (var slow = FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(30), Duration.ZERO))) {
            slow.createDisk(AzureAccount.GROUP, "data", 1);
            var first = AzureAccount.open(slow);
            var snapshot = new SnapshotId(id("data"), new RecoveryPointId("rp-1"));
            first.cut(new CutRequest(snapshot.recoveryPoint(), List.of(snapshot.volume())));
            var running = (Step.Running<?>) first.clone(new CloneRequest(snapshot, id("copy")));

            var next = AzureAccount.open(slow);
            assertThat(next.resume(running.handle())).isInstanceOf(Step.Running.class);
            slow.clock().advance(Duration.ofMinutes(1));
            assertThat(next.resume(running.handle()))
                    .isInstanceOfSatisfying(
                            Step.Done.class,
                            done -> assertThat(((Volume) done.result()).id()).isEqualTo(id("copy")));
            next.remove(id("copy"));
            assertThat(slow.calls().get("Disks_Delete"))
                    .extracting(each -> each.seen())
                    .as("asked until it is at its end")
                    .isEqualTo(2L);
            var deletion = (Step.Running<?>) next.delete(snapshot);
            slow.clock().advance(Duration.ofMinutes(11));
            assertThat(AzureAccount.open(slow).resume(deletion.handle())).isInstanceOf(Step.class);
            assertThat(slow.snapshots()).isEmpty();
            AzureAccount.everyCallIsChecked(slow);
        }
    }

    /** Writers are held meanwhile: the time is that of the cut, not of each of its disks. */
    @Test
    void aCutThatTakesTooLongHasFailed() throws Exception {
        try (var slow = FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(45), Duration.ZERO))) {
            slow.createDisk(AzureAccount.GROUP, "data", 1);
            slow.createDisk(AzureAccount.GROUP, "more", 1);
            var cutting = AzureAccount.open(slow);
            var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(id("data"), id("more")));
            cutting.prepare(request);
            var before = slow.clock().instant();

            assertRefused(() -> cutting.cut(request), ProviderError.Busy.class, "60 s");

            assertThat(Duration.between(before, slow.clock().instant())).isEqualTo(CutDeadline.MAXIMUM);
        }
    }

    /** Of calls without an answer, too. */
    @Test
    void aCutThatIsNotAnsweredHasFailedInTime() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(id("data")));
        provider.prepare(request);
        cloud.faults(FaultScript.none().probability(Fault.CUT_BEFORE, 1));
        var before = cloud.clock().instant();

        assertRefused(() -> provider.cut(request), ProviderError.Unreachable.class, "");

        assertThat(Duration.between(before, cloud.clock().instant()))
                .isBetween(Duration.ofSeconds(50), CutDeadline.MAXIMUM);
        cloud.faults(FaultScript.none());
    }

    /** After a start, one that is not seen may be of the process before: that it is not found is no answer yet. */
    @Test
    void notSeenIsNotAbsent() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var id = new SnapshotId(id("data"), new RecoveryPointId("rp-1"));

        assertThat(provider.delete(id)).isInstanceOf(Step.Running.class);
        cloud.clock().advance(Duration.ofMinutes(11));
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
    }

    /** One whose creation ended as Failed is there, and of no use. */
    @Test
    void whatFailedIsMadeAnewWhenAskedForAgain() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        cloud.faults(FaultScript.none().on("Snapshots_CreateOrUpdate", 1, Fault.END_IN_ERROR));
        assertRefused(() -> cut("rp-1", id("data")), ProviderError.Unexpected.class, "Failed");

        var id = cut("rp-1", id("data"));

        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Ready.class);
        assertThat(cloud.snapshots()).hasSize(1);
    }

    /**
     * A call before the time that Azure named would make the wait begin anew; {@link #close} asserts that none came.
     */
    @Test
    void throttledIsWaitedForByAllCalls() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        cloud.faults(FaultScript.none()
                .on("Disks_Get", 1, Fault.THROTTLE)
                .on("Snapshots_CreateOrUpdate", 1, Fault.THROTTLE));
        var before = cloud.clock().instant();

        cut("rp-1", id("data"));

        assertThat(Duration.between(before, cloud.clock().instant())).isGreaterThanOrEqualTo(Duration.ofSeconds(4));
    }

    @Test
    void aMissingRightIsDenied() throws Exception {
        cloud.createDisk(AzureAccount.GROUP, "data", 1);
        cloud.deny("Snapshots_CreateOrUpdate");

        assertRefused(() -> cut("rp-1", id("data")), ProviderError.Denied.class, "AuthorizationFailed");
    }

    @Test
    void absentDisksAreNamed() throws Exception {
        assertRefused(() -> provider.volume(id("none")), ProviderError.VolumeNotFound.class, "azure:none");
        assertRefused(() -> provider.volume(id("unseen/none")), ProviderError.VolumeNotFound.class, "unseen");
        cloud.createDisk(AzureAccount.GROUP, "ultra", 1, "UltraSSD_LRS");
        assertThat(provider.volume(id("ultra")).can(Capability.CHANGED_RANGES)).isFalse();
    }

    private SnapshotId cut(String recoveryPoint, VolumeId... volumes) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId(recoveryPoint), List.of(volumes));
        provider.prepare(request);
        var cut = provider.cut(request);
        assertThat(cut.members()).hasSize(volumes.length);
        return cut.members().getFirst().snapshot().id();
    }

    private static VolumeId id(String name) {
        return AzureAccount.volume(name);
    }

    private static void assertRefused(ThrowingCallable call, Class<? extends ProviderError> as, String naming) {
        assertThatThrownBy(call).isInstanceOfSatisfying(ProviderException.class, e -> {
            assertThat(e.error()).isInstanceOf(as);
            assertThat(e.error().message()).contains(naming);
        });
    }
}
