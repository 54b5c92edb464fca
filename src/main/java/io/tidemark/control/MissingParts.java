package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.agent.Unlisted;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a list leaves out, and why: one provider or host that does not answer does not hide what the others have. But
 * where none answers at all there is no list.
 */
final class MissingParts {
    private final Map<String, Unlisted> agents = new TreeMap<>();
    private final Map<String, Unlisted> providers = new TreeMap<>();
    private Optional<ProviderException> first = Optional.empty();
    private boolean anyAnswered;

    /** Empty, for a list that is of one volume alone. */
    static MissingParts none() {
        return new MissingParts();
    }

    /** With the agents that are not connected. */
    static MissingParts of(Providers providers) {
        var missing = new MissingParts();
        providers.unreachable().forEach(host -> missing.agents.put(host.name(), host));
        return missing;
    }

    void answered() {
        anyAnswered = true;
    }

    void failed(StorageProvider provider, ProviderException failure) {
        var reason = failure.error().message();
        VolumeId.of(provider.name(), "any")
                .agent()
                .ifPresentOrElse(
                        agent -> agents.put(agent, Unlisted.agent(agent, reason)),
                        () -> providers.put(provider.name(), Unlisted.provider(provider.name(), reason)));
        first = first.or(() -> Optional.of(failure));
    }

    /**
     * @param whole whether all were asked for this page; else some have answered for an earlier one
     * @throws ProviderException the first failure, where all were asked, there was one and nobody answered
     */
    List<Unlisted> all(boolean whole) throws ProviderException {
        if (whole && !anyAnswered && first.isPresent()) {
            throw first.orElseThrow();
        }
        return Stream.of(providers.values(), agents.values())
                .flatMap(Collection::stream)
                .toList();
    }
}
