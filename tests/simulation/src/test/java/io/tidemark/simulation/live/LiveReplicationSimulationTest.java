package io.tidemark.simulation.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.tidemark.simulation.Simulator;
import java.util.ArrayList;
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
    @ValueSource(longs = {35, 1_370, 2_501, 4_901, 24_748, 25_458})
    void whatOnceFailedHolds(long seed) {
        assertThat(Simulator.replay(seed, LiveWorld.worlds()).map(Simulator.Failure::report))
                .isEmpty();
    }

    /** A check that finds nothing may be blind. */
    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsSeen(PlantedBug bug) {
        var seen = Pattern.compile(bug.seen());
        var others = new ArrayList<String>();
        for (long from = 0; from < SEEDS_OF_A_BUG; ) {
            var failure = Simulator.run(from, SEEDS_OF_A_BUG - 1, LiveWorld.of(bug::fault));
            if (failure.isEmpty()) {
                break;
            }
            if (seen.matcher(failure.get().what()).find()) {
                System.out.printf(
                        "%s: seed %d, %s%n",
                        bug, failure.get().seed(), failure.get().what());
                return;
            }
            // What follows from it may be seen in some world before it is itself.
            others.add(failure.get().what());
            from = failure.get().seed() + 1;
        }
        fail("%s is not seen by its own check, but by %s", bug, others);
    }
}
