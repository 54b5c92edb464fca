package io.tidemark.agent.remote;

import java.util.List;
import java.util.regex.Pattern;

/**
 * What an agent says first.
 *
 * @param commandsOldest the oldest version of {@link AgentCommand} that it carries out
 * @param providers names of those that it is configured with, at most {@value #PROVIDERS_MAXIMUM}
 */
record AgentOffer(int commandsOldest, int commandsNewest, List<String> providers) {
    private static final int PROVIDERS_MAXIMUM = 32;
    private static final Pattern NAME = Pattern.compile("[a-z]{1,16}");

    AgentOffer {
        providers = List.copyOf(providers);
        var unused = new CommandVersions(commandsOldest, commandsNewest);
        if (providers.size() > PROVIDERS_MAXIMUM
                || !providers.stream().allMatch(name -> NAME.matcher(name).matches())) {
            throw new IllegalArgumentException(
                    "an agent offers at most %d providers, of names %s".formatted(PROVIDERS_MAXIMUM, NAME.pattern()));
        }
    }

    CommandVersions commands() {
        return new CommandVersions(commandsOldest, commandsNewest);
    }
}
