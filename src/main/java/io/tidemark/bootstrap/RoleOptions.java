package io.tidemark.bootstrap;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a role's settings come from. */
final class RoleOptions {
    @Option(names = "--config", paramLabel = "FILE", description = "settings; config/tidemark.yaml shows them all")
    private @Nullable Path config;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "overrides one setting; may be repeated")
    private List<String> overrides = List.of();

    Settings settings() throws SettingsException {
        return Settings.load(Optional.ofNullable(config), overrides);
    }
}
