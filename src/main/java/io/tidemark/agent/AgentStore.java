package io.tidemark.agent;

import io.tidemark.domain.Agent;
import io.tidemark.domain.AgentId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Which agents are enrolled; kept by the store. Every write is durable on return. */
public interface AgentStore {
    /** In order of id. */
    List<Agent> agents();

    Optional<Agent> agent(AgentId id);

    Optional<Agent> agentByFingerprint(String fingerprint);

    /** @return whether there was one */
    boolean removeAgent(AgentId id);

    /** @param replaces whether the agent of that name may have another key by then, which it loses */
    void saveAgentInvitation(String secretSha256Hex, AgentId agent, boolean replaces, Instant expiresAt);

    /**
     * Enrols the key under the name of the invitation, in one transaction: an invitation is used up by exactly the key
     * that is enrolled. A key that is enrolled already is answered its name, unless the invitation is for another one.
     *
     * @return empty where the invitation is unknown, expired or used up, or its name has another key by now that it does not replace
     */
    Optional<Agent> enrol(String secretSha256Hex, String fingerprint, Instant now);
}
