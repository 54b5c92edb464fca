package io.tidemark.benchmark;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program that is run and timed as a whole.
 *
 * @param command its first words
 */
record Tool(List<String> command) {
    /** Generous for the slowest: a machine that is this slow has no business being measured. */
    private static final int LIMIT_MINUTES = 10;

    Tool {
        command = List.copyOf(command);
    }

    /** @throws Skipped naming the Debian package when it is not installed */
    static Tool of(String name, String debianPackage) throws Skipped {
        var path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin";
        for (var folder : path.split(File.pathSeparator, -1)) {
            var file = Path.of(folder, name);
            if (Files.isExecutable(file)) {
                return new Tool(List.of(file.toString()));
            }
        }
        throw new Skipped("%s is missing: apt-get install %s".formatted(name, debianPackage));
    }

    /** {@code tidemark}, as users start it; from a build without launcher, with the same class path as we. */
    static Tool tidemark(String... words) {
        var home = System.getProperty("tidemark.home");
        List<String> start = home != null && Files.isExecutable(Path.of(home, "tidemark"))
                ? List.of(Path.of(home, "tidemark").toString())
                : List.of(
                        java().toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.tidemark.Main");
        var command = new ArrayList<>(start);
        command.addAll(List.of(words));
        return new Tool(command);
    }

    /** The JVM that runs this. */
    static Path java() {
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }

    /** Runs it to its end; its output is kept only to be shown when it fails. */
    void run(Object... arguments) throws IOException, InterruptedException {
        output(arguments);
    }

    /** Runs it to its end, and gives what it printed. */
    String output(Object... arguments) throws IOException, InterruptedException {
        var words = new ArrayList<>(command);
        Arrays.stream(arguments).map(Object::toString).forEach(words::add);
        var output = Files.createTempFile("tidemark-bench-", ".output");
        try {
            var process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
            if (!ended) {
                process.destroyForcibly();
            }
            if (!ended || process.exitValue() != 0) {
                throw new IOException("%s: %s\n%s"
                        .formatted(
                                String.join(" ", words),
                                ended ? "exit code " + process.exitValue() : "no end within the limit",
                                Files.readString(output, StandardCharsets.UTF_8)));
            }
            return Files.readString(output, StandardCharsets.UTF_8);
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
