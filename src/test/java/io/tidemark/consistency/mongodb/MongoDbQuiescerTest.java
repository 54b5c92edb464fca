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
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tested against a fake that speaks the server's protocol; no real MongoDB was to be had. */
class MongoDbQuiescerTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String[] ASKED = {"serverStatus", "getCmdLineOpts", "replSetGetStatus"};

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

    private Quiescer quiescer(String... namesAndValues) throws ConsistencyException {
        var settings = new HashMap<String, String>();
        settings.put("port", Integer.toString(server.port()));
        settings.put("answerTimeoutMillis", "3000");
        settings.put("connectTimeoutMillis", "2000");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new MongoDbQuiescerFactory(folder.resolve("state")).create(new QuiescerSpec("mongodb", settings));
    }

    private Quiescer loggingIn(String password) throws Exception {
        var file = Files.writeString(folder.resolve("password"), password + "\n");
        return quiescer("user", "tidemark", "passwordFile", file.toString());
    }

    private Frozen held() throws ConsistencyException {
        var frozen = quiescer().freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        return frozen;
    }

    @Test
    void whatAMemberAcknowledgedBeforeTheHoldIsInTheCut() throws ConsistencyException {
        server.flushesAfter(6);
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.acknowledge("order 1");
            server.acknowledge("order 2");

            frozen.hold(LIMIT);

            assertThat(server.cut()).containsExactly("order 1", "order 2");
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void whatAServerInNoSetAcknowledgedBeforeTheHoldIsInTheCut() throws ConsistencyException {
        server.standalone();
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.acknowledge("order 1");

            frozen.hold(LIMIT);

            assertThat(server.cut()).containsExactly("order 1");
            assertThat(frozen.heldUntilNow()).isTrue();
            assertThat(frozen.thaw().freezes().getFirst().facts())
                    .containsEntry("role", "standalone")
                    .containsEntry("journaledBy", "fsync");
        }
    }

    @Test
    void certificateTellsWhoWasHeldAndUntilWhereItsJournalReached() throws ConsistencyException {
        var freeze = held().thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.subject()).isEqualTo("127.0.0.1:" + server.port());
        assertThat(freeze.acknowledgedNanos()).isGreaterThan(freeze.requestedNanos());
        assertThat(freeze.facts())
                .containsEntry("version", "7.0.14")
                .containsEntry("role", "primary")
                .containsEntry("replicaSet", "rs0")
                .containsEntry("journaledUntil", "2026-11-18T11:06:40Z, operation 10 of term 3");
    }

    @Test
    void writesThatGoOnAreNotWaitedFor() throws ConsistencyException {
        server.upon("replSetGetStatus", () -> server.acknowledge("order"));
        server.flushesAfter(3);

        try (var frozen = held()) {
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void memberIsNeverAskedForWhatItWouldHaveToUndo() throws ConsistencyException {
        held().close();

        assertThat(server.heard()).doesNotContain("fsync").contains("hello", "replSetGetStatus");
    }

    @Test
    void journalThatIsNotWrittenWithinHalfOfTheLimitIsNoHold() throws ConsistencyException {
        var limit = Duration.ofMillis(600);
        server.flushesAfter(1_000_000);
        try (var frozen = quiescer().freeze(POINT, limit)) {
            server.acknowledge("order 1");

            assertThatThrownBy(() -> frozen.hold(limit))
                    .hasMessageContaining("its journal was not written within 300 ms")
                    .hasMessageContaining("operation 11 of term 3");
            assertThat(frozen.heldUntilNow()).isFalse();
            assertThat(frozen.thaw()).isEqualTo(Frozen.Release.NOTHING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"replSetGetStatus", "hello"})
    void serverThatFallsSilentInTheHoldIsGivenUpAtHalfOfTheLimit(String command) throws ConsistencyException {
        var limit = Duration.ofMillis(800);
        try (var frozen = quiescer().freeze(POINT, limit)) {
            server.upon(command, () -> sleep(5_000));
            long started = System.nanoTime();

            assertThatThrownBy(() -> frozen.hold(limit)).hasMessageContaining("no answer to " + command);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(4));
        }
    }

    @Test
    void checkpointThatTakesTooLongBeforeTheHoldIsGivenUpAtItsLimit() throws ConsistencyException {
        server.standalone().upon("fsync", () -> sleep(5_000));
        var quiescer = quiescer("flushTimeoutMillis", "200");

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT))
                .hasMessageContaining("no answer to fsync within 200 ms");
    }

    @Test
    void serverThatWasStartedAgainBeforeTheHoldIsNotTheOneThatWasAskedFor() throws ConsistencyException {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.restart();

            assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);
            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void electionBeforeTheHoldIsRefusedEvenWhereItIsPrimaryAgain() throws ConsistencyException {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.elect(1);

            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("its topologyVersion was");
            assertThat(frozen.thaw()).isEqualTo(Frozen.Release.NOTHING);
        }
    }

    @Test
    void serverThatWasStartedAgainBeforeTheCutWasDoneHasNotHeld() throws ConsistencyException {
        var frozen = held();
        server.restart();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void electionWhileItIsHeldIsNoHold(int newState) throws ConsistencyException {
        var frozen = held();
        server.elect(newState);

        assertThat(frozen.heldUntilNow()).isFalse();
        var freeze = frozen.thaw().freezes().getFirst();
        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts().get("notHeldBecause")).contains("its role or its replica set changed");
    }

    @Test
    void lostConnectionAloneChangesNothingAsTheProcessIsKnownByItsAnswer() throws ConsistencyException {
        try (var frozen = held()) {
            server.dropConnections();

            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void silentOrAbsentServerAtTheThawHasNotHeld() throws Exception {
        var frozen = held();
        server.close();

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsKey("notHeldBecause");
    }

    @Test
    void thawAnswersAgainAsItDidAndLeavesNoConnection() throws Exception {
        var frozen = held();
        var first = frozen.thaw();
        await().untilAsserted(() -> assertThat(server.connections()).isZero());
        server.restart();

        assertThat(frozen.thaw()).isSameAs(first);
        assertThat(frozen.heldUntilNow()).isFalse();
    }

    @Test
    void failedFreezeLeavesNoConnection() throws Exception {
        server.inState(9);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("ROLLBACK");
        await().untilAsserted(() -> assertThat(server.connections()).isZero());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hello | {msg: 'isdbgrid'} | is a mongos, which keeps no data: name a mongod of each shard",
                "hello | {arbiterOnly: true} | is an arbiter",
                "buildInfo | {version: '4.4.29'} | is MongoDB 4.4.29, supported are 5 to 8",
                "buildInfo | {version: '9.0.0'} | supported are 5 to 8",
                "buildInfo | {version: 'new'} | supported are 5 to 8",
                "serverStatus | {storageEngine: {name: 'inMemory'}} | storage engine is inMemory",
                "serverStatus | {} | storage engine is not told",
            })
    void unfitServerIsRefused(String command, String json, String expected) throws Exception {
        server.says(command, json);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining(expected);
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining(expected);
    }

    @Test
    void serverThatIsNotInItsSetIsRefused() throws Exception {
        server.standalone().says("hello", "{isreplicaset: true}");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("rs.initiate()");
    }

    @Test
    void serverThatCannotBeKnownAgainIsRefused() throws Exception {
        server.says("hello", "{topologyVersion: null}");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("topologyVersion");
    }

    @Test
    void journalThatIsSwitchedOffIsRefusedWhereItCanBe() throws Exception {
        server.says("getCmdLineOpts", "{parsed: {storage: {dbPath: '/absent', journal: {enabled: false}}}}");
        server.says("buildInfo", "{version: '6.0.5'}");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("without --nojournal");
    }

    @ParameterizedTest
    @CsvSource({"0,STARTUP", "3,RECOVERING", "5,initial sync", "8,DOWN", "9,ROLLBACK", "10,REMOVED", "42,state 42"})
    void memberThatIsNeitherPrimaryNorSecondaryIsRefused(int state, String name) throws ConsistencyException {
        server.inState(state);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining(name)
                .hasMessageContaining("neither primary nor secondary");
    }

    @Test
    void secondaryIsHeldAndTheCertificateSaysSo() throws ConsistencyException {
        server.inState(2);

        assertThat(quiescer().check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("is a secondary"))
                .noneMatch(warning -> warning.contains("acknowledged"));
        assertThat(held().thaw().freezes().getFirst().facts()).containsEntry("role", "secondary");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "serverStatus | {storageEngine: {name: 'wiredTiger'}, sharding: {}} | part of a sharded cluster",
                "getCmdLineOpts | {parsed: {sharding: {clusterRole: 'shardsvr'}}} | part of a sharded cluster",
                "getCmdLineOpts | {parsed: {storage: {wiredTiger: {engineConfig: {configString: 'x'}}}}} | configString",
                "getCmdLineOpts | {parsed: {storage: {dbPath: 'data'}}} | give it an absolute path",
                "getDefaultRWConcern | {defaultWriteConcern: {w: 1}} | up to 100 ms before the file systems are frozen",
                "getDefaultRWConcern | {defaultWriteConcern: {w: 'majority', j: false}} | which does not wait for the journal",
                "getDefaultRWConcern | {} | default write concern is w: 1",
                "replSetGetConfig | {config: {writeConcernMajorityJournalDefault: false}} | JournalDefault is off",
            })
    void whatMakesARecoveryPointLessIsAWarningOfThePlan(String command, String json, String expected) throws Exception {
        server.says(command, json);

        assertThat(quiescer().check(List.of()).warnings()).anyMatch(warning -> warning.contains(expected));
    }

    @Test
    void memberOfAShardDoesNotTellItsDefaultAndThatIsSaid() throws ConsistencyException {
        server.refuses(
                "getDefaultRWConcern",
                51_301,
                "Location51301",
                "'getDefaultRWConcern' is not supported on shard nodes.");

        assertThat(quiescer().check(List.of()).warnings())
                .anyMatch(
                        warning -> warning.contains("could not be asked for: 'getDefaultRWConcern' is not supported"));
    }

    @Test
    void serverWhoseWritersWaitForTheJournalGivesNoWarningOfThem() throws ConsistencyException {
        assertThat(quiescer().check(List.of()).warnings()).noneMatch(warning -> warning.contains("acknowledged"));
    }

    @Test
    void serverInNoSetAcknowledgesBeforeItsJournalIsWritten() throws ConsistencyException {
        server.standalone()
                .says("getCmdLineOpts", "{parsed: {storage: {dbPath: '/absent', journal: {commitIntervalMs: 300}}}}");

        assertThat(quiescer().check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("up to 300 ms before the file systems are frozen until the cut"));
    }

    @Test
    void dataOutsideTheVolumesIsRefusedByItsPath() throws Exception {
        var data = Files.createDirectories(folder.resolve("db"));
        server.says("getCmdLineOpts", "{parsed: {storage: {dbPath: '%s'}}}".formatted(data));
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("dbPath " + data)
                .hasMessageContaining("lies on none of the group's volumes");
    }

    @Test
    void userWithTheLeastRightsIsEnough() throws Exception {
        server.knows("tidemark", "secret", ASKED);
        var quiescer = loggingIn("secret");

        assertThat(quiescer.check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("grant getDefaultRWConcern"));
        try (var frozen = quiescer.freeze(POINT, LIMIT)) {
            frozen.hold(LIMIT);
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"serverStatus", "getCmdLineOpts", "replSetGetStatus"})
    void missingRightIsRefusedByTheServersWordsAndTheWayOut(String missing) throws Exception {
        server.knows(
                "tidemark",
                "secret",
                List.of(ASKED).stream().filter(right -> !right.equals(missing)).toArray(String[]::new));
        var quiescer = loggingIn("secret");

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("not authorized on admin to execute command { %s".formatted(missing))
                .hasMessageContaining("tidemark quiesce explain mongodb");
    }

    @Test
    void serverInNoSetWhoseUserMayNotFlushIsRefusedByThePlan() throws Exception {
        server.standalone().knows("tidemark", "secret", "serverStatus", "getCmdLineOpts");
        var quiescer = loggingIn("secret");

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("user tidemark may not fsync");
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("user tidemark may not fsync");
        assertThat(server.heard()).doesNotContain("fsync");
    }

    @Test
    void serverInNoSetIsHeldWithTheLeastRights() throws Exception {
        server.standalone().knows("tidemark", "secret", "serverStatus", "getCmdLineOpts", "fsync");
        var quiescer = loggingIn("secret");
        quiescer.check(List.of());

        try (var frozen = quiescer.freeze(POINT, LIMIT)) {
            frozen.hold(LIMIT);
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void wrongPasswordIsRefusedAndInNoMessage() throws Exception {
        server.knows("tidemark", "secret", ASKED);
        var quiescer = loggingIn("wr0ng");

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("user tidemark of admin is not let in: Authentication failed.")
                .satisfies(thrown -> assertThat(org.assertj.core.util.Throwables.getStackTrace(thrown))
                        .doesNotContain("wr0ng"));
        assertThat(server.heard()).isEmpty();
    }

    @Test
    void serverThatWantsALoginWithoutOneIsRefused() throws Exception {
        server.knows("tidemark", "secret", ASKED);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("not authorized");
    }

    @Test
    void absentServerIsNamed() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var quiescer = quiescer("port", Integer.toString(port), "connectTimeoutMillis", "300");

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("mongodb 127.0.0.1:" + port)
                .hasMessageContaining("no connection within 300 ms")
                .hasMessageContaining("refused");
    }

    @Test
    void missingPasswordFileIsNamed() throws Exception {
        var quiescer = quiescer("user", "tidemark", "passwordFile", "/absent/password");

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("/absent/password does not exist");
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("/absent/password does not exist");
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
