package io.tidemark.bootstrap;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a site that has no storage of its own. */
@Command(
        name = "controller",
        description = {
            "Runs a controller in the foreground: API and operations, with the storage of its agents alone.",
            "A standalone site takes agents too, and has storage of its own besides."
        },
        mixinStandardHelpOptions = true)
public final class ControllerCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE", description = "settings; config/tidemark.yaml shows them all")
    private @Nullable Path config;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "overrides one setting; may be repeated")
    private List<String> overrides = List.of();

    @Override
    public Integer call() throws InterruptedException {
        return RoleExit.of(() -> {
            var settings = Settings.load(Optional.ofNullable(config), overrides);
            if (!settings.providers().isEmpty()) {
                throw new SettingsException(
                        "providers.%s: a controller has no storage of its own; configure it at an agent, or run \"tidemark standalone\""
                                .formatted(String.join(
                                        ", providers.", settings.providers().keySet())));
            }
            try (var site = Site.start(settings)) {
                site.awaitStop();
            }
        });
    }
}
