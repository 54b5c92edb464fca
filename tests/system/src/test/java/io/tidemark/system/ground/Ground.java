package io.tidemark.system.ground;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;

/** What a system test needs of the host, and a folder to work in. */
public final class Ground implements AutoCloseable {
    private static final int SEEDS_IN_CI = 3;

    private final Path folder;
    private final Watchdog.Undo undo;

    private Ground(Path folder, Watchdog.Undo undo) {
        this.folder = folder;
        this.undo = undo;
    }

    /** A folder of its own; it goes with all that lies in it, but never with what is mounted in it. */
    public static Ground open() throws IOException {
        var folder = Files.createTempDirectory("tidemark-system").toRealPath();
        // Others enter too: a database runs as a user of its own.
        Files.setPosixFilePermissions(folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Ground(folder, Watchdog.get().remember("rm -rf --one-file-system '%s'".formatted(folder)));
    }

    public Path folder() {
        return folder;
    }

    /** The checkout that runs: where the launcher lies. */
    public static Path repository() {
        Path folder = Path.of(System.getProperty("tidemark.home", "")).toAbsolutePath();
        while (!Files.exists(folder.resolve("tidemark"))) {
            folder = Objects.requireNonNull(folder.getParent(), "repository root");
        }
        return folder;
    }

    /** Skips the test, saying why, where the host lacks something; fails instead where {@code CI=true}. */
    public static void requireRootAnd(String... programs) {
        if (!"root".equals(System.getProperty("user.name"))) {
            lacking("not root: loop devices, mounts and freezes need it");
        }
        for (var program : programs) {
            if (List.of(System.getenv().getOrDefault("PATH", "").split(":", -1)).stream()
                    .map(Path::of)
                    .noneMatch(place -> Files.isExecutable(place.resolve(program)))) {
                lacking("program %s is not installed".formatted(program));
            }
        }
    }

    public static void lacking(String reason) {
        if ("true".equals(System.getenv("CI"))) {
            fail("system test cannot run: " + reason);
        }
        System.err.println("SKIPPED system test: " + reason);
        abort(reason);
    }

    /** Seeds of this run: 3, or as many as {@code -Dtidemark.soak=N} says. */
    public static LongStream seeds() {
        return LongStream.rangeClosed(1, Long.getLong("tidemark.soak", SEEDS_IN_CI));
    }

    @Override
    public void close() throws IOException {
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        undo.close();
    }
}
