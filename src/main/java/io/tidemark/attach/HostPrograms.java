package io.tidemark.attach;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The host's own programs, run without a shell. */
final class HostPrograms {
    /** What takes this long hangs: each makes or ends one device. */
    static final Duration LIMIT = Duration.ofSeconds(30);

    private static final CommandRunner RUNNER = new CommandRunner();

    private HostPrograms() {}

    static Optional<Path> find(String program) {
        return RUNNER.find(program);
    }

    /** Runs to the end; returns what it printed. */
    static String run(String... command) throws IOException {
        return run(LIMIT, command);
    }

    /** @param limit past it the program is killed; where the kernel keeps it, it ends later and is not waited for */
    static String run(Duration limit, String... command) throws IOException {
        Outcome outcome;
        try {
            outcome = RUNNER.run(Command.of(command).within(limit));
        } catch (CommandException e) {
            throw new IOException(e.getMessage(), e);
        }
        if (!outcome.succeeded()) {
            throw new IOException("%s ended with %s".formatted(command[0], outcome.evidence()));
        }
        return outcome.stdout().strip();
    }

    /** Starts what goes on after this process and its terminal; what it prints goes to the file. */
    static Process start(Path output, List<String> command) throws IOException {
        // Of a group that it does not lead, setsid becomes the program itself: the number is the program's.
        return new ProcessBuilder(
                        Stream.concat(Stream.of("setsid"), command.stream()).toList())
                .directory(Path.of("/").toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
    }
}
