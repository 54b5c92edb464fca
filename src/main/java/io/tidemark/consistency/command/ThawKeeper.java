package io.tidemark.consistency.command;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process that runs one freeze program and its thaw program, and the thaw program also when this process dies or is
 * stopped: {@code keeper.sh}. Owned by one thread.
 */
final class ThawKeeper {
    /** What it needs of the host. */
    static final List<String> PROGRAMS = List.of("setsid", "bash", "timeout", "flock");

    /** Of what the programs say, kept; the rest is read and dropped, so that they never wait for a reader. */
    static final int OUTPUT_BYTES_MAXIMUM = 8_192;

    /** What the keeper itself needs beside its programs, on a busy host. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private static final double MILLIS_PER_SECOND = 1_000;
    private static final String SCRIPT = script();

    private final Process process;
    private final Times times;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final StringBuilder output = new StringBuilder();

    /**
     * @param freeze longest time of the freeze program
     * @param frozen longest time from its end to the thaw
     * @param thaw longest time of one attempt to thaw
     */
    record Times(Duration freeze, Duration frozen, Duration thaw, int thawAttempts) {}

    private ThawKeeper(Process process, Times times) {
        this.process = process;
        this.times = times;
    }

    /** Starts the freeze program at once. */
    static ThawKeeper start(CommandDefinition command, Times times, Path journal, Map<String, String> environment)
            throws IOException {
        var argv = new ArrayList<>(List.of("setsid", "bash", "--norc", "-c", SCRIPT, "tidemark-keeper"));
        argv.add(seconds(times.freeze()));
        argv.add(seconds(times.frozen()));
        argv.add(seconds(times.thaw()));
        argv.add(Integer.toString(times.thawAttempts()));
        argv.add(journal.toString());
        argv.add(Integer.toString(command.freeze().size()));
        argv.addAll(command.freeze());
        argv.addAll(command.thaw());
        var builder = new ProcessBuilder(argv)
                .redirectInput(Redirect.PIPE)
                .directory(Path.of("/").toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        var keeper = new ThawKeeper(builder.start(), times);
        Thread.ofVirtual().start(() -> keeper.listen(keeper.process.getInputStream()));
        Thread.ofVirtual().start(() -> keeper.collect(keeper.process.getErrorStream()));
        return keeper;
    }

    /** The freeze program's exit status; empty when the keeper does not tell. */
    Optional<Integer> froze() throws InterruptedException {
        return answer("froze ", times.freeze().plus(GRACE)).map(Integer::parseInt);
    }

    /** Its outputs are closed a little before it is gone. */
    boolean hasEnded() throws InterruptedException {
        return process.waitFor(GRACE.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Whether it waits for the word to thaw, as far as it has told. */
    boolean holds() {
        return process.isAlive() && lines.isEmpty();
    }

    /**
     * Thaws, and tells why that was begun: {@code asked} where it had held until now.
     *
     * @return empty when the keeper does not tell
     */
    Optional<String> thaw() throws InterruptedException {
        try (var in = process.getOutputStream()) {
            in.write("thaw\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It has ended, or it thaws already: what it says next tells.
            return answer("thawing ", GRACE);
        }
        return answer("thawing ", GRACE);
    }

    /** Attempts and the last one's exit status, once the thaw is over; empty when the keeper does not tell. */
    Optional<Thawed> thawed() throws InterruptedException {
        var limit = times.thaw()
                .plus(CommandDefinition.BETWEEN_ATTEMPTS)
                .multipliedBy(times.thawAttempts())
                .plus(GRACE);
        return answer("thawed ", limit).map(text -> {
            var numbers = text.split(" ", 2);
            return new Thawed(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
        });
    }

    record Thawed(int attempts, int status) {}

    private Optional<String> answer(String prefix, Duration limit) throws InterruptedException {
        var line = lines.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
        return Optional.ofNullable(line)
                .filter(text -> text.startsWith(prefix))
                .map(text -> text.substring(prefix.length()));
    }

    /** The beginning of what the programs have said until now. */
    String output() {
        synchronized (output) {
            return output.toString();
        }
    }

    /** Ends the keeper and whatever it runs; then it neither freezes nor thaws any more. */
    void kill() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        try {
            process.waitFor(GRACE.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void listen(InputStream stream) {
        try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            // Three lines in a life.
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException e) {
            lines.add("lost");
            return;
        }
        lines.add("ended");
    }

    private void collect(InputStream stream) {
        var buffer = new byte[OUTPUT_BYTES_MAXIMUM];
        try (stream) {
            for (int length = stream.read(buffer); length >= 0; length = stream.read(buffer)) {
                synchronized (output) {
                    int room = OUTPUT_BYTES_MAXIMUM - output.length();
                    var text = new String(buffer, 0, length, StandardCharsets.UTF_8);
                    output.append(text, 0, Math.min(room, text.length()));
                }
            }
        } catch (IOException e) {
            // The keeper was killed: what was said until then is kept.
            return;
        }
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", duration.toMillis() / MILLIS_PER_SECOND);
    }

    private static String script() {
        try (var in = ThawKeeper.class.getResourceAsStream("keeper.sh")) {
            if (in == null) {
                throw new IllegalStateException("keeper.sh is not in this program");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
