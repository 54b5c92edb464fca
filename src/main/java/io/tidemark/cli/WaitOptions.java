package io.tidemark.cli;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import java.time.Duration;
import java.util.function.BiConsumer;
import picocli.CommandLine.Option;

/** For commands that start an operation: whether and how long to wait for its end. */
final class WaitOptions {
    @Option(names = "--no-wait", description = "Print the operation's id and return at once.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "0s",
            converter = Units.DurationConverter.class,
            description = "Longest time to wait, like 30s or 10m; default: until it ends. The operation goes on.")
    private Duration timeout = Duration.ZERO;

    /** @param print shows the operation's result; not called with {@code --json} */
    int finish(SiteOptions site, Json operation, BiConsumer<SiteOptions, Json> print) throws ClientException {
        if (noWait) {
            return started(site, operation);
        }
        var ended = watch(site, operation.at("id").text());
        if (site.json()) {
            return site.show(ended);
        }
        print.accept(site, Operations.result(ended));
        return ExitCode.OK;
    }

    boolean waits() {
        return !noWait;
    }

    int started(SiteOptions site, Json operation) {
        return site.say(operation.at("id").text(), operation);
    }

    Json watch(SiteOptions site, String operation) throws ClientException {
        boolean drawn = !site.json() && Terminal.STANDARD_ERROR.present();
        try (var bar = new ProgressBar(site.err(), drawn)) {
            return new Operations(site.client()).await(operation, timeout, bar::show);
        }
    }
}
