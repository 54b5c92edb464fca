package io.tidemark.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SyncPlanTest {
    private static final LinkId LINK = new LinkId("ln-1");
    private static final VolumeId VOLUME = new VolumeId("memory:copy");
    private static final long SIZE = 1 << 20;

    private static List<RecoveryPointId> ids(String... ids) {
        return Arrays.stream(ids).map(RecoveryPointId::new).toList();
    }

    private static Message.Offer offer(String point, String... candidates) {
        return new Message.Offer(LINK, new RecoveryPointId(point), ids(candidates), SIZE, 4096, "{}");
    }

    private static TargetView target(String inStep, String... points) {
        return new TargetView(
                VOLUME,
                SIZE,
                ids(points),
                inStep.isEmpty() ? Optional.empty() : Optional.of(new RecoveryPointId(inStep)),
                Optional.empty(),
                Optional.empty());
    }

    private static SyncPlan.Build build(SyncPlan plan) {
        assertThat(plan).isInstanceOf(SyncPlan.Build.class);
        return (SyncPlan.Build) plan;
    }

    private static ReplicationError error(SyncPlan plan) {
        assertThat(plan).isInstanceOf(SyncPlan.Refuse.class);
        return ((SyncPlan.Refuse) plan).error();
    }

    @Test
    void anEmptyTargetIsFilledByDigestAndDirectly() {
        var plan = build(SyncPlan.decide(offer("rp-2", "rp-1"), target("")));

        assertThat(plan).isEqualTo(new SyncPlan.Build(Optional.empty(), true, Optional.empty()));
    }

    @Test
    void theBaseIsWhereTheTargetStands() {
        var plan = build(SyncPlan.decide(offer("rp-4", "rp-3", "rp-2", "rp-1"), target("rp-2", "rp-1", "rp-2")));

        assertThat(plan.base()).contains(new RecoveryPointId("rp-2"));
        assertThat(plan.direct()).isFalse();
    }

    @Test
    void anOlderCommonPointIsNeverTheBaseOfANewerVolume() {
        var plan = build(SyncPlan.decide(offer("rp-4", "rp-3", "rp-1"), target("rp-2", "rp-1", "rp-2")));

        assertThat(plan.base()).isEmpty();
        assertThat(plan.direct()).isFalse();
    }

    @Test
    void aNewLinkBuildsUponWhatBothHaveAlready() {
        var plan = build(SyncPlan.decide(offer("rp-4", "rp-3"), target("", "rp-3")));

        assertThat(plan.base()).contains(new RecoveryPointId("rp-3"));
    }

    @Test
    void whatIsThereIsNotSentAndTheNewestIsNamed() {
        assertThat(SyncPlan.decide(offer("rp-2", "rp-1"), target("rp-2", "rp-1", "rp-2")))
                .isEqualTo(new SyncPlan.There(true));
        assertThat(SyncPlan.decide(offer("rp-1", "rp-2"), target("rp-2", "rp-1", "rp-2")))
                .isEqualTo(new SyncPlan.There(false));
    }

    @Test
    void conflictsAreTyped() {
        assertThat(error(SyncPlan.decide(offer("rp-4", "rp-3"), target("rp-2", "rp-2"))))
                .isInstanceOf(ReplicationError.NoCommonBase.class);
        assertThat(error(SyncPlan.decide(offer("rp-4", "rp-2"), target("rp-2", "rp-2", "rp-3"))))
                .isInstanceOf(ReplicationError.Diverged.class);
        var small = new TargetView(VOLUME, SIZE - 512, List.of(), Optional.empty(), Optional.empty(), Optional.empty());
        assertThat(error(SyncPlan.decide(offer("rp-4"), small))).isInstanceOf(ReplicationError.TargetSmaller.class);
        var written =
                new TargetView(VOLUME, SIZE, ids("rp-2"), Optional.empty(), Optional.of("byte 7"), Optional.empty());
        assertThat(error(SyncPlan.decide(offer("rp-4", "rp-2"), written)))
                .isInstanceOf(ReplicationError.TargetWritten.class);
    }

    @Test
    void anInterruptedTransferResumesOnlyIfItIsTheSame() {
        var totals = IngestTotals.NOTHING.plus(
                new Message.Blocks(List.of(new BlockExtent(0, 4096, false)), ByteBuffer.wrap(new byte[4096])));
        var log = new TargetView.LogView(
                new RecoveryPointId("rp-4"), Optional.of(new RecoveryPointId("rp-2")), SIZE, false, totals);
        var view = new TargetView(VOLUME, SIZE, ids("rp-2"), Optional.empty(), Optional.empty(), Optional.of(log));

        assertThat(build(SyncPlan.decide(offer("rp-4", "rp-2"), view)).resume()).contains(totals);
        assertThat(build(SyncPlan.decide(offer("rp-5", "rp-4", "rp-2"), view)).resume())
                .isEmpty();
    }

    @Test
    void aFirstCopyNeverResumesAtAnOffsetBecauseNothingKeepsWhatIsThere() {
        var totals = IngestTotals.NOTHING.plus(
                new Message.Blocks(List.of(new BlockExtent(0, 4096, false)), ByteBuffer.wrap(new byte[4096])));
        var log = new TargetView.LogView(new RecoveryPointId("rp-4"), Optional.empty(), SIZE, true, totals);
        var view = new TargetView(VOLUME, SIZE, ids(), Optional.empty(), Optional.empty(), Optional.of(log));

        assertThat(build(SyncPlan.decide(offer("rp-4", "rp-2"), view)))
                .isEqualTo(new SyncPlan.Build(Optional.empty(), true, Optional.empty()));
    }

    @Test
    void aSourceWhoseClockWentBackDoesNotDivergeFromItself() {
        var plan = build(SyncPlan.decide(offer("rp-4", "rp-3", "rp-9"), target("rp-3", "rp-9", "rp-3")));

        assertThat(plan.base()).contains(new RecoveryPointId("rp-3"));
    }

    @Test
    void aPointThatTheSourceDoesNotHaveAndThatSortsBehindIsADivergence() {
        var error = error(SyncPlan.decide(offer("rp-4", "rp-3"), target("rp-3", "rp-9", "rp-3")));

        assertThat(error)
                .isEqualTo(
                        new ReplicationError.Diverged(LINK, new RecoveryPointId("rp-3"), new RecoveryPointId("rp-9")));
    }

    private static Message.Offer stream(String point, String... candidates) {
        return new Message.Offer(
                LINK,
                new RecoveryPointId(point),
                ids(candidates),
                Message.Offer.STREAM_BYTES,
                Message.Offer.STREAM_BLOCK_BYTES,
                "{}");
    }

    private static TargetView written(String... points) {
        return new TargetView(VOLUME, 0, ids(points), Optional.empty(), Optional.of("a file"), Optional.empty());
    }

    @Test
    void aStreamIsWholeForAVolumeThatHasNothing() {
        assertThat(SyncPlan.of(stream("rp-2", "rp-1"), target(""), false))
                .isEqualTo(new SyncPlan.Build(Optional.empty(), false, Optional.empty()));
        assertThat(error(SyncPlan.of(stream("rp-2"), written(), false)))
                .isEqualTo(new ReplicationError.TargetWritten(VOLUME, "a file"));
    }

    @Test
    void aStreamBuildsUponWhatTheVolumeStandsAtAlone() {
        var plan = build(SyncPlan.of(stream("rp-4", "rp-3", "rp-2"), target("rp-2", "rp-2"), false));

        assertThat(plan.base()).contains(new RecoveryPointId("rp-2"));
        assertThat(plan.direct()).isFalse();
        assertThat(error(SyncPlan.of(stream("rp-4", "rp-1"), target("rp-2", "rp-1", "rp-2"), false)))
                .isInstanceOf(ReplicationError.NoCommonBase.class);
        assertThat(error(SyncPlan.of(stream("rp-4", "rp-2"), written("rp-2"), false)))
                .isInstanceOf(ReplicationError.TargetWritten.class);
        assertThat(error(SyncPlan.of(stream("rp-4", "rp-2"), target("", "rp-2", "rp-3"), false)))
                .isInstanceOf(ReplicationError.Diverged.class);
        assertThat(SyncPlan.of(stream("rp-2", "rp-1"), target("rp-2", "rp-2"), false))
                .isEqualTo(new SyncPlan.There(true));
    }
}
