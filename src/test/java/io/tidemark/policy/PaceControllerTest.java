package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Scripted hosts: what a sender is allowed, sample by sample. */
class PaceControllerTest {
    private static final long MIB = 1 << 20;
    private static final PaceController.Bounds BOUNDS = new PaceController.Bounds(4 * MIB, 1024 * MIB);
    private static final long SAMPLE_NANOS = 500_000_000;
    private static final double CALM_MICROS = 200;

    private static PaceController.Sample calm() {
        return new PaceController.Sample(0.05, 0.1, 500, CALM_MICROS, false);
    }

    private static PaceController.Sample hurt(boolean rpoAtRisk) {
        return new PaceController.Sample(0.9, 0.9, 500, 20 * CALM_MICROS, rpoAtRisk);
    }

    /** Rates after each sample; the script answers the host's latency at a rate. */
    private static List<Double> run(int samples, DoubleUnaryOperator latencyMicrosAt) {
        var rates = new ArrayList<Double>();
        var state = new PaceController.State(BOUNDS.floorBytes(), CALM_MICROS, 0, 0);
        for (int number = 0; number < samples; number++) {
            double latency = latencyMicrosAt.applyAsDouble(state.bytesPerSecond());
            var sample = new PaceController.Sample(0.1, 0.1, 500, latency, false);
            state = PaceController.next(state, sample, BOUNDS, number * SAMPLE_NANOS);
            rates.add(state.bytesPerSecond());
        }
        return rates;
    }

    @Test
    void itBeginsInBetweenAndAnIdleHostIsUsedWhollyAfterOneSample() {
        var state = PaceController.begin(BOUNDS, 0);
        assertThat(state.bytesPerSecond()).isEqualTo(64.0 * MIB);
        var idle = new PaceController.Sample(0.9, 0.9, 0, 0, false);

        for (int number = 1; number < 20; number++) {
            state = PaceController.next(state, idle, BOUNDS, number * SAMPLE_NANOS);
            assertThat(state.bytesPerSecond()).isEqualTo((double) BOUNDS.ceilingBytes());
        }
    }

    @Test
    void theFloorIsKeptHoweverMuchTheForegroundIsHurt() {
        var state = PaceController.begin(BOUNDS, 0);

        for (int number = 1; number < 200; number++) {
            state = PaceController.next(state, hurt(false), BOUNDS, number * SAMPLE_NANOS);
            assertThat(state.bytesPerSecond()).isBetween((double) BOUNDS.floorBytes(), (double) BOUNDS.ceilingBytes());
        }

        assertThat(state.bytesPerSecond()).isEqualTo((double) BOUNDS.floorBytes());
    }

    @Test
    void itGivesWayWithinThreeSecondsToAQuarter() {
        var state = new PaceController.State(1024.0 * MIB, CALM_MICROS, 0, 0);

        for (int number = 1; number <= 6; number++) {
            state = PaceController.next(state, hurt(false), BOUNDS, number * SAMPLE_NANOS);
        }

        assertThat(state.bytesPerSecond()).isLessThan(BOUNDS.ceilingBytes() * 0.25);
    }

    @Test
    void aCalmHostIsUsedUpToTheCeilingAndNeverAbove() {
        var rates = run(120, rate -> CALM_MICROS);

        assertThat(rates.getLast()).isEqualTo((double) BOUNDS.ceilingBytes());
        assertThat(rates).allMatch(rate -> rate <= BOUNDS.ceilingBytes());
    }

    @Test
    void itSettlesBelowTheRateThatHurtsInsteadOfSwinging() {
        double capacity = 100 * MIB;

        var rates = run(1_200, rate -> CALM_MICROS * (rate > capacity ? 4 : 1.2));

        var settled = rates.subList(200, rates.size());
        double least = settled.stream().mapToDouble(rate -> rate).min().orElseThrow();
        double most = settled.stream().mapToDouble(rate -> rate).max().orElseThrow();
        long hurting = settled.stream().filter(rate -> rate > capacity).count();
        assertThat(most).isLessThan(capacity * 1.05);
        assertThat(least).isGreaterThan(capacity * 0.5);
        assertThat(hurting).as("samples in which the foreground is hurt").isLessThan(settled.size() / 20);
    }

    @Test
    void whatIsNeitherCalmNorHurtChangesNothing() {
        var state = new PaceController.State(100 * MIB, CALM_MICROS, 0, 0);

        for (int number = 0; number < 50; number++) {
            var between = new PaceController.Sample(0.1, 0.1, 500, CALM_MICROS * 1.7, false);
            state = PaceController.next(state, between, BOUNDS, number * SAMPLE_NANOS);
        }

        assertThat(state.bytesPerSecond()).isEqualTo(100 * MIB);
    }

    @Test
    void anRpoAtRiskGoesBeforeTheForeground() {
        var state = new PaceController.State(BOUNDS.floorBytes(), CALM_MICROS, 0, 0);

        for (int number = 0; number < 10; number++) {
            state = PaceController.next(state, hurt(true), BOUNDS, number * SAMPLE_NANOS);
        }

        assertThat(state.bytesPerSecond()).isEqualTo((double) BOUNDS.ceilingBytes());
    }

    @Test
    void nothingGrowsRightAfterABackOff() {
        var full = new PaceController.State(1024.0 * MIB, CALM_MICROS, 0, 0);
        var state = PaceController.next(full, calm(), BOUNDS, SAMPLE_NANOS);
        state = PaceController.next(state, hurt(false), BOUNDS, 2 * SAMPLE_NANOS);
        double cut = state.bytesPerSecond();

        state = PaceController.next(state, calm(), BOUNDS, 3 * SAMPLE_NANOS);

        assertThat(cut).isLessThan((double) BOUNDS.ceilingBytes());
        assertThat(state.bytesPerSecond()).isEqualTo(cut);
    }

    @Test
    void boundsThatCrossAreRefused() {
        assertThatThrownBy(() -> new PaceController.Bounds(2, 1)).hasMessageContaining("floor is 2");
    }
}
