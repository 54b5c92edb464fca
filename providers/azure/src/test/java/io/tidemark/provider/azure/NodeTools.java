package io.tidemark.provider.azure;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Programs by others that run on Node.js, where the set-up of the tests has installed them ({@code .ci/run}). */
final class NodeTools {
    private static final Path INSTALLED = Path.of("target/npm").toAbsolutePath();

    private NodeTools() {}

    /**
     * How to start it; skips, and says so, where it is not here.
     *
     * @param version as npm names it
     * @param script within the package
     */
    static ProcessBuilder program(String name, String version, String script, String... arguments) {
        var node = onPath("node");
        var file = INSTALLED.resolve(name).resolve("node_modules").resolve(name).resolve(script);
        boolean isHere = node.isPresent() && Files.isRegularFile(file);
        var advice = "%s is not here: npm install --prefix providers/azure/target/npm/%s %s@%s"
                .formatted(name, name, name, version);
        if (!isHere) {
            System.err.println("SKIPPED: " + advice);
        }
        Assumptions.assumeTrue(isHere, advice);
        return new ProcessBuilder(
                Stream.concat(Stream.of(node.orElseThrow().toString(), file.toString()), Stream.of(arguments))
                        .toList());
    }

    private static Optional<Path> onPath(String name) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
