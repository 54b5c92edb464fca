package io.tidemark.bootstrap;

import io.tidemark.cli.PolicyCommand;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the storage of a provider publishes of its limits, found by its name in the configuration or by its kind. */
public final class ProviderLimits {
    private ProviderLimits() {}

    /** @throws IllegalArgumentException where this distribution has no such provider, or the settings are wrong */
    public static PolicyCommand.Found of(String provider, Optional<Path> config) {
        try {
            var sections = Settings.load(config, List.of()).providers();
            return ProviderLoading.limits(provider, sections.getOrDefault(provider, Map.of()));
        } catch (SettingsException | SiteStartException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
