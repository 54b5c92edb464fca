package io.tidemark.cli;

import java.lang.reflect.Method;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A noun whose verbs are its annotated methods. They are not described to the parser by themselves, which would describe
 * all of them: {@link #addVerbs} adds those that may be needed.
 */
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

    /** Adds the verb that was asked for; all of them when it is none of them, to be listed or to find the nearest. */
    static void addVerbs(CommandLine noun, String asked) {
        List<Method> verbs = CommandLine.getCommandMethods(noun.getCommand().getClass(), null);
        boolean known = verbs.stream().anyMatch(verb -> nameOf(verb).equals(asked));
        for (var verb : verbs) {
            if (!known || nameOf(verb).equals(asked)) {
                noun.addSubcommand(new CommandLine(verb));
            }
        }
    }

    private static String nameOf(Method verb) {
        return verb.getAnnotation(Command.class).name();
    }
}
