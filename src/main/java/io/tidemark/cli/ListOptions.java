package io.tidemark.cli;

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

    int maximum() {
        return Math.max(1, maximum);
    }
}
