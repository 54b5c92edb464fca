package io.tidemark.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Worlds of crashes, cuts, damage and retention; {@code ./tidemark simulate --seed N} replays one. */
class ScheduledReplicationSimulationTest {
    private static final long SEEDS = Long.getLong("tidemark.simulation.seeds", 20_000);
    private static final int PARTS = 4;

    /** In parts of equal size, which may run at once. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void theTargetIsAlwaysAtTheOldRecoveryPointOrTheNewOne(int part) {
        var failure = Simulator.run(part * SEEDS / PARTS, (part + 1) * SEEDS / PARTS - 1, Simulator.of(Cast.OURS));

        assertThat(failure.map(Simulator.Failure::report)).isEmpty();
    }

    /** Seeds that once failed stay for ever. */
    @ParameterizedTest
    @ValueSource(longs = {0, 8, 41, 85, 240, 7_203})
    void whatOnceFailedHolds(long seed) {
        assertThat(Simulator.replay(seed, Simulator.of(Cast.OURS)).map(Simulator.Failure::report))
                .isEmpty();
    }
}
