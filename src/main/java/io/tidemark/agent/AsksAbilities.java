package io.tidemark.agent;

import java.util.Optional;

/** Storage whose rare abilities are asked for over a connection: an agent's. */
public interface AsksAbilities {

    /** Why none of them can be asked for now, as a phrase with the way out; empty where what the storage has can be. */
    Optional<String> abilitiesUntold();
}
