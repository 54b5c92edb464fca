package io.tidemark.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A check that finds nothing may be blind: each rule is broken once, and that must be seen. */
class MutantsAreCaughtTest {
    /** A fifth of what CI runs of the right hosts. */
    private static final long SEEDS = 4_000;

    @ParameterizedTest
    @EnumSource
    void isSeenWithinFourThousandSeeds(Mutant mutant) {
        var failure = Simulator.run(0, SEEDS - 1, Simulator.of(mutant.cast));

        assertThat(failure).as(mutant.name()).isPresent();
        System.out.printf(
                "%s: seed %d, %s%n",
                mutant, failure.orElseThrow().seed(), failure.orElseThrow().what());
    }
}
