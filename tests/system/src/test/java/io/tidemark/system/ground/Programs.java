package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the host's programs and insists that they succeed. */
public final class Programs {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private Programs() {}

    /** @return standard output and standard error, without white space around them */
    public static String run(String... command) throws IOException {
        var result = attempt(List.of(command));
        if (result.status() != 0) {
            throw new IOException(
                    "%s ended with %d: %s".formatted(String.join(" ", command), result.status(), result.output()));
        }
        return result.output();
    }

    public record Result(int status, String output) {}

    public static Result attempt(List<String> command) throws IOException {
        Path output = Files.createTempFile("program", ".out");
        try {
            var process = new ProcessBuilder(command)
                    .directory(Path.of("/").toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException("%s did not end within %s".formatted(command, LIMIT));
            }
            return new Result(
                    process.exitValue(),
                    Files.readString(output, StandardCharsets.UTF_8).strip());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command, e);
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
