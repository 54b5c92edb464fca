package io.tidemark.bootstrap;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a site: controller and agent in one process. */
@Command(
        name = "standalone",
        description = {
            "Runs a site in the foreground: API, replication listener and agent in one process.",
            "SIGTERM stops it gracefully; after kill -9 the next start finishes or undoes what was under way."
        },
        mixinStandardHelpOptions = true)
public final class StandaloneCommand implements Callable<Integer> {
    @Mixin
    private RoleOptions options = new RoleOptions();

    @Override
    public Integer call() throws InterruptedException {
        return RoleExit.of(() -> {
            try (var site = Site.start(options.settings())) {
                site.awaitStop();
            }
        });
    }
}
