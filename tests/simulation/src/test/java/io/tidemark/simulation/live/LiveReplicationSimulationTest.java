package io.tidemark.simulation.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.simulation.Simulator;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two copies that crash, lose each other and meet again; {@code ./tidemark simulate --live --seed N} replays one. */
class LiveReplicationSimulationTest {
    private static final long SEEDS = Long.getLong("tidemark.simulation.live.seeds", 50_000);
    private static final int PARTS = 4;
    private static final long SEEDS_OF_A_BUG = 4_000;

    /** In parts of equal size, which may run at once. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void theInvariantsHold(int part) {
        var failure = Simulator.run(part * SEEDS / PARTS, (part + 1) * SEEDS / PARTS - 1, LiveWorld.worlds());

        assertThat(failure.map(Simulator.Failure::report)).isEmpty();
    }

    /** Seeds that once failed stay for ever. */
    @ParameterizedTest
    @ValueSource(longs = {35, 1_370, 2_501, 4_901, 25_458})
    void whatOnceFailedHolds(long seed) {
        assertThat(Simulator.replay(seed, LiveWorld.worlds()).map(Simulator.Failure::report))
                .isEmpty();
    }

    /** A check that finds nothing may be blind. */
    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsSeen(PlantedBug bug) {
        var failure = Simulator.run(0, SEEDS_OF_A_BUG - 1, LiveWorld.of(bug::fault));

        assertThat(failure).as(bug.name()).isPresent();
        System.out.printf(
                "%s: seed %d, %s%n",
                bug, failure.orElseThrow().seed(), failure.orElseThrow().what());
        assertThat(failure.orElseThrow().what()).containsPattern(Pattern.compile(bug.seen()));
    }
}
