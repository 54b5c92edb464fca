package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class CostEstimateTest {
    private static final long GIB = 1L << 30;
    private static final CostEstimate.Prices PRICES = new CostEstimate.Prices(
            OptionalDouble.of(0.05),
            OptionalDouble.of(0.02),
            OptionalDouble.empty(),
            OptionalDouble.of(0.003),
            OptionalDouble.of(0.006));

    /** 100 GiB in use, 1 GiB changed every hour, 24 kept of each of two volumes: 246 GiB. */
    private static CostEstimate.Workload work(int copies, boolean readOut, boolean writtenIn) {
        return new CostEstimate.Workload(
                new SnapshotSchedule(Duration.ofHours(1), 24, 2), 100 * GIB, GIB, copies, readOut, writtenIn);
    }

    private static CostEstimate.Line line(CostEstimate.Workload work, String what) {
        return CostEstimate.of(work, PRICES).stream()
                .filter(each -> each.what().equals(what))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void storageIsTheFirstSnapshotAndWhatChangedAfterIt() {
        var kept = line(work(0, false, false), "snapshots kept");

        assertThat(kept.quantity()).isCloseTo(246, within(1e-9));
        assertThat(kept.monthly().orElseThrow()).isCloseTo(12.30, within(1e-9));
    }

    @Test
    void neverMoreThanEachSnapshotWhole() {
        var all = new CostEstimate.Workload(
                new SnapshotSchedule(Duration.ofHours(1), 24, 1), GIB, 5 * GIB, 0, false, false);

        assertThat(line(all, "snapshots kept").quantity()).isCloseTo(24, within(1e-9));
    }

    @Test
    void copiesAreStoredAgainAndPaidForOnTheWay() {
        var work = work(2, false, false);

        assertThat(line(work, "snapshots kept").quantity()).isCloseTo(3 * 246, within(1e-9));
        assertThat(line(work, "copied to other regions").quantity()).isCloseTo(2 * 2 * 730, within(1e-9));
    }

    @Test
    void blocksAreCountedAndWhatHasNoPriceIsNamedWithoutOne() {
        var work = work(0, true, true);

        // 1 GiB is 2,048 blocks; 730 hours, two volumes.
        assertThat(line(work, "blocks read").quantity()).isCloseTo(2_990.08, within(1e-6));
        assertThat(line(work, "blocks written").monthly().orElseThrow()).isCloseTo(17.94048, within(1e-6));
        assertThat(line(work, "read out of the cloud").monthly()).isEmpty();
        assertThat(line(work, "read out of the cloud").quantity()).isCloseTo(1_460, within(1e-9));
    }
}
