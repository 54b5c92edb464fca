package io.tidemark.consistency.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who thaws an application that its programs hold when the service dies. */
class CommandDeathTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String LONG_LIMIT = "600000";

    @TempDir
    Path folder;

    /** The process that holds, and what it says. */
    private record Service(Process process, BufferedReader said) implements AutoCloseable {
        void kill() throws InterruptedException {
            process.destroyForcibly();
            assertThat(process.waitFor(SOON.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
        }

        void signal(String name) throws Exception {
            assertThat(CommandDeathTest.signal(name, process.pid())).isZero();
        }

        /** Asks whether it has held. */
        String ask() throws IOException {
            try (var in = process.outputWriter()) {
                in.write("\n");
            }
            return String.valueOf(said.readLine());
        }

        @Override
        public void close() throws InterruptedException {
            kill();
        }
    }

    @BeforeEach
    void writePrograms() throws IOException {
        program("freeze", "");
        program("thaw", "");
    }

    private void program(String step, String before) throws IOException {
        var file = folder.resolve(step);
        Files.writeString(file, "#!/bin/sh\n%s\necho %s >> %s/heard\n".formatted(before, step, folder));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Service start(String limitMillis, String awaited) throws IOException {
        var process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HoldingProcess.class.getName(),
                        folder.toString(),
                        limitMillis)
                .redirectError(folder.resolve("errors").toFile())
                .start();
        var said = process.inputReader();
        for (var line = said.readLine(); !awaited.equals(line); line = said.readLine()) {
            assertThat(line).as(Files.readString(folder.resolve("errors"))).isNotNull();
        }
        return new Service(process, said);
    }

    private List<String> heard() throws IOException {
        var file = folder.resolve("heard");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private boolean journalIsEmpty() throws IOException {
        try (var files = Files.list(folder.resolve("state/held-commands"))) {
            return files.findAny().isEmpty();
        }
    }

    /** As a service does that is started. */
    private void sweep(String... settings) throws Exception {
        var written = new HashMap<>(Map.of(
                "freeze.0", folder.resolve("freeze").toString(),
                "thaw.0", folder.resolve("thaw").toString()));
        for (int index = 0; index < settings.length; index += 2) {
            written.put(settings[index], settings[index + 1]);
        }
        var definition = CommandDefinition.of("orders", written);
        new CommandQuiescerFactory(Map.of("orders", definition), folder.resolve("state")).sweep();
    }

    private static int signal(String name, long pid) throws Exception {
        return new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                .start()
                .waitFor();
    }

    @Test
    void serviceKilledWhileItHoldsIsThawedForAtOnce() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {

            service.kill();

            await().atMost(SOON).until(this::journalIsEmpty);
            assertThat(heard()).containsExactly("freeze", "thaw");
        }
    }

    @Test
    void serviceKilledWhileItFreezesIsThawedForAfterTheFreezeAndNotBefore() throws Exception {
        program("freeze", "touch %1$s/began; sleep 2".formatted(folder));
        try (var service = start(LONG_LIMIT, "holding")) {
            await().atMost(SOON).until(() -> Files.exists(folder.resolve("began")));

            service.kill();

            await().atMost(SOON).until(this::journalIsEmpty);
            assertThat(heard()).containsExactly("freeze", "thaw");
        }
    }

    @Test
    void serviceStartedAgainWaitsForTheKeeperThatStillFreezesAndLeavesTheThawToIt() throws Exception {
        program("freeze", "touch %1$s/began; sleep 2".formatted(folder));
        try (var service = start(LONG_LIMIT, "holding")) {
            await().atMost(SOON).until(() -> Files.exists(folder.resolve("began")));
            service.kill();

            sweep();

            assertThat(heard()).containsExactly("freeze", "thaw");
            assertThat(journalIsEmpty()).isTrue();
        }
    }

    @Test
    void serviceStartedAgainWaitsForTheFreezeProgramWhoseKeeperDied() throws Exception {
        program("freeze", "touch %1$s/began; sleep 2".formatted(folder));
        try (var service = start(LONG_LIMIT, "holding")) {
            await().atMost(SOON).until(() -> Files.exists(folder.resolve("began")));
            var keeper = service.process().children().toList().getFirst();
            service.signal("STOP");
            keeper.destroyForcibly();
            service.kill();

            sweep();

            assertThat(heard()).containsExactly("freeze", "thaw");
            assertThat(journalIsEmpty()).isTrue();
        }
    }

    @Test
    void keeperThatIsStoppedIsNotWaitedForLongerThanItMayLive() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            var keeper = service.process().children().toList().getFirst();
            assertThat(signal("STOP", keeper.pid())).isZero();
            service.kill();
            try {
                sweep("freezeTimeoutMillis", "100", "thawTimeoutMillis", "1000", "thawAttempts", "2");

                assertThat(heard()).containsExactly("freeze", "thaw");
                assertThat(journalIsEmpty()).isTrue();
            } finally {
                keeper.destroyForcibly();
            }
        }
    }

    @Test
    void stoppedServiceIsThawedForAtTheLimitAndKnowsItOnWaking() throws Exception {
        try (var service = start("6000", "held")) {
            service.signal("STOP");

            await().atMost(SOON).until(() -> heard().contains("thaw"));
            service.signal("CONT");

            assertThat(service.ask()).isEqualTo("held until now: false");
            assertThat(heard()).containsExactly("freeze", "thaw");
        }
    }

    @Test
    void serviceThatIsAskedInTimeHasHeld() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {

            assertThat(service.ask()).isEqualTo("held until now: true");
        }
    }

    @Test
    void whereTheKeeperDiesTooTheNextStartThaws() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            var keepers = service.process().children().toList();
            service.signal("STOP");
            assertThat(keepers).hasSize(1);
            keepers.getFirst().destroyForcibly();
            await().atMost(SOON).until(() -> keepers.stream().noneMatch(ProcessHandle::isAlive) || isZombie(keepers));

            service.kill();

            assertThat(heard()).containsExactly("freeze");
            assertThat(journalIsEmpty()).isFalse();
            sweep();
            assertThat(heard()).containsExactly("freeze", "thaw");
            assertThat(journalIsEmpty()).isTrue();
        }
    }

    /** Its parent is stopped and cannot bury it. */
    private static boolean isZombie(List<ProcessHandle> handles) throws IOException {
        return Files.readString(
                        Path.of("/proc", Long.toString(handles.getFirst().pid()), "stat"))
                .contains(") Z ");
    }
}
