package io.tidemark.cli;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import java.util.List;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** How much of a list to fetch. */
final class ListOptions {
    /** A table of more is not read by anyone; {@code --limit} may ask for more. */
    private static final String MAXIMUM_DEFAULT = "1000";

    @Option(
            names = "--limit",
            paramLabel = "COUNT",
            defaultValue = MAXIMUM_DEFAULT,
            description = "Most items to list; default " + MAXIMUM_DEFAULT + ".")
    private int maximum;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print ids alone, a line each.")
    private boolean idsAlone;

    private int maximum() {
        return Math.max(1, maximum);
    }

    /** Fetches the list and shows it; providers and agents that are missing in it are named on standard error. */
    int show(SiteOptions site, String path, List<Column> columns) throws ClientException {
        var missing = new TreeMap<String, String>();
        var items = site.client().list(path, maximum(), missing::put);
        if (idsAlone) {
            items.forEach(item -> site.out().println(item.at("id").text()));
        } else {
            var unused = site.show(items, columns);
        }
        missing.forEach((part, reason) -> site.err().println("nothing of %s is listed: %s".formatted(part, reason)));
        return missing.isEmpty() ? ExitCode.OK : ExitCode.INCOMPLETE;
    }
}
