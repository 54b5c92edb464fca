package io.tidemark.agent.remote;

import java.util.List;

/**
 * What an agent says first.
 *
 * @param commandsOldest the oldest version of {@link AgentCommand} that it carries out
 * @param providers names of those that it is configured with
 */
record AgentOffer(int commandsOldest, int commandsNewest, List<String> providers) {
    AgentOffer {
        providers = List.copyOf(providers);
    }
}
