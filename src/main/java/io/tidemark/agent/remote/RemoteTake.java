package io.tidemark.agent.remote;

import io.tidemark.agent.HostTake;
import io.tidemark.agent.SteppedTake;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;

/** An agent's part in a recovery point over several hosts, asked over its connection. */
final class RemoteTake implements HostTake {
    /** Longer than the agent itself waits: it is the one to say what went wrong. */
    private static final Duration PREPARE_LIMIT = SteppedTake.PREPARE_LIMIT.plus(AgentCalls.LOST_WITHIN);

    private static final Pattern MARK = Pattern.compile("[0-9a-f]{32}");

    private final ConnectedAgent agent;
    private final RecoveryPointId id;
    private final ConsistencyGroup group;
    private boolean begun;
    private boolean ended;

    RemoteTake(ConnectedAgent agent, RecoveryPointId id, ConsistencyGroup group) {
        this.agent = agent;
        this.id = id;
        this.group = group;
    }

    /** Longer than the agent itself would wait: it is the one to say what went wrong. */
    private Duration frozenLimit() {
        return group.freezeLimit().plus(SteppedTake.AFTER_THAW).plus(AgentCalls.LOST_WITHIN);
    }

    @Override
    public void prepare() throws ConsistencyException {
        synchronized (this) {
            if (ended) {
                throw new ConsistencyException(new ConsistencyError.Cancelled(id));
            }
            begun = true;
        }
        agent.tell(new AgentCommand.PreparePoint(id, group), PREPARE_LIMIT);
    }

    @Override
    public void writeOut() throws ConsistencyException {
        agent.tell(new AgentCommand.WriteOutPoint(id), PREPARE_LIMIT);
    }

    @Override
    public String freeze() throws ConsistencyException {
        return mark(agent.ask(new AgentCommand.FreezePoint(id), frozenLimit(), String.class));
    }

    @Override
    public String cut(Map<String, String> frozen) throws ConsistencyException {
        return mark(agent.ask(new AgentCommand.CutPoint(id, frozen), frozenLimit(), String.class));
    }

    private String mark(String told) throws ConsistencyException {
        if (!MARK.matcher(told).matches()) {
            throw new ConsistencyException(
                    new ConsistencyError.NotTogether("agent %s answered with a mark of %d characters, not 32 hex digits"
                            .formatted(agent.id(), told.length())));
        }
        return told;
    }

    @Override
    public RecoveryPoint finish(Map<String, String> cut) throws ConsistencyException {
        return agent.ask(new AgentCommand.FinishPoint(id, cut), frozenLimit(), RecoveryPoint.class);
    }

    @Override
    public void close() {
        synchronized (this) {
            ended = true;
            if (!begun) {
                return;
            }
        }
        try {
            agent.tell(new AgentCommand.AbandonPoint(id), frozenLimit());
        } catch (ConsistencyException e) {
            // It ends by itself: with the connection, or with the freeze limit.
            ConnectedAgent.LOG.warn(
                    "agent.not_told recoveryPoint={} agent={} reason=\"{}\"", id, agent.id(), e.getMessage());
        }
    }
}
