package io.tidemark.provider.commands;

import io.tidemark.provider.commands.CommandRunner.Drain;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A program whose standard output is read while it runs. Closing kills it; so does a thread of its own at the time
 * limit, after which the output ends early and {@link #finish} says so.
 */
public final class CommandStream implements AutoCloseable {
    private final Command command;
    private final Process process;
    private final Drain error;
    private final AtomicBoolean tooMuch = new AtomicBoolean();
    private final AtomicBoolean timedOut = new AtomicBoolean();
    private final Thread limit;

    CommandStream(Command command, Process process) {
        this.command = command;
        this.process = process;
        this.error = Drain.start(process, process.getErrorStream(), command.outputBytesMaximum(), tooMuch);
        this.limit = Thread.ofVirtual().start(this::enforceLimit);
    }

    /** The program's standard output; belongs to this stream. */
    public InputStream output() {
        return process.getInputStream();
    }

    /**
     * Waits for the program's end, to be called at the end of its output; standard output in the answer is empty.
     *
     * @throws CommandException when the program was killed by its limits
     */
    public Outcome finish() throws CommandException {
        try {
            int exit = process.waitFor();
            if (timedOut.get()) {
                throw new CommandException(new CommandError.TimedOut(command.program(), command.timeLimit()));
            }
            var complaints = error.text();
            if (tooMuch.get()) {
                throw new CommandException(
                        new CommandError.TooMuchOutput(command.program(), command.outputBytesMaximum()));
            }
            return new Outcome(exit, "", complaints);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(new CommandError.Interrupted(command.program()), e);
        }
    }

    private void enforceLimit() {
        try {
            if (!process.waitFor(command.timeLimit().toNanos(), TimeUnit.NANOSECONDS)) {
                timedOut.set(true);
                CommandRunner.kill(process);
            }
        } catch (InterruptedException e) {
            // Closed: whoever closes kills the process.
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        limit.interrupt();
        CommandRunner.kill(process);
    }
}
