package io.tidemark.agent.remote;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.spi.ProviderError;

/** Why a command was not carried out, as it travels. */
sealed interface AgentFailure {
    String message();

    record OfStorage(ProviderError error) implements AgentFailure {
        @Override
        public String message() {
            return error.message();
        }
    }

    record OfConsistency(ConsistencyError error) implements AgentFailure {
        @Override
        public String message() {
            return error.message();
        }
    }

    /** Neither: a command that is not known, a bug. */
    record Other(String message) implements AgentFailure {}
}
