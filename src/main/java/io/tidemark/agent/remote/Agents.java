package io.tidemark.agent.remote;

import io.tidemark.domain.Agent;
import io.tidemark.domain.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The agents of this controller, as its users manage them. */
public interface Agents {

    /** In order of id. */
    List<Seen> all();

    Optional<Seen> find(AgentId id);

    /**
     * A one-time token with which a host becomes the agent of that name.
     *
     * @param replaces whether the agent of that name, where there is one, loses its key to the new host
     * @param validFor 1 minute to 7 days
     * @throws IllegalArgumentException when it is not
     */
    Invitation invite(AgentId id, boolean replaces, Duration validFor);

    /**
     * Forgets it and ends its connection: its key is refused from then on.
     *
     * @return whether there was one
     */
    boolean remove(AgentId id);

    /** @param token a secret: printed once, never logged */
    record Invitation(String token, Instant expiresAt) {}

    /** @param connection empty where it is not connected */
    record Seen(Agent agent, Optional<Connection> connection) {}

    /**
     * @param silent since it was last heard of; it is lost after {@link #LOST_WITHIN} at most
     * @param providers it offers, with its name before theirs
     */
    record Connection(String address, String software, Instant since, Duration silent, List<String> providers) {}

    Duration LOST_WITHIN = AgentCalls.LOST_WITHIN;
}
