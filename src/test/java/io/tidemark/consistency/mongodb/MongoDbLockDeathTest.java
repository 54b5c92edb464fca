package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who unlocks a server when the service dies. Against a fake; processes and signals are real. */
class MongoDbLockDeathTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration AT_ONCE = Duration.ofMillis(200);
    private static final String LONG_LIMIT = "600000";

    private FakeMongod server;

    @TempDir
    Path folder;

    @BeforeEach
    void startServer() throws IOException {
        server = new FakeMongod();
    }

    @AfterEach
    void stopServer() throws IOException {
        server.close();
    }

    /** The process that holds, its keeper, and what it says. */
    private record Service(Process process, ProcessHandle keeper, BufferedReader said) implements AutoCloseable {
        void kill() throws InterruptedException {
            process.destroyForcibly();
            assertThat(process.waitFor(SOON.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
        }

        void killKeeper() {
            keeper.destroyForcibly();
            keeper.onExit().join();
        }

        void signal(String name) throws Exception {
            MongoDbLockDeathTest.signal(name, process.pid());
        }

        /** Asks whether it has held. */
        String ask() throws IOException {
            try (var in = process.outputWriter()) {
                in.write("\n");
            }
            return said.lines()
                    .filter(line -> line.startsWith("held until now"))
                    .findFirst()
                    .orElse("nothing");
        }

        @Override
        public void close() throws InterruptedException {
            kill();
            keeper.destroyForcibly();
        }
    }

    private static void signal(String name, long pid) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                        .start()
                        .waitFor())
                .isZero();
    }

    private Service start(String limitMillis, String awaited) throws IOException {
        var process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MongoHoldingProcess.class.getName(),
                        Integer.toString(server.port()),
                        folder.resolve("state").toString(),
                        limitMillis)
                .redirectError(folder.resolve("errors").toFile())
                .start();
        var said = process.inputReader();
        for (var line = said.readLine(); !awaited.equals(line); line = said.readLine()) {
            assertThat(line).as(Files.readString(folder.resolve("errors"))).isNotNull();
        }
        return new Service(process, process.children().findFirst().orElseThrow(), said);
    }

    private boolean journalIsEmpty() throws IOException {
        try (var files = Files.list(folder.resolve("state/held-mongodb"))) {
            return files.findAny().isEmpty();
        }
    }

    /** As a service does that is started. */
    private void sweep() {
        new MongoDbQuiescerFactory(folder.resolve("state")).sweep();
    }

    private boolean isUnlocked() {
        return server.lockCount() == 0;
    }

    /** Both die while they hold: nothing but the journal knows of it. */
    private void leaveLocked() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            signal("STOP", service.keeper().pid());
            service.kill();
            service.killKeeper();
        }
        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journalIsEmpty()).isFalse();
    }

    @Test
    void serviceKilledWhileItHoldsIsUnlockedForAtOnce() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            assertThat(server.write("order", AT_ONCE)).isFalse();
            long killed = System.nanoTime();
            service.kill();

            assertThat(server.write("order", SOON)).isTrue();

            System.out.println("kill -9 to unlocked: %d ms".formatted((System.nanoTime() - killed) / 1_000_000));
            await().atMost(SOON).until(this::journalIsEmpty);
            assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
        }
    }

    @Test
    void serviceKilledWhileItsLockIsNotYetGrantedIsUnlockedForAfterwards() throws Exception {
        var asked = new CompletableFuture<Void>();
        var granted = new CompletableFuture<Void>();
        server.uponGranting(() -> {
            asked.complete(null);
            granted.join();
        });
        try (var service = start(LONG_LIMIT, "holding")) {
            asked.get(SOON.toMillis(), TimeUnit.MILLISECONDS);
            service.kill();
            granted.complete(null);

            await().atMost(SOON).until(() -> isUnlocked() && journalIsEmpty());
        }
    }

    @Test
    void serviceStoppedWhileItHoldsIsUnlockedForAtTheLimitAndKnowsItAfterwards() throws Exception {
        try (var service = start("3000", "held")) {
            long held = System.nanoTime();
            service.signal("STOP");
            assertThat(server.write("early", Duration.ofMillis(1_500))).isFalse();

            assertThat(server.write("order", SOON)).isTrue();

            long after = (System.nanoTime() - held) / 1_000_000 - 3_000;
            System.out.println("SIGSTOP to unlocked: limit %+d ms".formatted(after));
            assertThat(after).isLessThan(1_000);
            service.signal("CONT");
            assertThat(service.ask()).isEqualTo("held until now: false");
            assertThat(journalIsEmpty()).isTrue();
        }
    }

    @Test
    void keeperIsNotEndedByWhatEndsTheServiceAndItsGroup() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            for (var name : new String[] {"TERM", "INT", "HUP"}) {
                signal(name, service.keeper().pid());
            }
            assertThat(server.write("order", AT_ONCE)).isFalse();
            assertThat(service.keeper().isAlive()).isTrue();

            assertThat(service.ask()).isEqualTo("held until now: true");
            assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
        }
    }

    @Test
    void keeperKilledIsReplacedByTheService() throws Exception {
        try (var service = start(LONG_LIMIT, "held")) {
            service.killKeeper();
            assertThat(server.write("order", AT_ONCE)).isFalse();

            assertThat(service.ask()).isEqualTo("held until now: true");
            assertThat(isUnlocked()).isTrue();
        }
    }

    @Test
    void bothKilledIsUnlockedByTheNextStart() throws Exception {
        leaveLocked();

        sweep();

        assertThat(isUnlocked()).isTrue();
        assertThat(journalIsEmpty()).isTrue();
        sweep();
        assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
    }

    @Test
    void bothKilledIsUnlockedByTheNextFreezeOfTheServer() throws Exception {
        leaveLocked();

        try (var frozen = new MongoDbQuiescerFactory(folder.resolve("state"))
                .create(new QuiescerSpec(
                        "mongodb", Map.of("port", Integer.toString(server.port()), "mode", "fsyncLock")))
                .freeze(new RecoveryPointId("rp-2"), Duration.ofSeconds(10))) {
            assertThat(isUnlocked()).isTrue();
            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void bothKilledAndAnotherHasLockedItBesidesKeepsTheLockOfTheOther() throws Exception {
        leaveLocked();
        server.lock();

        sweep();

        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journalIsEmpty()).isTrue();
    }

    @Test
    void serverThatWasUnlockedByHandAndLockedByAnotherIsLetBeAndTheEntryStays() throws Exception {
        leaveLocked();
        server.unlock();
        server.lock();

        sweep();

        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journalIsEmpty()).isFalse();
        server.unlock();
        sweep();
        assertThat(journalIsEmpty()).isTrue();
    }

    @Test
    void serverThatWasStartedAgainHasNothingToUndo() throws Exception {
        leaveLocked();
        server.restart();
        server.lock();

        sweep();

        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journalIsEmpty()).isTrue();
    }

    @Test
    void bothKilledWhileTheLockIsOnItsWayIsUnlockedByTheNextStartOnceItIsTaken() throws Exception {
        var heard = new CompletableFuture<Void>();
        var begins = new CompletableFuture<Void>();
        server.upon(FakeMongod.LOCK, () -> {
            heard.complete(null);
            begins.join();
        });
        try (var service = start(LONG_LIMIT, "holding")) {
            heard.get(SOON.toMillis(), TimeUnit.MILLISECONDS);
            signal("STOP", service.keeper().pid());
            service.kill();
            service.killKeeper();
        }
        begins.completeOnTimeout(null, 700, TimeUnit.MILLISECONDS);

        sweep();

        assertThat(server.heard()).contains("fsyncUnlock");
        assertThat(isUnlocked()).isTrue();
        assertThat(journalIsEmpty()).isTrue();
    }

    @Test
    void serverThatCannotBeReachedOrAnEntryThatIsDamagedStaysInTheJournal() throws Exception {
        leaveLocked();
        var damaged = Files.writeString(folder.resolve("state/held-mongodb/rp-0.1.held"), "half of");
        server.refuses("serverStatus", 6, "HostUnreachable", "not now");

        sweep();

        assertThat(server.lockCount()).isEqualTo(1);
        try (var files = Files.list(folder.resolve("state/held-mongodb"))) {
            assertThat(files).hasSize(2).contains(damaged);
        }
    }
}
