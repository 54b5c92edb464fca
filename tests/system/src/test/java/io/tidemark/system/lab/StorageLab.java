package io.tidemark.system.lab;

import static org.junit.jupiter.api.Assumptions.abort;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.Watchdog;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/**
 * A throw-away kernel with device-mapper, in which a command or a class of JUnit tests runs as root: {@code
 * tests/system/lab}. It sees the host's files; what it writes goes with it, except below shared folders. When this
 * process dies, the kernel dies with it.
 *
 * @param memoryMebibytes of the guest, out of the host's
 * @param limit for all that the guest does, its boot of 2 s included
 * @param diskSizes of blank disks, as {@code truncate} takes them: {@code /dev/ubda}, {@code /dev/ubdb} and so on
 * @param sharedFolders what is written below them stays
 * @param zfs where {@code tests/system/lab/zfs-build} has built OpenZFS, if the guest is to have it
 */
public record StorageLab(
        int memoryMebibytes, Duration limit, List<String> diskSizes, List<Path> sharedFolders, Optional<Path> zfs) {
    /** Names that folder: a system property, or else a variable of the environment. */
    private static final String ZFS_PROPERTY = "tidemark.zfs.lab";

    private static final String ZFS_VARIABLE = "TIDEMARK_ZFS_LAB";

    /** It takes 4 to 6 minutes alone. */
    private static final Duration ZFS_BUILD_LIMIT = Duration.ofMinutes(15);

    private static final Duration ZFS_BUILD_PAUSE = Duration.ofSeconds(1);
    private static final int MEMORY_MEBIBYTES = 1536;
    private static final Duration LIMIT = Duration.ofMinutes(5);
    /** The kernel knows ubda to ubdp. */
    private static final int DISKS_MAXIMUM = 16;
    /** Of the guest's output, for messages; all of it goes to standard error. */
    private static final int KEPT_CHARACTERS = 1 << 20;
    /** When the tests did not come as far as their report. */
    private static final int SHOWN_CHARACTERS = 8_000;

    public StorageLab {
        if (limit.toSeconds() < 1) {
            throw new IllegalArgumentException("limit is below a second: " + limit);
        }
        if (diskSizes.isEmpty() || diskSizes.size() > DISKS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "%d disks, not between 1 and %d".formatted(diskSizes.size(), DISKS_MAXIMUM));
        }
        diskSizes = List.copyOf(diskSizes);
        sharedFolders = List.copyOf(sharedFolders);
    }

    public static StorageLab withDisks(String... sizes) {
        return new StorageLab(MEMORY_MEBIBYTES, LIMIT, List.of(sizes), List.of(), Optional.empty());
    }

    public StorageLab within(Duration newLimit) {
        return new StorageLab(memoryMebibytes, newLimit, diskSizes, sharedFolders, zfs);
    }

    public StorageLab withMemory(int mebibytes) {
        return new StorageLab(mebibytes, limit, diskSizes, sharedFolders, zfs);
    }

    public StorageLab sharing(Path... folders) {
        return new StorageLab(memoryMebibytes, limit, diskSizes, List.of(folders), zfs);
    }

    /**
     * With OpenZFS; waits while it is being built. Skips the test, saying how to build it, where no folder is named or
     * the build ended without it.
     */
    public StorageLab withZfs() throws IOException, InterruptedException {
        var folder = System.getProperty(ZFS_PROPERTY, System.getenv().getOrDefault(ZFS_VARIABLE, ""));
        if (folder.isEmpty() || buildFailed(Path.of(folder))) {
            // Even in CI: it is not in the packages that a test machine has.
            var reason = "no OpenZFS in the lab: run tests/system/lab/zfs-build FOLDER and set %s=FOLDER"
                    .formatted(ZFS_VARIABLE);
            System.err.println("SKIPPED system test: " + reason);
            abort(reason);
        }
        return new StorageLab(memoryMebibytes, limit, diskSizes, sharedFolders, Optional.of(Path.of(folder)));
    }

    /** @return whether a build was begun there and is not at it any more, nor has it ended well */
    private static boolean buildFailed(Path folder) throws IOException, InterruptedException {
        var limit = Instant.now().plus(ZFS_BUILD_LIMIT);
        while (building(folder)) {
            if (Instant.now().isAfter(limit)) {
                throw new AssertionError("OpenZFS was not built in %s within %s".formatted(folder, ZFS_BUILD_LIMIT));
            }
            Thread.sleep(ZFS_BUILD_PAUSE);
        }
        return Files.notExists(folder.resolve("kernel-version")) && (begun(folder) || empty(folder));
    }

    private static boolean begun(Path folder) {
        return Files.exists(folder.resolve("zfs-build"));
    }

    private static boolean empty(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static boolean building(Path folder) throws IOException {
        try {
            long pid =
                    Long.parseLong(Files.readString(folder.resolve("building")).strip());
            return ProcessHandle.of(pid).isPresent();
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Skips the test where packages are missing, naming them; fails it instead where {@code CI=true}. */
    public static void require() throws IOException {
        var check = Programs.attempt(List.of(script(), "-c"));
        if (check.status() != 0) {
            Ground.lacking(check.output());
        }
    }

    /** Starts a command in the guest, with all its output as one stream; killing the process ends the guest. */
    public Process start(String... command) throws IOException {
        return start(List.of(), command);
    }

    private Process start(List<String> options, String... command) throws IOException {
        var line = new ArrayList<>(List.of(script()));
        line.addAll(options);
        line.addAll(List.of("-m", Integer.toString(memoryMebibytes), "-t", Long.toString(limit.toSeconds())));
        diskSizes.forEach(size -> line.addAll(List.of("-d", size)));
        sharedFolders.forEach(folder -> line.addAll(List.of("-w", folder.toString())));
        zfs.ifPresent(folder -> line.addAll(List.of("-z", folder.toString())));
        line.add("--");
        line.addAll(Arrays.asList(command));
        return new ProcessBuilder(line).redirectErrorStream(true).start();
    }

    /**
     * Runs a command in the guest to its end; what it says goes to standard error as it comes.
     *
     * @return the command's own exit code and the last of its output; 124 past the limit, 125 without a guest
     */
    public Programs.Result run(String... command) throws IOException, InterruptedException {
        return run(List.of(), command);
    }

    private Programs.Result run(List<String> options, String... command) throws IOException, InterruptedException {
        var process = start(options, command);
        try (var undo = Watchdog.get().remember("kill -KILL " + process.pid())) {
            String said = listen(process);
            return new Programs.Result(process.waitFor(), said);
        } finally {
            process.destroyForcibly();
        }
    }

    /**
     * Runs the tests of a class on this process's class path in a JVM in the guest.
     *
     * @throws AssertionError if one failed or did not run, or none was found; with what {@link LabMain} reports
     */
    public void test(Class<?> tests) throws IOException, InterruptedException {
        test(new Share(tests, 0, 1));
    }

    /**
     * As {@link #test} for each class, in a guest of its own.
     *
     * @throws AssertionError with every failure as suppressed, once all have ended
     */
    public void testEach(Class<?>... classes) throws InterruptedException {
        testAll(Arrays.stream(classes).map(tests -> new Share(tests, 0, 1)).toList());
    }

    /**
     * As {@link #testEach}, for shares of one class's methods.
     *
     * @param parts at least 1
     */
    public void testInParts(Class<?> tests, int parts) throws InterruptedException {
        testAll(IntStream.range(0, parts)
                .mapToObj(part -> new Share(tests, part, parts))
                .toList());
    }

    /** Every nth method of a class. */
    private record Share(Class<?> tests, int part, int parts) {}

    private void testAll(List<Share> shares) throws InterruptedException {
        var failures = new ConcurrentLinkedQueue<Throwable>();
        try (var guests = Executors.newFixedThreadPool(GuestTurn.AT_ONCE)) {
            for (var share : shares) {
                guests.execute(() -> {
                    try {
                        test(share);
                    } catch (IOException | InterruptedException | AssertionError e) {
                        failures.add(e);
                    }
                });
            }
        }
        if (!failures.isEmpty()) {
            var failure = new AssertionError("%d of %d guests failed".formatted(failures.size(), shares.size()));
            failures.forEach(failure::addSuppressed);
            throw failure;
        }
    }

    private void test(Share share) throws IOException, InterruptedException {
        // Its own limit begins with its turn.
        try (var turn = GuestTurn.take()) {
            testNow(share, turn.place());
        }
    }

    private void testNow(Share share, int cpu) throws IOException, InterruptedException {
        var result = run(
                List.of("-p", Integer.toString(cpu)),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-Dtidemark.home=" + Ground.repository(),
                "-cp",
                System.getProperty("java.class.path"),
                LabMain.class.getName(),
                share.tests().getName(),
                Integer.toString(share.part()),
                Integer.toString(share.parts()));
        if (result.status() != 0) {
            throw new AssertionError("%s (part %d of %d) in the lab ended with %d:%n%s"
                    .formatted(
                            share.tests().getSimpleName(),
                            share.part(),
                            share.parts(),
                            result.status(),
                            reportIn(result.output())));
        }
    }

    private static String script() {
        return Ground.repository().resolve("tests/system/lab/lab").toString();
    }

    private static String reportIn(String output) {
        int report = output.lastIndexOf(LabMain.REPORT);
        return output.substring(report >= 0 ? report : Math.max(0, output.length() - SHOWN_CHARACTERS));
    }

    private static String listen(Process process) throws IOException {
        var kept = new StringBuilder();
        try (var reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                System.err.println(line);
                kept.append(line).append('\n');
                kept.delete(0, Math.max(0, kept.length() - KEPT_CHARACTERS));
            }
        }
        return kept.toString().strip();
    }
}
