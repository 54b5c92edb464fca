package io.tidemark.simulation;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Seeds of crashes, cuts, damage and retention; {@code Simulator --seed N} replays one. */
class ScheduledReplicationSimulationTest {
    private static final long SEEDS = 2_000;
    private static final long BUDGET_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long SEEDS_LEAST = 200;

    @Test
    void theTargetIsAlwaysAtTheOldRecoveryPointOrTheNewOne() {
        long until = System.nanoTime() + BUDGET_NANOS;
        for (long seed = 0; seed < SEEDS && (seed < SEEDS_LEAST || System.nanoTime() < until); seed++) {
            Simulator.run(seed);
        }
    }

    /** Seeds that once failed stay for ever. */
    @ParameterizedTest
    @ValueSource(longs = {0, 41, 7_203})
    void whatOnceFailedHolds(long seed) {
        Simulator.run(seed);
    }
}
