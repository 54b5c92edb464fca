package io.tidemark.cli.block;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How many threads hash. */
final class ThreadOption {
    /** Hashing is bound by memory bandwidth, which four cores use up. */
    private static final int DEFAULT_MAXIMUM = 4;

    /** Each thread has up to 4 MiB of digests in flight. */
    private static final int MAXIMUM = 64;

    @Option(
            names = "--threads",
            paramLabel = "COUNT",
            description = "Threads that hash, 1 to 64; default: one a core, at most 4.")
    private @Nullable String threads;

    int count() throws CommandFailure {
        if (threads == null) {
            return Math.min(Runtime.getRuntime().availableProcessors(), DEFAULT_MAXIMUM);
        }
        long count = threads.matches("\\d{1,9}") ? Long.parseLong(threads) : -1;
        if (count < 1 || count > MAXIMUM) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "--threads %s is not a number from 1 to %d".formatted(threads, MAXIMUM),
                    "leave it out to use one thread a core");
        }
        return (int) count;
    }
}
