package io.tidemark.cli;

import io.tidemark.cli.block.BlockCommand;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.quickstart.QuickstartCommand;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line's root. Describes to the parser only the command and the verb that were asked for: describing all of
 * them costs more than everything else a client command does.
 */
@Command(
        name = "tidemark",
        description = "Snapshots, recovery points and replication of changed blocks.",
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        footer = {
            "",
            "Environment: TIDEMARK_URL, TIDEMARK_TOKEN_FILE, TIDEMARK_CA_FILE stand for the options of the same name.",
            "Every command has --help. Commands that start an operation wait for its end unless --no-wait is given."
        })
public final class TidemarkCommand {
    private static final Map<String, Supplier<Object>> COMMANDS = commands();
    /** Options of every client command that people also write before the command. */
    private static final Set<String> LEADING_WITH_VALUE = Set.of("--url", "--token-file", "--ca-file");

    private static final String LEADING_FLAG = "--json";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version of this command.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean version;

    private TidemarkCommand() {}

    private static Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("quickstart", QuickstartCommand::new);
        commands.put("status", StatusCommand::new);
        commands.put("volumes", VolumesCommand::new);
        commands.put("snapshots", SnapshotsCommand::new);
        commands.put("groups", GroupsCommand::new);
        commands.put("recovery-points", RecoveryPointsCommand::new);
        commands.put("exports", ExportsCommand::new);
        commands.put("live", LiveCommand::new);
        commands.put("attach", AttachCommand::new);
        commands.put("detach", DetachCommand::new);
        commands.put("discover", DiscoverCommand::new);
        commands.put("invitations", InvitationsCommand::new);
        commands.put("peers", PeersCommand::new);
        commands.put("links", LinksCommand::new);
        commands.put("agents", AgentsCommand::new);
        commands.put("operations", OperationsCommand::new);
        commands.put("block", BlockCommand::new);
        commands.put("version", VersionCommand::new);
        commands.put("completion", CompletionCommand::new);
        return commands;
    }

    /**
     * Runs one command; returns the process's exit code.
     *
     * @param roleCommands further commands by name: picocli command objects, or suppliers of them
     */
    public static int run(String[] args, Map<String, Object> roleCommands) {
        return run(
                args,
                roleCommands,
                new PrintWriter(System.out, true, System.out.charset()),
                new PrintWriter(System.err, true, System.err.charset()));
    }

    static int run(String[] args, Map<String, Object> roleCommands, PrintWriter out, PrintWriter err) {
        Map<String, Object> all = new LinkedHashMap<>(roleCommands);
        all.putAll(COMMANDS);
        var arguments = leadingOptionsLast(args, all.keySet());
        var root = new CommandLine(new TidemarkCommand());
        String word = arguments.isEmpty() ? "" : arguments.getFirst();
        String verb = arguments.size() > 1 ? arguments.get(1) : "";
        boolean one = all.containsKey(word) && !word.equals("completion");
        for (var command : all.entrySet()) {
            if (!one || command.getKey().equals(word)) {
                root.addSubcommand(command.getKey(), described(command.getValue(), verb));
            }
        }
        root.getCommandSpec()
                .version("tidemark " + VersionCommand.own())
                .usageMessage()
                .exitCodeList(exitCodes());
        root.setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(TidemarkCommand::misunderstood)
                .setExecutionExceptionHandler(TidemarkCommand::failed);
        if (arguments.isEmpty()) {
            root.usage(err);
            return ExitCode.USAGE;
        }
        return root.execute(arguments.toArray(String[]::new));
    }

    private static CommandLine described(Object command, String verb) {
        var described = new CommandLine(command instanceof Supplier<?> supplier ? supplier.get() : command);
        if (described.getCommand() instanceof ResourceCommand) {
            ResourceCommand.addVerbs(described, verb);
        }
        return described;
    }

    private static Map<String, String> exitCodes() {
        Map<String, String> codes = new LinkedHashMap<>();
        for (var meaning : ExitCode.MEANINGS) {
            int colon = meaning.indexOf(':');
            codes.put(meaning.substring(0, colon), meaning.substring(colon + 1));
        }
        return codes;
    }

    private static List<String> leadingOptionsLast(String[] args, Set<String> commands) {
        int at = 0;
        while (at < args.length && !commands.contains(args[at])) {
            if (LEADING_WITH_VALUE.contains(args[at]) && at + 1 < args.length) {
                at += 2;
            } else if (args[at].equals(LEADING_FLAG) || isLeadingAssignment(args[at])) {
                at++;
            } else {
                return List.of(args);
            }
        }
        List<String> arguments = new ArrayList<>(Arrays.asList(args).subList(at, args.length));
        arguments.addAll(Arrays.asList(args).subList(0, at));
        return arguments;
    }

    private static boolean isLeadingAssignment(String argument) {
        return LEADING_WITH_VALUE.stream().anyMatch(name -> argument.startsWith(name + "="));
    }

    private static int misunderstood(ParameterException e, String[] args) {
        var command = e.getCommandLine();
        var err = command.getErr();
        err.println("tidemark: " + phrase(e, command));
        err.println("  see: %s --help".formatted(command.getCommandSpec().qualifiedName()));
        return ExitCode.USAGE;
    }

    /** The parser's own words, but for words it does not know: there the nearest is what helps. */
    private static String phrase(ParameterException e, CommandLine command) {
        if (!(e instanceof UnmatchedArgumentException unmatched)) {
            return String.valueOf(e.getMessage());
        }
        String word = unmatched.getUnmatched().getFirst();
        if (word.startsWith("-")) {
            String bare = word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
            return "unknown option %s, nearest is %s"
                    .formatted(
                            bare,
                            NearestWord.of(
                                    bare, command.getCommandSpec().optionsMap().keySet()));
        }
        var subcommands = command.getSubcommands().keySet();
        return subcommands.isEmpty()
                ? "one word too many: %s".formatted(word)
                : "unknown command %s, nearest is %s".formatted(word, NearestWord.of(word, subcommands));
    }

    private static boolean asksForJson(@Nullable ParseResult parsed) {
        var deepest = parsed;
        while (deepest != null && deepest.hasSubcommand()) {
            deepest = deepest.subcommand();
        }
        return deepest != null && deepest.hasMatchedOption("--json");
    }

    private static int failed(Exception e, CommandLine command, @Nullable ParseResult parsed) {
        if (e instanceof ParameterException usage) {
            return misunderstood(usage, new String[0]);
        }
        var err = command.getErr();
        if (!(e instanceof ClientException refused)) {
            err.println("tidemark: this is a defect of tidemark; please report it with what follows");
            e.printStackTrace(err);
            return ExitCode.BUG;
        }
        int code = ExitCode.of(refused.error());
        if (asksForJson(parsed)) {
            err.println(Json.of(Map.of(
                            "error", refused.error().message(),
                            "advice", refused.error().advice(),
                            "exitCode", code))
                    .compact());
            return code;
        }
        err.println("tidemark: " + refused.error().message());
        if (!refused.error().advice().isEmpty()) {
            err.println("  " + refused.error().advice());
        }
        return code;
    }
}
