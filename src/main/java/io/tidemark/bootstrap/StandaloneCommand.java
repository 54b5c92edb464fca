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
    /** The configuration cannot be used. */
    private static final int EXIT_BAD_INPUT = 3;
    /** The site could not start: port taken, state folder in use, storage refused. */
    private static final int EXIT_FAILED = 6;

    @Option(names = "--config", paramLabel = "FILE", description = "settings; config/tidemark.yaml shows them all")
    private @Nullable Path config;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "overrides one setting; may be repeated")
    private List<String> overrides = List.of();

    @Override
    public Integer call() throws InterruptedException {
        try {
            var settings = Settings.load(Optional.ofNullable(config), overrides);
            try (var site = Site.start(settings)) {
                site.awaitStop();
            }
            return 0;
        } catch (SettingsException e) {
            System.err.println("tidemark: " + e.getMessage());
            return EXIT_BAD_INPUT;
        } catch (SiteStartException e) {
            System.err.println("tidemark: " + e.getMessage());
            return EXIT_FAILED;
        }
    }
}
