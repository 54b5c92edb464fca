package io.tidemark.bootstrap;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a site that has no storage of its own. */
@Command(
        name = "controller",
        description = {
            "Runs a controller in the foreground: API and operations, with the storage of its agents alone.",
            "A standalone site takes agents too, and has storage of its own besides."
        },
        mixinStandardHelpOptions = true)
public final class ControllerCommand implements Callable<Integer> {
    @Mixin
    private RoleOptions options = new RoleOptions();

    @Override
    public Integer call() throws InterruptedException {
        return RoleExit.of(() -> {
            var settings = options.settings();
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
