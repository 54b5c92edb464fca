package io.tidemark.agent.remote;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What an agent lets its controller do, from its own configuration alone.
 *
 * @param volumes patterns of volume ids; {@code *} stands for any characters
 * @param quiescers kinds
 * @param overwrite whether volumes may be rolled back and removed
 */
public record AgentRules(List<String> volumes, Set<String> quiescers, boolean overwrite) {
    public AgentRules {
        volumes = List.copyOf(volumes);
        quiescers = Set.copyOf(quiescers);
    }

    boolean allows(VolumeId volume) {
        return volumes.stream().anyMatch(pattern -> matcher(pattern).test(volume.value()));
    }

    private static Predicate<String> matcher(String pattern) {
        String regex =
                List.of(pattern.split("\\*", -1)).stream().map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.compile(regex).asMatchPredicate();
    }

    /** @throws ProviderException Denied */
    void check(VolumeId volume) throws ProviderException {
        if (!allows(volume)) {
            throw denied("volume " + volume, "agent.volumes to name it");
        }
    }

    /** @throws ProviderException Denied */
    void checkQuiescer(String kind) throws ProviderException {
        if (!quiescers.contains(kind)) {
            throw denied("quiescer " + kind, "agent.quiescers to name it");
        }
    }

    /** @throws ProviderException Denied */
    void checkOverwrite(VolumeId volume) throws ProviderException {
        check(volume);
        if (!overwrite) {
            throw denied("rolling back or removing volume " + volume, "agent.overwrite to be true");
        }
    }

    private static ProviderException denied(String object, String setting) {
        return new ProviderException(
                new ProviderError.Denied(object, "%s, in the agent's own configuration".formatted(setting)));
    }
}
