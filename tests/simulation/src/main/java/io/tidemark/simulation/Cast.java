package io.tidemark.simulation;

import java.util.function.Function;

/** Who plays the hosts: ours, or some that a test taught to be wrong. */
record Cast(
        Function<SimulatedHost, SimulatedSource> source,
        Function<SimulatedHost, SimulatedTarget> target,
        Function<SimulatedHost, SimulatedReversal> reversal) {
    static final Cast OURS = new Cast(SimulatedSource::new, SimulatedTarget::new, SimulatedReversal::new);
}
