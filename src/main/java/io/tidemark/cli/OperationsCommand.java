package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "operations",
        description = "Asynchronous requests with state, progress and result.",
        addMethodSubcommands = false)
final class OperationsCommand extends ResourceCommand {
    private static final String PATH = "/v1/operations/";

    @Command(name = "list", description = "Lists operations, newest first.")
    int list(
            @Mixin SiteOptions site,
            @Mixin ListOptions range,
            @Option(
                            names = "--state",
                            paramLabel = "STATE",
                            description = "PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED.")
                    @Nullable
                    String state,
            @Option(
                            names = "--kind",
                            paramLabel = "KIND",
                            description = "snapshot, recovery-point, clone, rollback, sync or verify.")
                    @Nullable
                    String kind)
            throws ClientException {
        String query = "?"
                + (state == null ? "" : "state=" + segment(state.toUpperCase(Locale.ROOT)) + "&")
                + (kind == null ? "" : "kind=" + segment(kind) + "&");
        return range.show(
                site,
                "/v1/operations" + query.substring(0, query.length() - 1),
                List.of(
                        Column.text("ID", "id"),
                        Column.text("KIND", "kind"),
                        Column.text("SUBJECT", "subject"),
                        Column.text("STATE", "state"),
                        Column.of("PROGRESS", OperationsCommand::progress),
                        Column.text("STARTED AT", "createdAt")));
    }

    private static String progress(Json operation) {
        long total = operation.at("progress", "totalUnits").number();
        return total <= 0
                ? operation.at("progress", "phase").text()
                : "%d %%".formatted(operation.at("progress", "doneUnits").number() * 100 / total);
    }

    @Command(name = "show", description = "Shows one operation.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "ID", description = OPERATION) String operation)
            throws ClientException {
        return site.show(site.client().get(PATH + segment(operation)));
    }

    @Command(name = "watch", description = "Waits until an operation has ended, with a progress bar on a terminal.")
    int watch(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "ID", description = OPERATION) String operation)
            throws ClientException {
        return site.show(waiting.watch(site, operation));
    }

    @Command(name = "cancel", description = "Asks a running operation to stop; it undoes what it must first.")
    int cancel(@Mixin SiteOptions site, @Parameters(paramLabel = "ID", description = OPERATION) String operation)
            throws ClientException {
        var answer = site.client().post(PATH + segment(operation) + "/cancel");
        return site.say("operation %s was told to stop".formatted(operation), answer);
    }
}
