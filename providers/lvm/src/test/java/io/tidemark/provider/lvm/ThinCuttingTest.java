package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Cuts that die before each of their steps, and what is listed then. */
class ThinCuttingTest {
    private static final VolumeId ORDERS = VolumeId.of("lvm", "vg/orders");
    private static final VolumeId STOCK = VolumeId.of("lvm", "vg/stock");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final CutRequest BOTH = new CutRequest(POINT, List.of(ORDERS, STOCK));
    private static final CutRequest ONE = new CutRequest(POINT, List.of(ORDERS));

    private final ThinGroup group = new ThinGroup("orders", "stock");
    private ThinCutting cutting = process();

    private ThinCutting process() {
        return new ThinCutting(ThinGroup.GROUP, group, new ThinMetadata(group), group, InstantSource.system());
    }

    private LvmCatalog catalog() throws ProviderException {
        return new LvmCatalog(ThinGroup.GROUP, cutting.settle(group.list()));
    }

    private void prepare(CutRequest request) throws ProviderException {
        cutting.prepare(request, catalog());
    }

    private void writeNew() {
        group.write("orders", "new orders");
        group.write("stock", "new stock");
    }

    private String contentOf(VolumeId volume) throws ProviderException {
        return String.valueOf(
                group.thin.get(catalog().get(new SnapshotId(volume, POINT)).on().thinId()));
    }

    private void restart() throws ProviderException {
        group.changesLeft = Integer.MAX_VALUE;
        group.stepsLeft = Integer.MAX_VALUE;
        cutting = process();
        cutting.sweep(catalog());
    }

    @Test
    void whatIsPreparedIsNotListedAndWhatIsCutIsOfTheCutsInstant() throws Exception {
        prepare(BOTH);
        assertThat(catalog().snapshots()).isEmpty();
        assertThat(cutting.prepared(BOTH)).isTrue();
        assertThat(group.unflushed).isEmpty();
        writeNew();
        int programs = group.programs;

        var cut = cutting.cut(BOTH).orElseThrow();

        assertThat(group.programs).as("programs started by the cut").isEqualTo(programs);
        writeNew();
        assertThat(cut.atomic()).isTrue();
        assertThat(catalog().snapshots().stream().map(LvmCatalog::describe))
                .containsExactlyElementsOf(
                        cut.members().stream().map(member -> member.snapshot()).toList());
        assertThat(contentOf(ORDERS)).isEqualTo("new orders");
        assertThat(contentOf(STOCK)).isEqualTo("new stock");
        assertThat(group.volumes.values()).noneMatch(LvmNames::isAhead);
    }

    @Test
    void whatIsPreparedServesOnceAndTheNextOneAnswersTheSnapshot() throws Exception {
        prepare(BOTH);
        var first = cutting.cut(BOTH).orElseThrow();

        assertThat(cutting.cut(BOTH)).isEmpty();
        prepare(BOTH);
        var second = cutting.cut(BOTH).orElseThrow();

        assertThat(second.atomic()).isFalse();
        assertThat(second.members()).hasSize(2).allMatch(member -> member.finishedNanos() == 0);
        assertThat(second.members().getFirst().snapshot())
                .isEqualTo(first.members().getFirst().snapshot());
    }

    @Test
    void whereverItDiesASnapshotIsWholeOrNotThereAndNothingElseIsLeft() throws Exception {
        int deaths = 0;
        for (int left = 0; left < 12; left++) {
            for (int sweepLeft = 0; sweepLeft < 4; sweepLeft++) {
                var dying = new ThinCuttingTest();
                deaths += dying.dieAfterChanges(left, sweepLeft);
            }
        }
        assertThat(deaths).isGreaterThan(20);
    }

    /** Returns 1 where something died. */
    private int dieAfterChanges(int left, int sweepLeft) throws ProviderException {
        boolean cut = false;
        int died = 0;
        group.changesLeft = left;
        try {
            prepare(BOTH);
            writeNew();
            cut = cutting.cut(BOTH).isPresent();
            catalog();
        } catch (ProviderException e) {
            died = 1;
        }
        group.changesLeft = sweepLeft;
        cutting = process();
        try {
            cutting.sweep(catalog());
        } catch (ProviderException e) {
            died = 1;
        }

        restart();

        assertWhole(cut ? 2 : 0);
        return died;
    }

    private void assertWhole(int snapshots) throws ProviderException {
        assertThat(group.suspended).isEmpty();
        assertThat(catalog().snapshots()).hasSize(snapshots);
        assertThat(group.volumes).hasSize(2 + snapshots);
        assertThat(group.thin).hasSize(2 + snapshots);
        assertThat(group.volumes.values()).noneMatch(LvmNames::isAhead);
        for (var snapshot : catalog().snapshots()) {
            assertThat(contentOf(snapshot.id().volume())).startsWith("new");
        }
    }

    @Test
    void cutThatIsKilledLeavesWholeSnapshotsOrNoneAndNoVolumeSuspended() throws Exception {
        for (int steps = 0; steps < 6; steps++) {
            var killed = new ThinCuttingTest();
            killed.prepare(BOTH);
            killed.writeNew();
            killed.group.stepsLeft = steps;
            assertThatThrownBy(() -> killed.cutting.cut(BOTH)).isInstanceOf(ThinGroup.Killed.class);
            assertThat(killed.group.suspended.isEmpty()).isEqualTo(steps == 0);

            killed.restart();

            killed.assertWhole(Math.clamp(steps - 2, 0, 2));
        }
    }

    @Test
    void placeholderOfACallThatDiedIsMadeAnewByTheNextOne() throws Exception {
        for (int left = 1; left < 6; left++) {
            var dying = new ThinCuttingTest();
            dying.group.changesLeft = left;
            assertThatThrownBy(() -> dying.prepare(BOTH)).isInstanceOf(ProviderException.class);
            dying.group.changesLeft = Integer.MAX_VALUE;

            dying.prepare(BOTH);
            dying.writeNew();

            assertThat(dying.cutting.cut(BOTH)).isPresent();
            dying.assertWhole(2);
        }
    }

    @Test
    void placeholderThatLvmHasYetToTellThePoolOfDoesNotBecomeAnEmptySnapshot() throws Exception {
        group.killsLvcreate = true;
        assertThatThrownBy(() -> prepare(ONE)).isInstanceOf(ProviderException.class);

        prepare(ONE);
        writeNew();
        assertThat(cutting.cut(ONE)).isPresent();
        prepare(new CutRequest(new RecoveryPointId("rp-2"), List.of(STOCK)));

        assertThat(contentOf(ORDERS)).isEqualTo("new orders");
    }

    @Test
    void pointThatIsNeverCutIsRemovedByTheNextOneAndByItsDeletion() throws Exception {
        var next = new CutRequest(new RecoveryPointId("rp-2"), List.of(ORDERS));
        prepare(BOTH);
        prepare(next);
        assertThat(group.volumes).hasSize(4);
        assertThat(cutting.cut(BOTH)).isEmpty();

        assertThat(cutting.forget(new SnapshotId(STOCK, POINT), catalog())).isFalse();
        assertThat(cutting.forget(ORDERS, catalog())).isFalse();

        assertThat(group.volumes).containsOnlyKeys("orders", "stock");
        assertThat(cutting.cut(next)).isEmpty();
    }

    @Test
    void snapshotThatIsCutIsNotTakenForOneThatIsNot() throws Exception {
        prepare(ONE);
        var before = new LvmCatalog(ThinGroup.GROUP, group.list());
        assertThat(cutting.cut(ONE)).isPresent();

        cutting.prepare(new CutRequest(new RecoveryPointId("rp-2"), List.of(ORDERS)), before);

        assertThat(contentOf(ORDERS)).isEqualTo("old orders");
    }

    @Test
    void snapshotThatCannotBeTaggedIsListedAndTaggedLater() throws Exception {
        prepare(ONE);
        assertThat(cutting.cut(ONE)).isPresent();
        group.changesLeft = 0;
        assertThat(catalog().snapshots()).hasSize(1);
        assertThat(group.volumes.values()).anyMatch(LvmNames::isAhead);

        group.changesLeft = Integer.MAX_VALUE;

        assertThat(catalog().snapshots()).hasSize(1);
        assertThat(group.volumes.values()).noneMatch(LvmNames::isAhead);
    }

    @Test
    void snapshotRemovedBehindOurBackIsNotThereWhenItsNameIsPreparedAgain() throws Exception {
        prepare(ONE);
        assertThat(cutting.cut(ONE)).isPresent();
        group.remove(LvmNames.forSnapshot(new SnapshotId(ORDERS, POINT)));

        prepare(ONE);

        assertThat(catalog().snapshots()).isEmpty();
        assertThat(cutting.cut(ONE).orElseThrow().members().getFirst().finishedNanos())
                .isPositive();
    }

    @Test
    void volumesThatWereCutBeforeOneFailedAreListed() throws Exception {
        prepare(BOTH);
        group.refused = catalog()
                .findAhead(new SnapshotId(STOCK, POINT))
                .orElseThrow()
                .on()
                .thinId();

        assertThatThrownBy(() -> cutting.cut(BOTH))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error()).isInstanceOf(ProviderError.OutOfSpace.class));

        assertThat(catalog().snapshots()).hasSize(1);
        assertThat(contentOf(ORDERS)).isEqualTo("old orders");
        group.refused = 0;
        prepare(BOTH);
        assertThat(cutting.cut(BOTH).orElseThrow().members()).hasSize(2);
    }

    @Test
    void groupWithAnAbsentVolumeIsNotPrepared() {
        var request = new CutRequest(POINT, List.of(ORDERS, VolumeId.of("lvm", "vg/absent")));

        assertThatThrownBy(() -> prepare(request)).isInstanceOf(ProviderException.class);

        assertThat(group.volumes).hasSize(2);
    }

    @Test
    void whoOnlyLooksSeesWhatIsCutAndTakesOffNoTag() throws Exception {
        prepare(ONE);
        assertThat(cutting.cut(ONE)).isPresent();

        var seen = new LvmCatalog(ThinGroup.GROUP, cutting.settled(group.list()));

        assertThat(seen.snapshots()).hasSize(1);
        assertThat(group.volumes.values()).anyMatch(LvmNames::isAhead);
    }

    @Test
    void forgettingTellsOfACutThatCameBetween() throws Exception {
        prepare(BOTH);
        var before = catalog();
        assertThat(cutting.cut(BOTH)).isPresent();

        assertThat(cutting.forget(new SnapshotId(ORDERS, POINT), before)).isTrue();
        assertThat(cutting.forget(STOCK, before)).isTrue();

        assertThat(catalog().snapshots()).hasSize(2);
    }

    @Test
    void volumeThatWasExtendedSinceItWasPreparedIsPreparedAnew() throws Exception {
        prepare(ONE);
        group.extend("orders");

        assertThatThrownBy(() -> cutting.cut(ONE))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class));
        prepare(ONE);

        assertThat(cutting.cut(ONE)).isPresent();
        assertThat(catalog().get(new SnapshotId(ORDERS, POINT)).on().sizeBytes())
                .isEqualTo(8 << 20);
    }

    @Test
    void whatNothingWasTriedOfStaysPrepared() throws Exception {
        prepare(ONE);
        group.unwatched = true;
        assertBusy();
        group.unwatched = false;
        var holder = Thread.ofPlatform().start(group.suspensions()::lock);
        holder.join();
        assertBusy();
    }

    private void assertBusy() {
        assertThatThrownBy(() -> cutting.cut(ONE))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class));
        assertThat(cutting.prepared(ONE)).isTrue();
    }

    @Test
    void volumeThatACutCouldNotResumeIsResumedByALaterCall() throws Exception {
        prepare(ONE);
        group.staysSuspended = true;
        assertThatThrownBy(() -> cutting.cut(ONE)).isInstanceOf(ProviderException.class);
        assertThat(group.suspended).isNotEmpty();

        assertThat(catalog().snapshots()).hasSize(1);

        assertThat(group.suspended).isEmpty();
    }

    @Test
    void snapshotOfAPoolThatStoppedWritingIsThereOnlyWhereThePoolSaysSoLater() throws Exception {
        prepare(ONE);
        group.stoppedWriting = true;
        assertThatThrownBy(() -> cutting.cut(ONE)).isInstanceOf(ProviderException.class);
        assertThat(catalog().snapshots()).isEmpty();
        group.stoppedWriting = false;

        prepare(ONE);

        assertThat(cutting.cut(ONE).orElseThrow().members().getFirst().finishedNanos())
                .isZero();
        assertThat(catalog().snapshots()).hasSize(1);
    }

    @Test
    void whatThePoolCannotBeAskedAboutIsNeitherListedNorRemovedUntilItCan() throws Exception {
        prepare(BOTH);
        writeNew();
        assertThat(cutting.cut(ONE)).isPresent();
        cutting = process();
        group.unreadable = true;
        cutting.sweep(catalog());
        assertThat(catalog().snapshots()).isEmpty();
        for (var point : List.of("rp-1", "rp-2")) {
            assertThatThrownBy(() -> prepare(new CutRequest(new RecoveryPointId(point), List.of(ORDERS))))
                    .isInstanceOf(ProviderException.class);
        }
        assertThatThrownBy(() -> cutting.forget(new SnapshotId(ORDERS, POINT), catalog()))
                .isInstanceOf(ProviderException.class);
        group.unreadable = false;

        prepare(BOTH);
        assertThat(cutting.cut(BOTH).orElseThrow().members()).hasSize(2);

        assertThat(contentOf(ORDERS)).isEqualTo("new orders");
    }
}
