package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who unlocks a server that could not be unlocked at the thaw, and whose lock is let be meanwhile. Against a fake; the
 * keeper, its signals and the waits are real.
 */
class MongoDbUnlockAfterwardsTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(30);
    /** In which whoever would undo somebody else's lock has tried several times. */
    private static final Duration SEVERAL_TRIES = Duration.ofSeconds(3);

    private FakeMongod server;
    private MongoDbQuiescerFactory factory;

    @TempDir
    Path folder;

    @BeforeEach
    void startServer() throws IOException {
        server = new FakeMongod();
        factory = new MongoDbQuiescerFactory(folder.resolve("state"), Duration.ofMillis(200));
    }

    @AfterEach
    void stopServer() throws IOException {
        server.falls(false);
        server.restart();
        await().atMost(SOON).until(() -> journal().isEmpty());
        server.close();
    }

    private Quiescer quiescer() throws ConsistencyException {
        return factory.create(new QuiescerSpec(
                "mongodb",
                Map.of(
                        "port", Integer.toString(server.port()),
                        "mode", "fsyncLock",
                        "answerTimeoutMillis", "500",
                        "connectTimeoutMillis", "500")));
    }

    private Frozen frozen() throws ConsistencyException {
        var quiescer = quiescer();
        for (int attempt = 0; ; attempt++) {
            try {
                return quiescer.freeze(POINT, LIMIT);
            } catch (ConsistencyException e) {
                // On a busy host half a second may not do for all answers.
                if (attempt == 10) {
                    throw e;
                }
            }
        }
    }

    private Frozen held() throws ConsistencyException {
        var frozen = frozen();
        frozen.hold(LIMIT);
        return frozen;
    }

    private List<Path> journal() throws IOException {
        try (var files = Files.list(folder.resolve("state/held-mongodb"))) {
            return files.toList();
        }
    }

    private static ProcessHandle keeper() {
        return ProcessHandle.current()
                .children()
                .filter(process -> commandLine(process.pid()).contains("KeeperProcess"))
                .max((one, other) -> Long.compare(one.pid(), other.pid()))
                .orElseThrow();
    }

    private static String commandLine(long process) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process), "cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    private static void kill(ProcessHandle keeper) {
        keeper.destroyForcibly();
        keeper.onExit().join();
    }

    private static void stop(ProcessHandle keeper) {
        try {
            assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(keeper.pid()))
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void sleep(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void isUnlockedAndForgotten() {
        await().atMost(SOON).until(() -> server.lockCount() == 0 && journal().isEmpty());
    }

    /**
     * Before whoever takes over, or tries again, can look.
     *
     * @param meanwhile what happens before the server has let go of ours
     */
    private void anotherLocksItAfterOurUnlock(Runnable meanwhile) {
        var done = new CompletableFuture<Void>();
        server.upon("fsyncUnlock", () -> {
            server.upon("fsyncUnlock", () -> {});
            server.upon(
                    "serverStatus",
                    () -> done.orTimeout(SOON.toSeconds(), TimeUnit.SECONDS).join());
            meanwhile.run();
            Thread.ofVirtual().start(() -> {
                while (server.lockCount() > 0) {
                    sleep(Duration.ofMillis(5));
                }
                server.lock();
                done.complete(null);
            });
        });
    }

    @Test
    void serverThatIsSilentAtTheThawIsUnlockedByItsKeeperOnceItSpeaks() throws Exception {
        var frozen = held();
        var keeper = keeper();
        server.falls(true);

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsEntry("thawError", "its keeper waits for the server");
        assertThat(keeper.isAlive()).isTrue();
        assertThat(server.lockCount()).isEqualTo(1);
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining("not known to be unlocked");
        server.falls(false);
        isUnlockedAndForgotten();
        await().atMost(SOON).until(() -> !keeper.isAlive());
        assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
        await().atMost(SOON).ignoreExceptions().untilAsserted(() -> frozen().close());
    }

    @Test
    void serverThatIsSilentAtTheThawIsUnlockedByTheServiceWhereTheKeeperWasKilled() throws Exception {
        var frozen = held();
        kill(keeper());
        server.falls(true);
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.lockCount()).isEqualTo(1);

        server.falls(false);

        isUnlockedAndForgotten();
    }

    @Test
    void keeperThatIsStoppedAfterTheThawIsReplacedByTheService() throws Exception {
        var frozen = held();
        var keeper = keeper();
        server.falls(true);
        var unused = frozen.thaw();
        stop(keeper);

        server.falls(false);

        isUnlockedAndForgotten();
        assertThat(keeper.isAlive()).isFalse();
    }

    @Test
    void serverThatIsSilentAtTheStartIsUnlockedOnceItSpeaks() throws Exception {
        var written = Map.of("port", Integer.toString(server.port()), "answerTimeoutMillis", "500");
        try (var session = MongoDbSession.open(MongoDbSettings.of(new QuiescerSpec("mongodb", written)))) {
            var before = LockState.of(session, LIMIT);
            // As a service and a keeper leave it that die while they hold.
            new LockJournal(folder.resolve("state/held-mongodb"))
                    .write(POINT, new LockJournal.Entry(POINT.value(), written, before));
        }
        server.lock();
        server.falls(true);
        factory.sweep();
        assertThat(server.lockCount()).isEqualTo(1);

        server.falls(false);

        isUnlockedAndForgotten();
    }

    @Test
    void lockThatIsStillOnItsWayWhenTheKeeperIsKilledIsLetGoOnceItIsTaken() throws Exception {
        var frozen = frozen();
        server.upon(FakeMongod.LOCK, () -> {
            kill(keeper());
            sleep(Duration.ofSeconds(1));
        });

        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);

        isUnlockedAndForgotten();
        assertThat(server.heard()).contains("fsyncUnlock");
    }

    @Test
    void lockThatIsTakenAlthoughItIsRefusedIsLetGo() throws Exception {
        var frozen = frozen();
        server.refuses("fsync", 262, "ExceededTimeLimit", "some operation is in progress");
        server.upon(
                FakeMongod.LOCK,
                () -> Thread.ofVirtual().start(() -> {
                    sleep(Duration.ofMillis(500));
                    server.lock();
                }));

        assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("some operation is in progress");

        isUnlockedAndForgotten();
        assertThat(server.heard()).contains("fsyncUnlock");
    }

    @Test
    void keeperThatIsStoppedBeforeAHoldFailsAfterItsLockIsReplacedByTheService() throws Exception {
        var frozen = frozen();
        server.uponGranting(() -> {
            server.elect(2);
            var keeper = keeper();
            // Once it has told that it is locked, before the service looks whether the server is the same.
            server.upon("hello", () -> {
                server.upon("hello", () -> {});
                stop(keeper);
            });
        });

        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);

        isUnlockedAndForgotten();
    }

    @Test
    void lockOfAnotherIsLetBeWhereTheAnswerToOurUnlockWasLost() throws Exception {
        var frozen = held();
        server.losesTheAnswerTo("fsyncUnlock");
        anotherLocksItAfterOurUnlock(() -> {});

        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        sleep(SEVERAL_TRIES);

        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
        assertThat(journal()).hasSize(1);
        server.unlock();
        isUnlockedAndForgotten();
    }

    @Test
    void lockOfAnotherIsLetBeWhereTheKeeperWasKilledAfterItsUnlock() throws Exception {
        var frozen = held();
        anotherLocksItAfterOurUnlock(() -> kill(keeper()));

        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        sleep(SEVERAL_TRIES);

        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(server.heard().stream().filter("fsyncUnlock"::equals)).hasSize(1);
    }

    @Test
    void unlocksOnceWhereTheEntryCannotBeRemoved() throws Exception {
        var frozen = held();
        var entry = journal().getFirst();
        Files.delete(entry);
        var obstacle = Files.createFile(Files.createDirectory(entry).resolve("obstacle"));

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.facts()).containsEntry("unlocked", "let go by this, locks left: 0");
        assertThat(freeze.heldUntilThaw()).isTrue();
        Files.delete(obstacle);
        Files.delete(entry);
    }
}
