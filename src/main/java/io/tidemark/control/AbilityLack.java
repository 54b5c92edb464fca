package io.tidemark.control;

import io.tidemark.agent.AsksAbilities;
import io.tidemark.spi.StorageProvider;

/** Why a storage is not asked for one of its rare abilities. */
final class AbilityLack {
    private AbilityLack() {}

    /** @param lacks what is so where the storage could be asked and has it not */
    static String of(StorageProvider provider, String lacks) {
        return provider instanceof AsksAbilities agents
                ? agents.abilitiesUntold().orElse(lacks)
                : lacks;
    }
}
