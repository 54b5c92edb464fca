package io.tidemark.provider.commands;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * One program to run: its name and arguments as they are, for no shell ever sees them.
 *
 * @param argv the program (a path, or a name looked up in {@code PATH}) and its arguments
 * @param timeLimit after so long it is killed
 * @param outputBytesMaximum of standard output and of standard error each; more kills it. A streamed command's
 *     standard output is not counted
 * @param environment beside what every program gets
 */
public record Command(List<String> argv, Duration timeLimit, int outputBytesMaximum, Map<String, String> environment) {
    /** Reports of storage tools on hosts with thousands of volumes stay well under this. */
    public static final int OUTPUT_BYTES_DEFAULT = 8 << 20;

    /** Storage tools that wait for a lock or a transaction answer within this, or are stuck. */
    public static final Duration TIME_LIMIT_DEFAULT = Duration.ofSeconds(60);

    public Command {
        argv = List.copyOf(argv);
        environment = Map.copyOf(environment);
        if (argv.isEmpty() || argv.getFirst().isEmpty()) {
            throw new IllegalArgumentException("a command needs a program");
        }
        if (argv.stream().anyMatch(argument -> argument.indexOf('\0') >= 0)) {
            throw new IllegalArgumentException("an argument holds a NUL character: " + argv);
        }
        if (!timeLimit.isPositive()) {
            throw new IllegalArgumentException("timeLimit is not positive: " + timeLimit);
        }
        if (outputBytesMaximum < 1) {
            throw new IllegalArgumentException("outputBytesMaximum is not positive: " + outputBytesMaximum);
        }
    }

    public Command(List<String> argv, Duration timeLimit, int outputBytesMaximum) {
        this(argv, timeLimit, outputBytesMaximum, Map.of());
    }

    /** With the usual limits. */
    public static Command of(String... argv) {
        return new Command(List.of(argv), TIME_LIMIT_DEFAULT, OUTPUT_BYTES_DEFAULT);
    }

    public Command within(Duration limit) {
        return new Command(argv, limit, outputBytesMaximum, environment);
    }

    public Command with(Map<String, String> variables) {
        return new Command(argv, timeLimit, outputBytesMaximum, variables);
    }

    public String program() {
        return argv.getFirst();
    }
}
