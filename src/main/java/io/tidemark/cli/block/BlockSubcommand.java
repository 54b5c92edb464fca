package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.cli.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What index, diff, apply and verify share: output, errors, exit codes. */
abstract class BlockSubcommand implements Callable<Integer> {
    private static final double NANOS_PER_SECOND = 1e9;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Option(names = "--json", description = "Print one JSON object last, and errors as one too.")
    private boolean json;

    @Option(names = "--no-progress", description = "No progress bar; without a terminal there is none anyway.")
    private boolean noProgress;

    @Spec
    private @Nullable CommandSpec spec;

    private long startNanos;

    /** Does the work and prints the result. */
    abstract int run() throws IOException, BlockException, CommandFailure;

    @Override
    public final Integer call() {
        startNanos = System.nanoTime();
        try {
            return run();
        } catch (CommandFailure e) {
            return report(e);
        } catch (BlockException e) {
            return report(Failures.of(e.error()));
        } catch (IOException e) {
            return report(Failures.of(e));
        } catch (UncheckedIOException e) {
            return report(Failures.of(e));
        }
    }

    final double seconds() {
        return (System.nanoTime() - startNanos) / NANOS_PER_SECOND;
    }

    final ProgressLine progress(String phase, long totalBytes) {
        boolean shown = !noProgress && !json && Terminal.STANDARD_ERROR.present();
        return new ProgressLine(spec().commandLine().getErr(), shown, phase, totalBytes);
    }

    /** Prints one or the other. */
    final void print(ResultDocument document, String... lines) {
        if (json) {
            out().println(document);
        } else {
            for (String line : lines) {
                out().println(line);
            }
        }
        out().flush();
    }

    /** What a person should know and no result is. */
    final void warn(String text) {
        var err = spec().commandLine().getErr();
        err.println("%s: warning: %s".formatted(spec().qualifiedName(), text));
        err.flush();
    }

    private int report(CommandFailure failure) {
        var err = spec().commandLine().getErr();
        err.println("%s: %s".formatted(spec().qualifiedName(), failure.text()));
        err.println("  " + failure.advice());
        err.flush();
        if (json) {
            var error = new ResultDocument()
                    .put("message", failure.text())
                    .put("advice", failure.advice())
                    .put("exitCode", failure.exitCode());
            print(new ResultDocument().put("ok", false).put("error", error));
        }
        return failure.exitCode();
    }

    /** Whether standard output is for the result alone, and everything else goes to standard error. */
    boolean writesToStandardOutput() {
        return false;
    }

    private PrintWriter out() {
        var line = spec().commandLine();
        return writesToStandardOutput() ? line.getErr() : line.getOut();
    }

    private CommandSpec spec() {
        if (spec == null) {
            throw new AssertionError("called before the command line was parsed");
        }
        return spec;
    }
}
