package io.tidemark.attach;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The host's own programs, run without a shell. */
final class HostPrograms {
    /** What takes this long hangs: each makes or ends one device. */
    static final Duration LIMIT = Duration.ofSeconds(30);

    private static final List<String> FOLDERS = List.of("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin");

    private HostPrograms() {}

    static Optional<Path> find(String program) {
        return Stream.concat(
                        Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                                .filter(folder -> folder.startsWith("/")),
                        FOLDERS.stream())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Runs to the end; returns what it printed, both streams. */
    static String run(String program, String... arguments) throws IOException, InterruptedException {
        return run(LIMIT, program, arguments);
    }

    /** @param limit past it the program is killed; where the kernel keeps it, it ends later and is not waited for */
    static String run(Duration limit, String program, String... arguments) throws IOException, InterruptedException {
        var path = find(program).orElseThrow(() -> new IOException("%s is not installed".formatted(program)));
        var output = Files.createTempFile("tidemark-attach-", ".output");
        try {
            var process = new ProcessBuilder(Stream.concat(Stream.of(path.toString()), Stream.of(arguments))
                            .toList())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException("%s has not ended after %d s".formatted(program, limit.toSeconds()));
            }
            var text = Files.readString(output, StandardCharsets.UTF_8).strip();
            if (process.exitValue() != 0) {
                throw new IOException("%s ended with %d: %s".formatted(program, process.exitValue(), text));
            }
            return text;
        } finally {
            Files.deleteIfExists(output);
        }
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
