package io.tidemark.provider.commands;

import io.tidemark.provider.commands.CommandRunner.Drain;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A program whose standard output is read, or whose standard input is written, while it runs. Closing kills it; so does
 * a thread of its own at the time limit, after which the output ends early, or no more input is taken, and
 * {@link #finish} says so.
 */
public final class CommandStream implements AutoCloseable {
    /** How exactly a limit on each wait is kept. */
    private static final Duration LOOK_EVERY_MAXIMUM = Duration.ofSeconds(1);

    private static final int LOOKS_A_LIMIT = 8;

    /** Of {@link #waitsSince}: whoever uses the stream does not wait for the program just now. */
    private static final long NOT = Long.MIN_VALUE;

    private final Command command;
    private final Process process;
    private final Optional<Drain> output;
    private final Drain error;
    private final AtomicBoolean tooMuch = new AtomicBoolean();
    private final AtomicBoolean timedOut = new AtomicBoolean();
    private final AtomicLong waitsSince = new AtomicLong(NOT);
    private final Thread limit;

    /** What the command's time limit is a limit on. */
    enum Limit {
        /** The program's life. */
        WHOLE,
        /** Each wait for it: whoever reads or writes slowly does not kill it. */
        EACH_WAIT
    }

    /** @param collect whether standard output is for {@link #finish} to answer, instead of being read */
    CommandStream(Command command, Process process, Limit kind, boolean collect) {
        this.command = command;
        this.process = process;
        this.output = collect
                ? Optional.of(Drain.start(process, process.getInputStream(), command.outputBytesMaximum(), tooMuch))
                : Optional.empty();
        this.error = Drain.start(process, process.getErrorStream(), command.outputBytesMaximum(), tooMuch);
        this.limit = Thread.ofVirtual().start(kind == Limit.WHOLE ? this::limitLife : this::limitWaits);
    }

    /** The program's standard output; belongs to this stream. Where each wait has a limit, {@link #read} keeps it. */
    public InputStream output() {
        return new Output();
    }

    /**
     * Reads what there is of the program's standard output, at least one byte.
     *
     * @return -1 at its end, which the program may have come to in any way: {@link #finish} tells
     */
    public int read(byte[] into, int offset, int length) throws IOException {
        return waiting(() -> process.getInputStream().read(into, offset, length));
    }

    /**
     * Hands bytes to the program's standard input.
     *
     * @throws IOException when it takes no more: {@link #finish} tells why
     */
    public void write(byte[] bytes, int offset, int length) throws IOException {
        waiting(() -> {
            process.getOutputStream().write(bytes, offset, length);
            process.getOutputStream().flush();
            return length;
        });
    }

    /**
     * Ends its input, if it has any, and waits for the program's end; to be called at the end of its output. Standard
     * output in the answer is what was not for reading.
     *
     * @throws CommandException when the program was killed by its limits
     */
    public Outcome finish() throws CommandException {
        try {
            int exit = waiting(() -> {
                endInput();
                return process.waitFor();
            });
            if (timedOut.get()) {
                throw new CommandException(new CommandError.TimedOut(command.program(), command.timeLimit()));
            }
            var answer = output.isPresent() ? output.get().text() : "";
            var complaints = error.text();
            if (tooMuch.get()) {
                throw new CommandException(
                        new CommandError.TooMuchOutput(command.program(), command.outputBytesMaximum()));
            }
            return new Outcome(exit, answer, complaints);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(new CommandError.Interrupted(command.program()), e);
        }
    }

    private void endInput() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended, and took no more: its exit status tells.
            return;
        }
    }

    /** Each of its reads is a wait like any other. */
    private final class Output extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return CommandStream.this.read(into, offset, length);
        }

        @Override
        public void close() throws IOException {
            process.getInputStream().close();
        }
    }

    private interface Wait<E extends Exception> {
        int until() throws E;
    }

    private <E extends Exception> int waiting(Wait<E> wait) throws E {
        waitsSince.set(System.nanoTime());
        try {
            return wait.until();
        } finally {
            waitsSince.set(NOT);
        }
    }

    private void limitLife() {
        try {
            if (!process.waitFor(command.timeLimit().toNanos(), TimeUnit.NANOSECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            // Closed: whoever closes kills the process.
            Thread.currentThread().interrupt();
        }
    }

    private void limitWaits() {
        var share = command.timeLimit().dividedBy(LOOKS_A_LIMIT);
        long every = (share.compareTo(LOOK_EVERY_MAXIMUM) < 0 ? share : LOOK_EVERY_MAXIMUM).toNanos();
        try {
            while (!process.waitFor(every, TimeUnit.NANOSECONDS)) {
                long since = waitsSince.get();
                if (since != NOT
                        && System.nanoTime() - since > command.timeLimit().toNanos()) {
                    kill();
                    return;
                }
            }
        } catch (InterruptedException e) {
            // Closed: whoever closes kills the process.
            Thread.currentThread().interrupt();
        }
    }

    private void kill() {
        timedOut.set(true);
        CommandRunner.kill(process);
    }

    /** On return the program has ended, unless the kernel does not let go of it within a few seconds. */
    @Override
    public void close() {
        limit.interrupt();
        CommandRunner.kill(process);
        boolean interrupted = Thread.interrupted();
        try {
            process.waitFor(CommandRunner.DEATH_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
