package io.tidemark.cli.block;

import io.tidemark.nativeblock.ReadBy;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How images are read: by how many threads, past the page cache or not, how fast. */
final class ReadOptions {
    /** Reading from the page cache is bound by memory bandwidth, which so many cores use up on most machines. */
    private static final int DEFAULT_MAXIMUM = 16;

    private static final int MAXIMUM = 64;

    /** Below this a scan of anything worth it ends never: more likely a unit was forgotten. */
    private static final long RATE_MINIMUM = 64L << 10;

    private static final long RATE_MAXIMUM = 1L << 40;

    @Option(
            names = "--threads",
            paramLabel = "COUNT",
            description = "Threads that hash, 1 to 64; default: one a core, at most 16.")
    private @Nullable String threads;

    @Option(
            names = "--direct",
            description = "Read past the page cache (O_DIRECT): faster from disks, and other programs' cache stays.")
    private boolean direct;

    @Option(
            names = "--rate-limit",
            paramLabel = "RATE",
            description = "Bytes a second to read at most, all images together: 100M, 1.5GiB. From 64K to 1T.")
    private @Nullable String rateLimit;

    int threads() throws CommandFailure {
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

    ReadBy readBy() {
        return direct ? ReadBy.DIRECT : ReadBy.MAPPED;
    }

    /** A pipe goes as fast as who fills it. */
    void refuseForPipe() throws CommandFailure {
        if (direct || rateLimit != null) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "%s cannot be used with a pipe".formatted(direct ? "--direct" : "--rate-limit"),
                    "leave it out, or name a file or device instead of -");
        }
    }

    /** Bytes a second; 0 for no limit. */
    long rateLimit() throws CommandFailure {
        if (rateLimit == null) {
            return 0;
        }
        long rate = Sizes.parseRate(rateLimit);
        if (rate < RATE_MINIMUM || rate > RATE_MAXIMUM) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "--rate-limit %s is not a rate from 64K to 1T bytes a second".formatted(rateLimit),
                    "write it as 100M or 1.5GiB; leave it out to read as fast as it goes");
        }
        return rate;
    }
}
