package io.tidemark.simulation;

import java.util.function.Function;

/** Who plays the hosts: ours, or one that a test taught to be wrong. */
record Cast(Function<World, SimulatedSource> source, Function<World, SimulatedTarget> target) {
    static final Cast OURS = new Cast(SimulatedSource::new, SimulatedTarget::new);
}
