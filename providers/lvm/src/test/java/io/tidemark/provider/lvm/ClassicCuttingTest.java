package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cuts of classic volumes that die before each of their steps, and what is listed then. */
class ClassicCuttingTest {
    private static final VolumeId ORDERS = VolumeId.of("lvm", "vg/orders");
    private static final VolumeId STOCK = VolumeId.of("lvm", "vg/stock");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final CutRequest BOTH = new CutRequest(POINT, List.of(ORDERS, STOCK));
    private static final CutRequest ONE = new CutRequest(POINT, List.of(ORDERS));
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, POINT);

    private final ClassicGroup group = new ClassicGroup("orders", "stock");
    private Cuttings cutting = process();

    private Cuttings process() {
        var config = new LvmConfig(ClassicGroup.GROUP, "");
        var space = new ClassicSpace(config, group, InstantSource.system());
        return new Cuttings(
                group,
                new ThinCutting(ClassicGroup.GROUP, group, new ThinMetadata(group), group, InstantSource.system()),
                new ClassicCutting(ClassicGroup.GROUP, group, group.stores, space, group, InstantSource.system()));
    }

    private LvmCatalog catalog() {
        return new LvmCatalog(ClassicGroup.GROUP, cutting.settle(group.list()));
    }

    private void prepare(CutRequest request) throws ProviderException {
        cutting.prepare(request, catalog());
    }

    private void writeNew() {
        group.contents.put("orders", "new orders");
        group.contents.put("stock", "new stock");
    }

    private String contentOf(VolumeId volume) throws ProviderException {
        return String.valueOf(group.contents.get(
                catalog().get(new SnapshotId(volume, POINT)).on().name()));
    }

    private void restart() {
        group.changesLeft = Integer.MAX_VALUE;
        group.stepsLeft = Integer.MAX_VALUE;
        cutting = process();
        cutting.resumeAll(catalog());
        cutting.sweep(catalog());
    }

    @Test
    void whatIsPreparedIsNotListedAndWhatIsCutIsOfTheCutsInstant() throws Exception {
        prepare(BOTH);
        assertThat(catalog().snapshots()).isEmpty();
        assertThat(cutting.prepared(BOTH)).isTrue();
        writeNew();
        int programs = group.programs;

        var cut = cutting.cut(BOTH).orElseThrow();

        assertThat(group.programs).as("programs started by the cut").isEqualTo(programs);
        group.contents.put("orders", "newer");
        assertThat(cut.atomic()).isTrue();
        assertThat(contentOf(ORDERS)).isEqualTo("new orders");
        assertThat(contentOf(STOCK)).isEqualTo("new stock");
        assertThat(group.volumes.values()).noneMatch(LvmNames::isAhead);
        assertThat(group.suspended).isEmpty();
    }

    @Test
    void secondRequestForTheSamePointAnswersTheSnapshotThatIsThere() throws Exception {
        prepare(ONE);
        var first = cutting.cut(ONE).orElseThrow();

        assertThat(cutting.cut(ONE)).isEmpty();
        prepare(ONE);
        var second = cutting.cut(ONE).orElseThrow();

        assertThat(second.members().getFirst().snapshot())
                .isEqualTo(first.members().getFirst().snapshot());
        assertThat(second.members().getFirst().finishedNanos()).isZero();
    }

    /** Ten steps of a cut of two volumes: marks are the seventh and the eighth. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    void afterADeathInTheCutWhatIsMarkedIsListedAndNothingIsSuspended(int steps) throws Exception {
        prepare(BOTH);
        writeNew();
        group.stepsLeft = steps;
        assertThatThrownBy(() -> cutting.cut(BOTH)).isInstanceOf(ClassicGroup.Killed.class);

        restart();

        assertThat(group.suspended).isEmpty();
        assertThat(catalog().snapshots()).hasSize(Math.clamp(steps - 6L, 0, 2));
        assertThat(group.volumes).hasSize(2 + Math.clamp(steps - 6L, 0, 2));
        for (var each : catalog().snapshots()) {
            assertThat(contentOf(each.id().volume())).startsWith("new ");
        }
        assertThat(group.volumes.values()).noneMatch(LvmNames::isAhead);
    }

    @Test
    void whatCannotBeJudgedStaysAndIsNotListed() throws Exception {
        prepare(ONE);
        var unused = cutting.cut(ONE);
        group.unreadable = true;
        restart();
        assertThat(catalog().snapshots()).isEmpty();
        assertThat(group.volumes).hasSize(3);
        assertThatThrownBy(() -> cutting.forget(SNAPSHOT, catalog())).hasMessageContaining("lvchange -ay vg/orders");
        group.unreadable = false;

        restart();

        assertThat(catalog().snapshots()).hasSize(1);
    }

    @Test
    void whatWasPreparedAndNotCutIsMadeAnew() throws Exception {
        prepare(ONE);
        group.contents.put(LvmNames.forSnapshot(SNAPSHOT), "left");

        prepare(ONE);

        assertThat(group.contents.get(LvmNames.forSnapshot(SNAPSHOT))).isEqualTo("old orders");
        assertThat(group.volumes).hasSize(3);
    }

    @ParameterizedTest
    @EnumSource(
            value = DeviceMapper.Step.class,
            names = {"CHECK", "SUSPEND", "CREATE", "HELD", "RESET", "MARK"})
    void failedCutListsNothingAndTheNextOneMakesItAnew(DeviceMapper.Step step) throws Exception {
        prepare(ONE);
        group.failing = step;
        assertThatThrownBy(() -> cutting.cut(ONE)).isInstanceOf(ProviderException.class);
        assertThat(catalog().snapshots()).isEmpty();
        group.failing = DeviceMapper.Step.NONE;

        prepare(ONE);

        assertThat(cutting.cut(ONE)).isPresent();
        assertThat(catalog().snapshots()).hasSize(1);
    }

    @Test
    void volumeThatCouldNotBeResumedIsTriedAgainAtTheNextCall() throws Exception {
        prepare(ONE);
        group.failing = DeviceMapper.Step.RESUME;
        assertThatThrownBy(() -> cutting.cut(ONE)).isInstanceOf(ProviderException.class);
        assertThat(group.suspended).hasSize(1);

        assertThat(catalog().snapshots()).hasSize(1);

        assertThat(group.suspended).isEmpty();
    }

    @Test
    void volumeThatIsNotActiveIsAConflictThatSaysHowToActivateIt() {
        group.put("orders", ClassicGroup.VOLUME_BYTES, false, List.of(), StoreUse.NONE);

        assertThatThrownBy(() -> prepare(ONE))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class))
                .hasMessageContaining("lvchange -ay vg/orders");
        assertThat(group.volumes).hasSize(2);
    }

    @Test
    void groupWithoutRoomForEveryStoreMakesNone() {
        group.freeBytes = 1 << 20;

        assertThatThrownBy(() -> prepare(BOTH))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error()).isInstanceOf(ProviderError.OutOfSpace.class));
        assertThat(group.volumes).hasSize(2);
    }

    @Test
    void overflowedSnapshotIsNotListedAndCanBeDeleted() throws Exception {
        prepare(ONE);
        var unused = cutting.cut(ONE);
        assertThat(catalog().snapshots()).hasSize(1);

        group.overflow(LvmNames.forSnapshot(SNAPSHOT));

        assertThat(catalog().snapshots()).isEmpty();
        assertThat(catalog().findAny(SNAPSHOT)).isPresent();
        assertThatThrownBy(() -> catalog().get(SNAPSHOT))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Corrupt.class))
                .hasMessageContaining("overflowed");
        assertThatThrownBy(() -> prepare(ONE)).hasMessageContaining("overflowed");
        assertThatThrownBy(() -> ClassicVolumes.refuseWithSnapshots(ORDERS, group.volume("orders"), catalog()))
                .hasMessageContaining("tidemark-s-");
    }

    @Test
    void storeHoldsItsPartOfTheVolumeAndTheTables() {
        var space = new ClassicSpace(new LvmConfig("vg", "", 5, 100, KeepFor.NONE), group, InstantSource.system());

        long bytes = space.storeBytes(group.volume("orders"));

        // 1,024 chunks, four tables and one more, a header.
        assertThat(bytes).isEqualTo((1_024 + 5 + 1) * 4_096);
    }
}
