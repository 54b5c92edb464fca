package io.tidemark.agent.remote;

import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.StorageProvider;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What an agent says first.
 *
 * @param commandsOldest the oldest version of {@link AgentCommand} that it carries out
 * @param providers names of those that it is configured with, at most {@value #PROVIDERS_MAXIMUM}
 * @param abilities what each of them has, by its name; an agent of before version 3 of the commands says nothing of it
 */
record AgentOffer(
        int commandsOldest, int commandsNewest, List<String> providers, Optional<Map<String, Abilities>> abilities) {
    private static final int PROVIDERS_MAXIMUM = 32;
    private static final Pattern NAME = Pattern.compile("[a-z]{1,16}");

    /**
     * @param settings as {@link AgentAbility#setting}; what this side does not know is passed over
     * @param copiesFrom providers of the same agent whose snapshots it copies
     */
    record Abilities(Set<String> settings, Set<String> copiesFrom) {
        static final Abilities NONE = new Abilities(Set.of(), Set.of());

        Abilities {
            settings = Set.copyOf(settings);
            copiesFrom = Set.copyOf(copiesFrom);
        }

        boolean has(AgentAbility ability) {
            return settings.contains(ability.setting());
        }
    }

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

    static AgentOffer of(CommandVersions versions, Collection<StorageProvider> providers) {
        return new AgentOffer(
                versions.oldest(),
                versions.newest(),
                providers.stream().map(StorageProvider::name).toList(),
                Optional.of(providers.stream()
                        .collect(Collectors.toMap(StorageProvider::name, each -> abilities(each, providers)))));
    }

    private static Abilities abilities(StorageProvider provider, Collection<StorageProvider> all) {
        var copies = provider.ability(SnapshotCopies.class);
        return new Abilities(
                AgentAbility.of(provider).stream().map(AgentAbility::setting).collect(Collectors.toSet()),
                all.stream()
                        .filter(each -> copies.isPresent() && copies.get().copiesFrom(each))
                        .map(StorageProvider::name)
                        .collect(Collectors.toSet()));
    }

    Abilities of(String provider) {
        return abilities.map(all -> all.get(provider)).orElse(Abilities.NONE);
    }
}
