package io.tidemark.provider.commands;

import io.tidemark.provider.commands.CommandStream.Limit;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs programs: arguments go in as they are, exit status and output come out. There is no shell, the locale is
 * {@code C}, standard input is empty unless it is fed, and the environment holds {@code PATH} and {@code LC_ALL} beside
 * what the command names. A program that runs too long or says too much is killed, with whatever it started.
 */
public final class CommandRunner {
    /** Where administrators' tools are, also when the account's own {@code PATH} leaves them out. */
    private static final String PATH_ALWAYS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /** A killed process is gone from the kernel within this, or its device is stuck and waiting is in vain. */
    static final Duration DEATH_LIMIT = Duration.ofSeconds(5);

    private static final int COPY_BYTES = 8_192;

    private static final Redirect NOTHING = Redirect.from(new File("/dev/null"));

    private final String path;

    public CommandRunner() {
        this(System.getenv().getOrDefault("PATH", ""));
    }

    CommandRunner(String ownPath) {
        var folders = new LinkedHashSet<String>();
        for (var part : (ownPath + ":" + PATH_ALWAYS).split(":", -1)) {
            // A relative folder would let the current directory decide which program runs.
            if (part.startsWith("/")) {
                folders.add(part);
            }
        }
        path = String.join(":", folders);
    }

    /** The program's file, if it is installed where {@link #run} would find it. */
    public Optional<Path> find(String program) {
        if (program.contains("/")) {
            return Optional.of(Path.of(program)).filter(CommandRunner::executable);
        }
        return Arrays.stream(path.split(":", -1))
                .map(folder -> Path.of(folder, program))
                .filter(CommandRunner::executable)
                .findFirst();
    }

    private static boolean executable(Path file) {
        return Files.isRegularFile(file) && Files.isExecutable(file);
    }

    /** Runs to the end and answers what the program said, whatever its exit status. */
    public Outcome run(Command command) throws CommandException {
        var process = start(command, NOTHING);
        var tooMuch = new AtomicBoolean();
        var output = Drain.start(process, process.getInputStream(), command.outputBytesMaximum(), tooMuch);
        var error = Drain.start(process, process.getErrorStream(), command.outputBytesMaximum(), tooMuch);
        try {
            if (!process.waitFor(command.timeLimit().toNanos(), TimeUnit.NANOSECONDS)) {
                throw new CommandException(new CommandError.TimedOut(command.program(), command.timeLimit()));
            }
            var outcome = new Outcome(process.exitValue(), output.text(), error.text());
            if (tooMuch.get()) {
                throw new CommandException(
                        new CommandError.TooMuchOutput(command.program(), command.outputBytesMaximum()));
            }
            return outcome;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(new CommandError.Interrupted(command.program()), e);
        } finally {
            kill(process);
        }
    }

    /** Starts the program and hands over its standard output while it runs. Close it. */
    public CommandStream stream(Command command) throws CommandException {
        return new CommandStream(command, start(command, NOTHING), Limit.WHOLE, false);
    }

    /** As {@link #stream}, but the time limit is one on each {@link CommandStream#read} and on the program's end. */
    public CommandStream source(Command command) throws CommandException {
        return new CommandStream(command, start(command, NOTHING), Limit.EACH_WAIT, false);
    }

    /**
     * Starts the program and feeds it by {@link CommandStream#write}; the time limit is one on each of those and on the
     * program's end. Close it.
     */
    public CommandStream sink(Command command) throws CommandException {
        return new CommandStream(command, start(command, Redirect.PIPE), Limit.EACH_WAIT, true);
    }

    /** What every program gets, whatever else it is given. */
    public Map<String, String> environment() {
        return Map.of("PATH", path, "LC_ALL", "C");
    }

    private Process start(Command command, Redirect input) throws CommandException {
        var file = find(command.program())
                .orElseThrow(() -> new CommandException(
                        new CommandError.NotStarted(command.program(), "it is not an executable file in " + path)));
        var builder = new ProcessBuilder(new ArrayList<>(command.argv()));
        builder.command().set(0, file.toString());
        builder.environment().clear();
        builder.environment().putAll(environment());
        builder.environment().putAll(command.environment());
        builder.redirectInput(input);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new CommandException(
                    new CommandError.NotStarted(command.program(), String.valueOf(e.getMessage())), e);
        }
    }

    /** Ends a process and its children; does nothing to one that has ended. */
    static void kill(Process process) {
        if (process.isAlive()) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /** Collects one output of a process on a thread of its own, so that neither output can block the other. */
    static final class Drain {
        private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
        private final Thread thread;

        private Drain(Process process, InputStream stream, int bytesMaximum, AtomicBoolean tooMuch) {
            thread = Thread.ofVirtual().unstarted(() -> drain(process, stream, bytesMaximum, tooMuch));
        }

        static Drain start(Process process, InputStream stream, int bytesMaximum, AtomicBoolean tooMuch) {
            var drain = new Drain(process, stream, bytesMaximum, tooMuch);
            drain.thread.start();
            return drain;
        }

        private void drain(Process process, InputStream stream, int bytesMaximum, AtomicBoolean tooMuch) {
            var buffer = new byte[COPY_BYTES];
            try (stream) {
                for (int length = stream.read(buffer); length >= 0; length = stream.read(buffer)) {
                    if (collected.size() + length > bytesMaximum) {
                        tooMuch.set(true);
                        kill(process);
                        return;
                    }
                    collected.write(buffer, 0, length);
                }
            } catch (IOException e) {
                // The process was killed while we read: what it had said until then is the answer.
                return;
            }
        }

        /** What was collected once the process has ended; a grandchild that keeps the pipe open is not waited for. */
        String text() throws InterruptedException {
            if (!thread.join(DEATH_LIMIT)) {
                return "";
            }
            return collected.toString(StandardCharsets.UTF_8);
        }
    }
}
