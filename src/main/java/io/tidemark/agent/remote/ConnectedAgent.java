package io.tidemark.agent.remote;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent while it is connected.
 *
 * @param fingerprint of its key
 * @param since when it connected
 * @param software its version
 */
record ConnectedAgent(
        AgentId id,
        String fingerprint,
        AgentCalls calls,
        List<RemoteProvider> providers,
        String address,
        String software,
        Instant since) {
    static final Logger LOG = LoggerFactory.getLogger(ConnectedAgent.class);

    ConnectedAgent {
        providers = List.copyOf(providers);
    }

    /** @throws ConsistencyException what the agent says, or AgentUnreachable */
    <T> T ask(AgentCommand command, Duration limit, Class<T> answer) throws ConsistencyException {
        try {
            return calls.call(command, limit, answer);
        } catch (AgentCallException e) {
            throw failure(e);
        } catch (IllegalArgumentException e) {
            throw new ConsistencyException(
                    new ConsistencyError.AgentUnreachable(id.value(), "it answered with " + e.getMessage()), e);
        }
    }

    /** As {@link #ask}, where nothing is wanted but that it was done. */
    void tell(AgentCommand command, Duration limit) throws ConsistencyException {
        try {
            calls.tell(command, limit);
        } catch (AgentCallException e) {
            throw failure(e);
        }
    }

    private ConsistencyException failure(AgentCallException e) {
        var error = e.failure()
                .<ConsistencyError>map(failure -> switch (failure) {
                    case AgentFailure.OfConsistency(var consistency) -> consistency;
                    case AgentFailure.OfStorage(var storage) -> new ConsistencyError.Storage(storage);
                    case AgentFailure.AskAgain(var message) ->
                        new ConsistencyError.AgentUnreachable(id.value(), message);
                    case AgentFailure.Other(var message) ->
                        new ConsistencyError.NotTogether("agent %s: %s".formatted(id, message));
                })
                .orElseGet(() -> new ConsistencyError.AgentUnreachable(id.value(), String.valueOf(e.getMessage())));
        return new ConsistencyException(error, e);
    }
}
