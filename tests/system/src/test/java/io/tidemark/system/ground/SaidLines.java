package io.tidemark.system.ground;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a process that a test has started says on its standard output, line by line. */
public final class SaidLines {
    private static final Duration LINE_LIMIT = Duration.ofSeconds(60);
    private static final String END = "(end)";

    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    public SaidLines(Process process) {
        Thread.ofPlatform().daemon().name("said-lines").start(() -> {
            try (var reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                lines.add("unreadable: " + e.getMessage());
            }
            lines.add(END);
        });
    }

    /** The next line that starts with one of these; empty when the process has ended, however often it is asked. */
    public Optional<String> next(String... starts) throws InterruptedException {
        while (true) {
            var line = lines.poll(LINE_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            if (line == null) {
                throw new AssertionError("nothing was said for %s while waiting for %s"
                        .formatted(LINE_LIMIT, String.join(", ", starts)));
            }
            if (line.equals(END)) {
                lines.add(END);
                return Optional.empty();
            }
            for (var start : starts) {
                if (line.startsWith(start)) {
                    return Optional.of(line);
                }
            }
        }
    }
}
