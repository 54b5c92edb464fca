package io.tidemark.system.ground;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A shell outside this process that knows how to undo what this one has made, and does so, newest first, when this
 * process ends for whatever reason: its input then ends. One for the life of the test process.
 */
public final class Watchdog {
    private static final Duration END_LIMIT = Duration.ofSeconds(60);
    private static final String SCRIPT = """
            declare -A undo
            while IFS=' ' read -r what number command; do
                case $what in
                +) undo[$number]=$command; last=$number ;;
                -) unset "undo[$number]" ;;
                esac
            done
            for ((number = ${last:-0}; number > 0; number--)); do
                [[ -v undo[$number] ]] && eval "${undo[$number]}" >/dev/null 2>&1
            done
            exit 0
            """;
    private static final Watchdog ONE = start();

    private final OutputStream input;
    private int last;

    private Watchdog(OutputStream input) {
        this.input = input;
    }

    public static Watchdog get() {
        return ONE;
    }

    private static Watchdog start() {
        try {
            // A session of its own: a Ctrl-C in the terminal ends the tests, and the watchdog after them.
            var process = new ProcessBuilder("setsid", "bash", "-c", SCRIPT)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            var watchdog = new Watchdog(process.getOutputStream());
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
                try {
                    process.getOutputStream().close();
                    process.waitFor(END_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
                } catch (IOException | InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
            return watchdog;
        } catch (IOException e) {
            throw new AssertionError("no shell to clean up after the tests", e);
        }
    }

    /**
     * @param command for bash, on one line; run only if the undo is not closed before
     * @return closing it forgets the command: whoever closes has undone it himself
     */
    public synchronized Undo remember(String command) throws IOException {
        if (command.contains("\n")) {
            throw new IllegalArgumentException("more than one line: " + command);
        }
        int number = ++last;
        say("+ %d %s".formatted(number, command));
        return () -> say("- %d".formatted(number));
    }

    /** What is remembered until closed. */
    public interface Undo extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    private synchronized void say(String line) throws IOException {
        input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        input.flush();
    }
}
