package io.tidemark.nativeblock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A running thaw-guard, spoken to line by line. Closing ends its input, which thaws. */
final class GuardProcess implements AutoCloseable {
    private static final long ANSWER_LIMIT_SECONDS = 20;

    /** Put into the queue when the guard's output has ended. */
    private static final String END = "(end of output)";

    private final Process process;
    private final Writer input;
    private final Path entry;
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();

    GuardProcess(Path program, long limitMillis, Path... mounts) throws IOException {
        entry = Files.createTempFile("entry", ".freeze");
        var command = new ArrayList<>(List.of(program.toString(), Long.toString(limitMillis), entry.toString()));
        for (var mount : mounts) {
            command.add(mount.toString());
        }
        process = new ProcessBuilder(command).start();
        input = process.outputWriter();
        Thread.ofVirtual().start(this::collect);
    }

    private void collect() {
        try (var output = process.inputReader()) {
            for (String line; (line = output.readLine()) != null; ) {
                lines.add(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            lines.add(END);
        }
    }

    void send(String command) throws IOException {
        input.write(command + "\n");
        input.flush();
    }

    void endInput() throws IOException {
        input.close();
    }

    /** The words of the next line. */
    String[] next() throws InterruptedException {
        var line = lines.poll(ANSWER_LIMIT_SECONDS, TimeUnit.SECONDS);
        if (line == null) {
            throw new AssertionError("the guard did not answer in " + ANSWER_LIMIT_SECONDS + " s");
        }
        return line.split(" ");
    }

    /** The words of the next line, which begins so. */
    String[] next(String word) throws InterruptedException {
        var words = next();
        if (!words[0].equals(word)) {
            throw new AssertionError("expected %s, got %s".formatted(word, String.join(" ", words)));
        }
        return words;
    }

    boolean outputEnded() throws InterruptedException {
        return String.join(" ", next()).equals(END);
    }

    /** Freezes all of so many paths; returns when the first was requested. */
    long freeze(int paths) throws IOException, InterruptedException {
        next("ready");
        send("freeze");
        long requested = 0;
        for (int i = 0; i < paths; i++) {
            var frozen = next("frozen");
            requested = i == 0 ? Long.parseLong(frozen[2]) : requested;
        }
        next("all-frozen");
        return requested;
    }

    void signal(String name) {
        LoopFileSystem.run("kill", "-" + name, Long.toString(process.pid()));
    }

    /** The journal's file that it keeps locked. */
    Path entry() {
        return entry;
    }

    ProcessHandle sentinel() {
        return process.children().findFirst().orElseThrow();
    }

    int exit() throws InterruptedException {
        if (!process.waitFor(ANSWER_LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the guard did not end in " + ANSWER_LIMIT_SECONDS + " s");
        }
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        Files.deleteIfExists(entry);
    }
}
