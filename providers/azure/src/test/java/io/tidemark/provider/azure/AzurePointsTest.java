package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.fakecloud.azure.FakeDisk;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several disks of one machine at one instant, where Azure says so. */
class AzurePointsTest {
    private static final VolumeId LEFT = AzureAccount.volume("left");
    private static final VolumeId RIGHT = AzureAccount.volume("right");

    private final FakeAzure cloud = FakeAzure.start(FakeAzureSettings.defaults());
    private final AzureProvider provider = AzureAccount.open(cloud);
    private final List<FakeDisk> disks = new ArrayList<>(List.of(
            cloud.createDisk(AzureAccount.GROUP, "system", 1),
            cloud.createDisk(AzureAccount.GROUP, "left", 1),
            cloud.createDisk(AzureAccount.GROUP, "right", 2)));

    @AfterEach
    void close() {
        provider.close();
        assertThat(cloud.activeAccesses()).isZero();
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    @Test
    void disksOfOneMachineAreOneRestorePoint() throws Exception {
        machine("Standard_D4s_v5");
        disks.get(1).write(0, new byte[] {1});

        assertThat(provider.forecast(List.of(LEFT, RIGHT)).atomic()).isTrue();
        var cut = cut("rp-1", LEFT, RIGHT);

        assertThat(cut.atomic()).isTrue();
        assertThat(cloud.snapshots()).isEmpty();
        assertThat(cloud.collections()).hasSize(1);
        assertThat(cut("rp-1", LEFT, RIGHT).members())
                .extracting(each -> each.snapshot().id())
                .containsExactly(id(LEFT, "rp-1"), id(RIGHT, "rp-1"));
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.sizeBytes())
                .containsExactly(1L << 30, 2L << 30);
        assertThat(provider.readiness(id(LEFT, "rp-1"))).isInstanceOf(Readiness.Ready.class);
    }

    @Test
    void partsAreReadComparedAndCloned() throws Exception {
        machine("Standard_D4s_v5");
        disks.get(1).write(0, new byte[] {1});
        cut("rp-1", LEFT, RIGHT);
        disks.get(1).write(4096, new byte[] {2});
        cloud.clock().advance(Duration.ofMinutes(1));
        cut("rp-2", LEFT, RIGHT);

        try (var reader = provider.read(id(LEFT, "rp-2"));
                var changed = provider.changedRanges(id(LEFT, "rp-1"), id(LEFT, "rp-2"))) {
            var target = ByteBuffer.allocate(4097);
            reader.read(0, target);
            assertThat(target.get(0)).isEqualTo((byte) 1);
            assertThat(target.get(4096)).isEqualTo((byte) 2);
            assertThat(changed.next()).hasValue(new BlockRange(4096, 512));
            assertThat(changed.next()).isEmpty();
        }
        assertThat(provider.clone(new CloneRequest(id(LEFT, "rp-2"), AzureAccount.volume("copy"))))
                .isInstanceOf(Step.Done.class);
        assertThat(cloud.disks().getFirst().read(4096, 1)).containsExactly(2);
    }

    @Test
    void aRestorePointGoesWithItsLastDisk() throws Exception {
        machine("Standard_D4s_v5");
        cut("rp-1", LEFT, RIGHT);
        provider.hold(id(RIGHT, "rp-1"), new HoldOwner("link-1"));

        assertThat(provider.delete(id(LEFT, "rp-1"))).isEqualTo(new Step.Done<>(true));
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.id())
                .containsExactly(id(RIGHT, "rp-1"));
        assertThatThrownBy(() -> provider.delete(id(RIGHT, "rp-1")))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Held.class));
        provider.release(id(RIGHT, "rp-1"), new HoldOwner("link-1"));
        assertThat(provider.delete(id(RIGHT, "rp-1"))).isEqualTo(new Step.Done<>(true));
        assertThat(cloud.collections()).isEmpty();
    }

    /** What the service deletes is what is listed: so a restore point that came to nothing is, and only then. */
    @Test
    void whatAFailedCutLeavesIsListedAndDeleted() throws Exception {
        machine("Standard_D4s_v5");
        var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(LEFT, RIGHT));
        provider.prepare(request);
        assertThat(listed("rp-1")).as("under way").isEmpty();
        cloud.faults(FaultScript.none().on("RestorePoints_Create", 1, Fault.END_IN_ERROR));

        assertThatThrownBy(() -> provider.cut(request)).hasMessageContaining("ended as Failed");

        assertThat(listed("rp-1")).containsExactly(id(LEFT, "rp-1"), id(RIGHT, "rp-1"));
        assertThat(provider.delete(id(LEFT, "rp-1"))).isEqualTo(new Step.Done<>(true));
        assertThat(listed("rp-1")).isEmpty();
        assertThat(cloud.collections()).isEmpty();
    }

    @Test
    void whatWasPreparedAndAbandonedIsListedAfterAWhile() throws Exception {
        machine("Standard_D4s_v5");
        provider.prepare(new CutRequest(new RecoveryPointId("rp-1"), List.of(LEFT, RIGHT)));

        assertThat(listed("rp-1")).isEmpty();
        cloud.clock().advance(AzurePoints.UNDER_WAY_MAXIMUM);
        assertThat(listed("rp-1")).hasSize(2);
    }

    private List<SnapshotId> listed(String recoveryPoint) throws ProviderException {
        return provider
                .snapshots(SnapshotQuery.ofRecoveryPoint(new RecoveryPointId(recoveryPoint)))
                .snapshots()
                .stream()
                .map(each -> each.id())
                .toList();
    }

    /** Deleted is what is gone, not what Azure has begun to delete. */
    @Test
    void aDeletionThatGoesOnIsNotDone() throws Exception {
        try (var slow = FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(20), Duration.ZERO))) {
            var left = slow.createDisk(AzureAccount.GROUP, "left", 1);
            var right = slow.createDisk(AzureAccount.GROUP, "right", 1);
            slow.createMachine(AzureAccount.GROUP, "vm", "Standard_D4s_v5", List.of(left, right));
            var deleting = AzureAccount.open(slow);
            var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(LEFT, RIGHT));
            deleting.prepare(request);
            deleting.cut(request);

            assertThat(deleting.delete(id(LEFT, "rp-1"))).isEqualTo(new Step.Done<>(true));
            var begun = (Step.Running<?>) deleting.delete(id(RIGHT, "rp-1"));
            assertThat(deleting.resume(begun.handle())).isInstanceOf(Step.Running.class);
            assertThat(slow.collections()).hasSize(1);
            slow.clock().advance(Duration.ofSeconds(20));
            assertThat(deleting.resume(begun.handle())).isEqualTo(new Step.Done<>(true));
            assertThat(slow.collections()).isEmpty();
            AzureAccount.everyCallIsChecked(slow);
        }
    }

    /** "Overview of VM restore points", crash consistency: the exclusions. */
    @ParameterizedTest
    @CsvSource({
        "Standard_D4s_v5, true",
        "Standard_DS2_v2, false",
        "Standard_D4as_v6, true",
        "Standard_D4_v5, false",
        "Standard_D4s_v6, false",
        "Standard_E8bds_v6, false",
        "Standard_D4as_v7, false",
        "Basic_A1, false"
    })
    void sizeDecidesWhetherItIsOneInstant(String size, boolean isOne) throws Exception {
        machine(size);

        var forecast = provider.forecast(List.of(LEFT, RIGHT));

        assertThat(forecast.atomic()).isEqualTo(isOne);
        assertThat(cut("rp-1", LEFT, RIGHT).atomic()).isEqualTo(isOne);
        assertThat(cloud.collections()).hasSize(isOne ? 1 : 0);
        if (!isOne) {
            assertThat(forecast.notes()).allMatch(each -> each.contains(size));
        }
    }

    @Test
    void aDiskThatNoneCanHaveIsNamed() throws Exception {
        disks.add(cloud.createDisk(AzureAccount.GROUP, "ultra", 1, "UltraSSD_LRS"));
        machine("Standard_D4s_v5");
        var ultra = AzureAccount.volume("ultra");

        assertThat(provider.forecast(List.of(LEFT, ultra)).notes()).allMatch(each -> each.contains("UltraSSD_LRS"));
        assertThat(cut("rp-1", LEFT, ultra).atomic()).isFalse();
        assertThat(cut("rp-2", LEFT, RIGHT).atomic())
                .as("the others without it")
                .isTrue();
    }

    /** Its part of a restore point would not be found again. */
    @Test
    void aDiskWithAnOddNameIsCutAlone() throws Exception {
        disks.add(cloud.createDisk(AzureAccount.GROUP, "_odd", 1));
        machine("Standard_D4s_v5");
        var odd = AzureNames.volumeOf(AzureAccount.inProcess(cloud), AzureAccount.GROUP, "_odd");

        assertThat(cut("rp-1", LEFT, odd).atomic()).isFalse();

        try (var reader = provider.read(id(odd, "rp-1"))) {
            reader.read(0, ByteBuffer.allocate(1));
        }
    }

    @Test
    void disksOfNoMachineAreCutOneAfterTheOther() throws Exception {
        assertThat(provider.forecast(List.of(LEFT, RIGHT)).atomic()).isFalse();
        assertThat(cut("rp-1", LEFT, RIGHT).atomic()).isFalse();
        assertThat(cloud.snapshots()).hasSize(2);
    }

    private void machine(String size) {
        cloud.createMachine(AzureAccount.GROUP, "vm", size, disks);
    }

    private Cut cut(String recoveryPoint, VolumeId... volumes) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId(recoveryPoint), List.of(volumes));
        provider.prepare(request);
        return provider.cut(request);
    }

    private static SnapshotId id(VolumeId volume, String recoveryPoint) {
        return new SnapshotId(volume, new RecoveryPointId(recoveryPoint));
    }
}
