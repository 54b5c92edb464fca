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

    /**
     * No failure: {@link AgentCommand.DoOnce} cannot be answered now. Whoever takes it for one may begin the work anew
     * while it goes on. A controller that does not know it yet takes it for one of {@link Other}.
     */
    record AskAgain(String message) implements AgentFailure {}

    /** None of these: a command that is not known, a bug. */
    record Other(String message) implements AgentFailure {}
}
