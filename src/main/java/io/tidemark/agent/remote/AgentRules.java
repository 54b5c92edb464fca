package io.tidemark.agent.remote;

import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
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
 * @param secrets folder in which files with passwords lie: the controller may name those in it, and no others
 * @param overwrite whether volumes may be rolled back and removed
 * @param abilities what storage may be told to do besides: much of it costs money, or cannot be taken back
 */
public record AgentRules(
        List<String> volumes, Set<String> quiescers, Path secrets, boolean overwrite, Set<AgentAbility> abilities) {
    private static final List<String> HERE = List.of("127.0.0.1", "localhost", "::1");

    public AgentRules {
        volumes = List.copyOf(volumes);
        quiescers = Set.copyOf(quiescers);
        abilities = Set.copyOf(abilities);
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

    /**
     * A password goes to whoever is asked to prove that he knows it: only this host is, and only with this folder's files.
     *
     * @param secretFiles names of the settings that the kind declares as secret
     * @throws ProviderException Denied
     */
    void check(QuiescerSpec quiescer, Set<String> secretFiles) throws ProviderException {
        if (!quiescers.contains(quiescer.kind())) {
            throw denied("quiescer " + quiescer.kind(), "agent.quiescers to name it");
        }
        for (var setting : quiescer.settings().entrySet()) {
            var value = setting.getValue();
            if (secretFiles.contains(setting.getKey())
                    && !Path.of(value).normalize().startsWith(secrets)) {
                throw denied(
                        "file %s of quiescer %s".formatted(value, quiescer.kind()), "agent.secrets to be its folder");
            }
            if (!isHere(setting.getKey(), value)) {
                throw new ProviderException(new ProviderError.Denied(
                        "quiescer %s at host %s".formatted(quiescer.kind(), value),
                        "an agent of its own there: one freezes databases of its own host alone, %s".formatted(HERE)));
            }
        }
    }

    /** Of the settings that name who is asked to log us in: a database's host, and {@code host:port} of its router. */
    private static boolean isHere(String setting, String value) {
        return switch (setting) {
            case "host" -> HERE.contains(value);
            case "router" ->
                HERE.contains(value.substring(0, Math.max(0, value.lastIndexOf(':')))
                        .replace("[", "")
                        .replace("]", ""));
            default -> true;
        };
    }

    /** @throws ProviderException Denied */
    void checkOverwrite(VolumeId volume) throws ProviderException {
        check(volume);
        if (!overwrite) {
            throw denied("rolling back or removing volume " + volume, "agent.overwrite to be true");
        }
    }

    /** @throws ProviderException Denied */
    void check(AgentAbility ability) throws ProviderException {
        if (!abilities.contains(ability)) {
            throw denied("changing " + ability.setting(), "agent.abilities to name " + ability.setting());
        }
    }

    private static ProviderException denied(String object, String setting) {
        return new ProviderException(
                new ProviderError.Denied(object, "%s, in the agent's own configuration".formatted(setting)));
    }
}
