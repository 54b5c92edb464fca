package io.tidemark.agent.remote;

import java.io.Serial;
import java.util.Optional;

/** A command that was not answered, or answered with a failure. */
final class AgentCallException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Optional<AgentFailure> failure;

    /** The agent says why. */
    AgentCallException(AgentFailure failure) {
        super(failure.message());
        this.failure = Optional.of(failure);
    }

    /** There is no answer: what was asked may have been done. */
    AgentCallException(String unanswered) {
        super(unanswered);
        this.failure = Optional.empty();
    }

    /** Empty where there was no answer. */
    Optional<AgentFailure> failure() {
        return failure;
    }
}
