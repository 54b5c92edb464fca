package io.tidemark.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A noun whose verbs are its annotated methods. */
@Command(synopsisSubcommandLabel = "VERB", sortOptions = false)
abstract class ResourceCommand {
    static final String VOLUME = "Volume's id, like image:orders.";
    static final String GROUP = "Group's id.";
    static final String RECOVERY_POINT = "Recovery point's id, like rp-….";
    static final String LINK = "Link's id, like ln-….";
    static final String PEER = "Peer's id, as this site calls it.";
    static final String OPERATION = "Operation's id, like op-….";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;
}
