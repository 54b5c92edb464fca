package io.tidemark.bootstrap;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a site: controller and agent in one process. */
@Command(
        name = "standalone",
        description = {
            "Runs a site in the foreground: API, replication listener and agent in one process.",
            "SIGTERM stops it gracefully; after kill -9 the next start finishes or undoes what was under way."
        },
        mixinStandardHelpOptions = true)
public final class StandaloneCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE", description = "settings; config/tidemark.yaml shows them all")
    private @Nullable Path config;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "overrides one setting; may be repeated")
    private List<String> overrides = List.of();

    @Override
    public Integer call() throws InterruptedException {
        return RoleExit.of(() -> {
            try (var site = Site.start(Settings.load(Optional.ofNullable(config), overrides))) {
                site.awaitStop();
            }
        });
    }
}
