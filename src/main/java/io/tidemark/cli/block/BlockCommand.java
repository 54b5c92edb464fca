package io.tidemark.cli.block;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark block}: the block engine by hand. */
@Command(
        name = "block",
        description = "Index, compare and update image files and block devices, with no server.",
        subcommands = {IndexCommand.class, DiffCommand.class, ApplyCommand.class, VerifyCommand.class},
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            BlockExit.OK_MEANING,
            BlockExit.DIFFERS_MEANING,
            BlockExit.USAGE_MEANING,
            BlockExit.BAD_INPUT_MEANING,
            BlockExit.INPUT_OUTPUT_MEANING
        })
public final class BlockCommand implements Callable<Integer> {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getErr());
        }
        return BlockExit.USAGE;
    }
}
