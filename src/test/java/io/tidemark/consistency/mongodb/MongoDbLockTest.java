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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code mode=fsyncLock}. Tested against a fake that speaks the server's protocol; no real MongoDB was to be had. */
class MongoDbLockTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration AT_ONCE = Duration.ofMillis(200);

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

    private MongoDbQuiescerFactory factory() {
        return new MongoDbQuiescerFactory(folder.resolve("state"));
    }

    private Quiescer quiescer(String... namesAndValues) throws ConsistencyException {
        var settings = new HashMap<String, String>();
        settings.put("port", Integer.toString(server.port()));
        settings.put("mode", "fsyncLock");
        settings.put("answerTimeoutMillis", "2000");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return factory().create(new QuiescerSpec("mongodb", settings));
    }

    private Frozen held() throws ConsistencyException {
        var frozen = quiescer().freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        return frozen;
    }

    private List<Path> journal() throws IOException {
        var entries = folder.resolve("state/held-mongodb");
        if (!Files.exists(entries)) {
            return List.of();
        }
        try (var files = Files.list(entries)) {
            return files.toList();
        }
    }

    private static List<ProcessHandle> keepers() {
        return ProcessHandle.current()
                .children()
                .filter(process -> commandLine(process.pid()).contains("KeeperProcess"))
                .toList();
    }

    /** Of any length, which what the JDK tells is not. */
    private static String commandLine(long process) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process), "cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    private static void killKeeper() {
        var keeper = keepers().getLast();
        keeper.destroyForcibly();
        keeper.onExit().join();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void writersAreHeldFromTheHoldToTheThawAndAllTheyHeardOfIsInTheCut(boolean member) throws Exception {
        if (!member) {
            server.standalone();
        }
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            assertThat(server.write("order 1", AT_ONCE)).isTrue();

            frozen.hold(LIMIT);

            assertThat(journal()).hasSize(1);
            assertThat(server.write("order 2", AT_ONCE)).isFalse();
            assertThat(server.cut()).containsExactly("order 1");
            assertThat(frozen.heldUntilNow()).isTrue();
            var freeze = frozen.thaw().freezes().getFirst();
            assertThat(server.write("order 3", AT_ONCE)).isTrue();
            assertThat(freeze.heldUntilThaw()).isTrue();
            assertThat(freeze.facts())
                    .containsEntry("unlocked", "let go by this, locks left: 0")
                    .containsKey("holds");
            assertThat(frozen.heldUntilNow()).isFalse();
        }
        assertThat(journal()).isEmpty();
        await().atMost(SOON).until(() -> keepers().isEmpty() && server.connections() == 0);
    }

    @Test
    void thawAnswersAgainAsItDidAndUnlocksOnce() throws Exception {
        var frozen = held();
        var first = frozen.thaw();
        server.lock();

        assertThat(frozen.thaw()).isSameAs(first);
        assertThat(server.lockCount()).isEqualTo(1);
    }

    @Test
    void lockThatIsSomebodyElsesIsRefusedAndStays() throws Exception {
        server.lock();
        var quiescer = quiescer();

        assertThat(quiescer.check(List.of()).warnings()).anyMatch(warning -> warning.contains("is locked now"));
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("locked already");
        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(server.heard()).doesNotContain("fsyncUnlock", FakeMongod.LOCK);
    }

    @Test
    void lockThatSomebodyElseTookSinceTheFreezeIsRefusedAndStays() throws Exception {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.lock();

            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("locked already");
            assertThat(frozen.thaw()).isEqualTo(Frozen.Release.NOTHING);
        }
        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journal()).isEmpty();
    }

    @Test
    void lockThatSomebodyElseTakesAtTheSameTimeStays() throws Exception {
        server.upon(FakeMongod.LOCK, server::lock);
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("it is locked 2 times");
        }
        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journal()).isEmpty();
    }

    @Test
    void lockThatSomebodyElseTakesMeanwhileStays() throws Exception {
        var frozen = held();
        server.lock();

        assertThat(frozen.heldUntilNow()).isTrue();
        assertThat(frozen.thaw().freezes().getFirst().facts())
                .containsEntry("unlocked", "let go by this, locks left: 1");
        assertThat(server.lockCount()).isEqualTo(1);
    }

    @Test
    void lockThatSomebodyElseLetGoHasNotHeldEvenWhereItIsLockedAgain() throws Exception {
        var frozen = held();
        server.unlock();
        assertThat(frozen.heldUntilNow()).isFalse();
        server.lock();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
    }

    @Test
    void serverThatSomebodyElseUnlockedIsLetBe() throws Exception {
        var frozen = held();
        server.unlock();

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsEntry("unlocked", "it was not locked by this any more");
        assertThat(journal()).isEmpty();
    }

    @Test
    void serverThatWasStartedAgainHasNotHeldAndWhoLocksItThenIsLetBe() throws Exception {
        var frozen = held();
        server.restart();
        server.lock();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.lockCount()).isEqualTo(1);
        assertThat(journal()).isEmpty();
    }

    @Test
    void electionWhileItIsLockedIsNoHoldAndItIsUnlocked() throws Exception {
        var frozen = held();
        server.elect(2);

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.lockCount()).isZero();
    }

    @Test
    void keeperThatWasKilledIsReplacedByTheServiceAtTheThaw() throws Exception {
        var frozen = held();
        killKeeper();

        assertThat(frozen.heldUntilNow()).isTrue();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isTrue();
        assertThat(server.lockCount()).isZero();
        assertThat(journal()).isEmpty();
    }

    @Test
    void keeperThatWasStoppedIsReplacedByTheServiceAtTheThaw() throws Exception {
        var frozen = quiescer().freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        assertThat(new ProcessBuilder(
                                "kill",
                                "-STOP",
                                Long.toString(keepers().getLast().pid()))
                        .start()
                        .waitFor())
                .isZero();

        assertThat(frozen.thaw().freezes()).hasSize(1);
        assertThat(server.lockCount()).isZero();
        assertThat(journal()).isEmpty();
    }

    @Test
    void keeperThatIsKilledBeforeTheHoldIsNoHold() throws Exception {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            killKeeper();

            assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);
        }
        await().atMost(SOON).until(() -> journal().isEmpty());
        assertThat(server.lockCount()).isZero();
        assertThat(server.heard()).doesNotContain(FakeMongod.LOCK);
    }

    @Test
    void lockEndsByItselfAtTheLimitAndHasNotHeldThen() throws Exception {
        var limit = Duration.ofSeconds(2);
        var frozen = quiescer().freeze(POINT, limit);
        frozen.hold(limit);

        await().atMost(SOON).until(() -> server.lockCount() == 0);

        assertThat(frozen.heldUntilNow()).isFalse();
        var freeze = frozen.thaw().freezes().getFirst();
        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsEntry("notHeldBecause", "it ended by itself: limit");
    }

    @Test
    void lockThatIsGrantedTooLateIsNoHoldAndIsLetGoOnceItIsGranted() throws Exception {
        var granted = new CompletableFuture<Void>();
        server.uponGranting(granted::join);
        var limit = Duration.ofSeconds(2);
        try (var frozen = quiescer().freeze(POINT, limit)) {
            assertThatThrownBy(() -> frozen.hold(limit)).hasMessageContaining("no answer to fsync");
        }
        assertThat(server.lockCount()).isEqualTo(1);

        granted.complete(null);

        await().atMost(SOON).until(() -> server.lockCount() == 0 && journal().isEmpty());
    }

    @Test
    void lockThatTheServerRefusesIsNoHold() throws Exception {
        server.refuses(FakeMongod.LOCK, 24, "LockTimeout", "Fsync lock timed out");
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("Fsync lock timed out");
        }
        assertThat(server.lockCount()).isZero();
        assertThat(journal()).isEmpty();
        assertThat(server.heard()).doesNotContain("fsyncUnlock");
    }

    @Test
    void serverThatIsSilentAtTheThawHasNotHeldAndStaysInTheJournal() throws Exception {
        var frozen = quiescer().freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        server.close();

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsKey("thawError");
        assertThat(journal()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fsync", "unlock"})
    void userWhoMayNotLockOrUnlockIsRefusedByThePlan(String missing) throws Exception {
        var rights = new ArrayList<>(List.of("serverStatus", "getCmdLineOpts", "replSetGetStatus", "fsync", "unlock"));
        rights.remove(missing);
        server.knows("tidemark", "s3cret", rights.toArray(String[]::new));
        var file = Files.writeString(folder.resolve("password"), "s3cret\n");
        var quiescer = quiescer("user", "tidemark", "passwordFile", file.toString());

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("may not " + missing);
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("may not " + missing);
        assertThat(server.lockCount()).isZero();
    }

    @Test
    void leastRightsAreEnoughWithoutALoginWhileItIsLockedAndThePasswordIsNeitherInArgumentsNorInTheEnvironment()
            throws Exception {
        server.knows("tidemark", "s3cret", "serverStatus", "getCmdLineOpts", "replSetGetStatus", "fsync", "unlock");
        var file = Files.writeString(folder.resolve("password"), "s3cret\n");
        var quiescer = quiescer("user", "tidemark", "passwordFile", file.toString());
        assertThat(quiescer.check(List.of())).isNotNull();

        try (var frozen = quiescer.freeze(POINT, LIMIT)) {
            frozen.hold(LIMIT);
            var keeper = Path.of("/proc", Long.toString(keepers().getLast().pid()));

            assertThat(Files.readString(keeper.resolve("cmdline")))
                    .contains("KeeperProcess")
                    .doesNotContain("s3cret");
            assertThat(Files.readString(keeper.resolve("environ"))).doesNotContain("s3cret");
            assertThat(Files.readString(journal().getFirst())).doesNotContain("s3cret");
            assertThat(frozen.heldUntilNow()).isTrue();
            killKeeper();
            assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isTrue();
        }
        assertThat(server.lockCount()).isZero();
    }
}
