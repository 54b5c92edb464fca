package io.tidemark.nativeblock;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A file system of its own kind on a loop device, for one test.
 *
 * <p>A small shell process waits for the end of its input, then thaws, unmounts and deletes: so nothing is left behind
 * when the test fails, nor when its whole process is killed.
 */
final class LoopFileSystem implements AutoCloseable {
    private static final long COMMAND_LIMIT_SECONDS = 30;

    private static final String CLEANER = """
            trap '' INT TERM HUP
            read -r ignored
            fsfreeze -u "$1/mount" 2>/dev/null
            umount "$1/mount" || umount -l "$1/mount"
            rm -rf "$1"
            """;

    private final Path folder;
    private final Process cleaner;

    private LoopFileSystem(Path folder, Process cleaner) {
        this.folder = folder;
        this.cleaner = cleaner;
    }

    /** Skips the test, saying why, where this machine or user cannot mount. */
    static LoopFileSystem make(String kind, int mebibytes) throws IOException {
        return make(kind, mebibytes, Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** With its image in a folder of choice: inside another loop file system, for one that depends on the other. */
    static LoopFileSystem make(String kind, int mebibytes, Path parent) throws IOException {
        assumeTrue(run("id", "-u").equals("0"), "not root: cannot mount a " + kind + " file system");
        assumeTrue(succeeds("sh", "-c", "command -v mkfs." + kind), "no mkfs." + kind + " on this machine");
        assumeTrue(
                BlockKernels.hostCalls().isPresent(),
                () -> BlockKernels.unavailableReason().orElse(""));
        var folder = Files.createTempDirectory(parent, "tidemark-loop-");
        var image = folder.resolve("image");
        var mount = Files.createDirectory(folder.resolve("mount"));
        run("truncate", "-s", mebibytes + "M", image.toString());
        run("mkfs." + kind, "-q", image.toString());
        var cleaner = new ProcessBuilder("sh", "-c", CLEANER, "cleaner", folder.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        var made = new LoopFileSystem(folder, cleaner);
        if (!succeeds("mount", "-o", "loop", image.toString(), mount.toString())) {
            made.close();
            assumeTrue(false, "cannot mount " + kind + " from a loop device here");
        }
        return made;
    }

    Path mount() {
        return folder.resolve("mount");
    }

    /**
     * Asked by freezing: the kernel refuses what is frozen already. A guard that is just thawing may undo this freeze
     * too, which is as good an answer.
     */
    boolean isFrozen() {
        if (!succeeds("fsfreeze", "-f", mount().toString())) {
            return true;
        }
        succeeds("fsfreeze", "-u", mount().toString());
        return false;
    }

    @Override
    public void close() {
        try {
            cleaner.outputWriter().close();
            if (!cleaner.waitFor(COMMAND_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("not cleaned in time: " + folder);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("not cleaned: " + folder, e);
        }
    }

    static String run(String... command) {
        var result = start(command);
        if (result.exit() != 0) {
            throw new AssertionError("%s: %s".formatted(List.of(command), result.output()));
        }
        return result.output();
    }

    static boolean succeeds(String... command) {
        return start(command).exit() == 0;
    }

    private record Result(int exit, String output) {}

    private static Result start(String... command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.outputWriter().close();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(COMMAND_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("no answer in time: " + List.of(command));
            }
            return new Result(process.exitValue(), output);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(String.join(" ", command), e);
        }
    }
}
