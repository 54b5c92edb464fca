package io.tidemark.consistency.filesystem;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A running {@code thaw-guard}. A thread of its own reads what the guard says, so that waiting for a line can have a
 * limit: reading a pipe cannot.
 */
final class GuardProcess implements GuardChannel {
    /** 64 file systems say two lines each in one life, and a handful more: 512 is far above. */
    private static final int LINES_MAXIMUM = 512;
    /** A guard that has its input closed thaws and ends in milliseconds; a loaded host may take seconds to run it. */
    private static final Duration END_LIMIT = Duration.ofSeconds(10);
    /** What the queue holds after the last line; no line can be empty. */
    private static final String END = "";

    private final Process process;
    private final OutputStream input;
    private final BlockingQueue<String> lines = new ArrayBlockingQueue<>(LINES_MAXIMUM);
    private final Runnable onLost;
    private final Thread reader =
            Thread.ofPlatform().daemon().name("thaw-guard-reader").unstarted(this::readLines);
    /** Written before the reader ends. */
    private volatile boolean saidDone;

    private boolean ended;

    private GuardProcess(Process process, Runnable onLost) {
        this.process = process;
        this.onLost = onLost;
        this.input = process.getOutputStream();
    }

    static GuardProcess start(Path program, Duration limit, Path entry, List<Path> mountPoints, Runnable onLost)
            throws IOException {
        var command = new ArrayList<String>();
        command.add(program.toString());
        command.add(Long.toString(limit.toMillis()));
        command.add(entry.toAbsolutePath().toString());
        mountPoints.forEach(mountPoint -> command.add(mountPoint.toString()));
        var builder = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().clear();
        var guard = new GuardProcess(builder.start(), onLost);
        guard.reader.start();
        return guard;
    }

    private void readLines() {
        var last = END;
        try (var reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!line.isEmpty()) {
                    last = line;
                    lines.put(line);
                }
            }
        } catch (IOException e) {
            // The pipe broke, which is the end of the guard like any other.
            last = END;
        } catch (InterruptedException e) {
            // Nothing interrupts this thread; the process is going down.
            Thread.currentThread().interrupt();
        }
        saidDone = last.equals(ThawGuard.DONE);
        if (!saidDone) {
            onLost.run();
        }
        // The queue has room for all that a guard ever says: nobody waits here.
        boolean unused = lines.offer(END);
    }

    @Override
    public void send(String command) throws IOException {
        input.write((command + "\n").getBytes(StandardCharsets.US_ASCII));
        input.flush();
    }

    @Override
    public Optional<String> receive(Duration limit) {
        if (ended) {
            return Optional.empty();
        }
        try {
            var line = lines.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (END.equals(line)) {
                ended = true;
                return Optional.empty();
            }
            return Optional.ofNullable(line);
        } catch (InterruptedException e) {
            // The caller is told to stop: as if the guard were silent, which makes the caller thaw by itself.
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    @Override
    public boolean end() {
        try {
            input.close();
        } catch (IOException e) {
            // The guard is gone already, or will hear of the end of its input all the same: waiting tells.
            return awaitEnd() && awaitLastWord();
        }
        return awaitEnd() && awaitLastWord();
    }

    /** One that was killed has ended, too, and left frozen what it had just frozen. */
    private boolean awaitLastWord() {
        try {
            return reader.join(END_LIMIT) && saidDone;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** Waits even when the thread is interrupted: who thaws next must know that the guard freezes no more. */
    private boolean awaitEnd() {
        boolean interrupted = false;
        long deadline = System.nanoTime() + END_LIMIT.toNanos();
        try {
            while (true) {
                try {
                    return process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
