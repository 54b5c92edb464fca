package io.tidemark.consistency.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tested against {@link FakeMySql}, a fake that holds locks as a server does: no real server was to be had. */
class MySqlQuiescerTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(6);
    /** In which a session that was ended is gone from the fake. */
    private static final Duration SOON = Duration.ofSeconds(5);

    @TempDir
    Path folder;

    private Path passwordFile;
    private FakeMySql server;

    @BeforeEach
    void startServer() throws Exception {
        passwordFile = Files.writeString(folder.resolve("password"), FakeMySql.PASSWORD + "\n");
        server = new FakeMySql();
    }

    @AfterEach
    void stopServer() throws Exception {
        server.close();
    }

    private Quiescer quiescer(String... namesAndValues) throws Exception {
        var settings = new HashMap<String, String>();
        settings.put("port", Integer.toString(server.port()));
        settings.put("passwordFile", passwordFile.toString());
        settings.put("statementTimeoutMillis", "1000");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new MySqlQuiescerFactory().create(new QuiescerSpec("mysql", settings));
    }

    private Frozen held() throws Exception {
        var frozen = quiescer().freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        return frozen;
    }

    private static Certificate.Freeze freeze(Frozen frozen) {
        return frozen.thaw().freezes().getFirst();
    }

    private void myIsam() {
        server.state.tables.put("MyISAM", "3");
    }

    private void assertNothingIsHeld() {
        Awaitility.await().atMost(SOON).until(() -> server.sessions() == 0);
        assertThat(server.state.letsDdl()).isTrue();
        assertThat(server.state.letsCommits()).isTrue();
    }

    @Test
    void withInnoDbAloneDdlIsHeldAndRowsAreNot() throws Exception {
        var frozen = held();

        assertThat(server.state.letsDdl()).isFalse();
        assertThat(server.state.letsCommits()).isTrue();
        assertThat(frozen.heldUntilNow()).isTrue();
        var freeze = freeze(frozen);

        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.subject()).isEqualTo("127.0.0.1:" + server.port());
        assertThat(freeze.acknowledgedNanos()).isGreaterThan(freeze.requestedNanos());
        assertThat(freeze.facts())
                .containsEntry("version", "8.0.36")
                .containsEntry("binlogFile", "binlog.000007")
                .containsEntry("binlogPosition", "4711")
                .containsEntry("gtidExecuted", "uuid-1:1-9,uuid-2:1-3")
                .containsEntry("innodbLsn", "18866")
                .containsEntry("holdingIsKnownBy", "the session, and its lock in the server's list")
                .hasEntrySatisfying("held", held -> assertThat(held).contains("backup lock"));
        assertThat(server.heard()).doesNotContain("FLUSH TABLES WITH READ LOCK");
        assertNothingIsHeld();
    }

    /** Without it the list of statements is empty, whatever runs. */
    @Test
    void withoutAPerformanceSchemaTheGlobalReadLockIsNotAskedFor() throws Exception {
        server.state.performanceSchema = false;
        try (var frozen = held()) {
            assertThat(frozen.heldUntilNow()).as("DDL alone needs no list").isTrue();
            assertThat(freeze(frozen).facts()).containsEntry("holdingIsKnownBy", "the session alone");
        }

        myIsam();

        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("performance_schema=ON");
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining("performance_schema=ON");
        assertThat(server.heard()).doesNotContain("FLUSH TABLES WITH READ LOCK");
        assertNothingIsHeld();
    }

    @Test
    void tablesWithoutALogAreHeldByTheGlobalReadLock() throws Exception {
        myIsam();

        var frozen = quiescer().freeze(POINT, LIMIT);
        assertThat(server.state.letsCommits()).isTrue();
        frozen.hold(LIMIT);

        assertThat(server.state.letsCommits()).isFalse();
        assertThat(frozen.heldUntilNow()).isTrue();
        assertThat(freeze(frozen).facts())
                .containsEntry("heldBecause", "3 tables are of engine MYISAM, which no log of InnoDB recovers");
        assertThat(server.heard())
                .containsSubsequence("FLUSH TABLES WITH READ LOCK", "FLUSH LOCAL ENGINE LOGS", "UNLOCK TABLES")
                .doesNotContain("LOCK INSTANCE FOR BACKUP");
        assertNothingIsHeld();
    }

    @Test
    void commitsThatAreAcknowledgedBeforeTheirLogIsWrittenAreHeldToo() throws Exception {
        server.state.variables.put("innodb_flush_log_at_trx_commit", "0");
        var frozen = held();

        assertThat(server.state.letsCommits()).isFalse();
        assertThat(freeze(frozen).heldUntilThaw()).isTrue();
    }

    @Test
    void secondThawAnswersAsTheFirstDidAndAsksNobody() throws Exception {
        var frozen = held();
        var first = frozen.thaw();
        var heard = server.heard();

        assertThat(frozen.thaw()).isSameAs(first);
        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(server.heard()).isEqualTo(heard);
    }

    @Test
    void wrongPasswordIsRefusedInTheServersWords() throws Exception {
        Files.writeString(passwordFile, "wrong-one\n");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("mysql 127.0.0.1:" + server.port())
                .hasMessageContaining("Access denied for user 'tidemark'")
                .hasMessageNotContaining("wrong-one");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void passwordIsTakenWhetherOrNotTheServerHasKeptItsHash(boolean cached) throws Exception {
        server.cached = cached;

        assertThat(freeze(held()).heldUntilThaw()).isTrue();
    }

    @Test
    void passwordIsTakenByTheKeyThatIsGiven() throws Exception {
        server.cached = false;
        var key = Files.write(folder.resolve("key.pem"), server.publicKey());

        assertThat(quiescer("serverPublicKeyFile", key.toString())
                        .check(List.of())
                        .warnings())
                .isNotNull();
    }

    @Test
    void passwordGoesOverAUnixSocketAsTheServerWantsIt() throws Exception {
        try (var local = new FakeMySql(folder.resolve("s"))) {
            local.cached = false;
            var quiescer = new MySqlQuiescerFactory()
                    .create(new QuiescerSpec(
                            "mysql",
                            Map.of(
                                    "socketFile", folder.resolve("s").toString(),
                                    "passwordFile", passwordFile.toString())));
            var frozen = quiescer.freeze(POINT, LIMIT);
            frozen.hold(LIMIT);

            assertThat(freeze(frozen).heldUntilThaw()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "BACKUP_ADMIN | BACKUP_ADMIN privilege",
                "log_status | log_status",
                "SHOW VIEW | grant SHOW VIEW",
            })
    void missingRightIsNamedByThePlan(String right, String expected) throws Exception {
        server.state.rights.remove(right);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource({"PROCESS,grant PROCESS", "RELOAD,grant RELOAD"})
    void rightThatTheGlobalReadLockNeedsIsNamedByThePlanAndTheFreeze(String right, String expected) throws Exception {
        myIsam();
        server.state.rights.remove(right);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining(expected);
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining(expected);
        assertNothingIsHeld();
    }

    @Test
    void rightsThatAreOptionalAreWarnedOfOrToldInTheFacts() throws Exception {
        server.state.rights.removeAll(List.of("PROCESS", "RELOAD", "metadata_locks"));

        assertThat(quiescer().check(List.of()).warnings()).anyMatch(warning -> warning.contains("grant PROCESS"));
        var freeze = freeze(held());

        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.facts()).containsEntry("holdingIsKnownBy", "the session alone");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "version | 10.11.6-MariaDB | frozen by kind mariadb",
                "version | 5.7.44 | supported are 8.0.22 to 26",
                "version | 8.0.21 | supported are 8.0.22 to 26",
                "version | 27.1.0 | supported are 8.0.22 to 26",
                "wsrep_on | ON | Galera",
            })
    void unfitServerIsRefusedBeforeAnythingIsHeld(String name, String value, String expected) throws Exception {
        server.state.variables.put(name, value);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining(expected);
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining(expected);
        assertThat(server.state.backupLocks()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"8.0.22", "8.4.7", "9.7.0", "26.10.1", "8.0.36-28"})
    void supportedVersionIsFit(String version) throws Exception {
        server.state.variables.put("version", version);

        assertThat(quiescer().check(List.of())).isNotNull();
    }

    @Test
    void nodeOfAnNdbClusterIsRefused() throws Exception {
        server.state.ndb = true;
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("data nodes");
    }

    @Test
    void serverWithoutARedoLogIsRefused() throws Exception {
        server.state.redoLog = false;
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("ENABLE INNODB REDO_LOG");
    }

    @Test
    void memberOfAGroupIsHeldByItsBackupLockAloneAndReplicaToo() throws Exception {
        server.state.groupReplication = true;
        server.state.channels = "1";

        assertThat(quiescer().check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("applies what others commit"));
        assertThat(freeze(held()).facts()).containsEntry("replicationChannels", "1");
        myIsam();
        var quiescer = quiescer();
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("Group Replication");
    }

    @Test
    void planTellsWhatWillBeHeldAndWhatItKnowsNothingOf() throws Exception {
        myIsam();
        server.state.tables.put("ROCKSDB", "2");

        assertThat(quiescer().check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("global read lock") && warning.contains("MYISAM"))
                .anyMatch(warning -> warning.contains("engine ROCKSDB, which 2 tables have"));
    }

    @Test
    void dataOutsideTheVolumesIsNamed() throws Exception {
        server.state.variables.put("datadir", folder.toString());
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("data directory " + folder)
                .hasMessageContaining("lies on none of the group's volumes");
    }

    @Test
    void backupLockThatIsNotHadInTimeNamesWhoRuns() throws Exception {
        server.state.ddlRuns(true);
        server.state.running.add(List.of("77", "app", "12"));
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT))
                .hasMessageContaining("LOCK INSTANCE FOR BACKUP did not get its lock within 1000 ms")
                .hasMessageContaining("connection 77 of app, for 12 s");
        assertNothingIsHeld();
    }

    @Test
    void tableOfAnotherEngineThatWasMadeBeforeTheBackupLockIsSeen() throws Exception {
        server.upon("LOCK INSTANCE", this::myIsam);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("take it again");
        assertNothingIsHeld();
    }

    @Test
    void longStatementIsRefusedBeforeTheGlobalReadLockIsAskedFor() throws Exception {
        myIsam();
        var quiescer = quiescer("longStatementMillis", "3000");
        var frozen = quiescer.freeze(POINT, LIMIT);
        server.state.running.add(List.of("77", "app", "3"));

        assertThatThrownBy(() -> frozen.hold(LIMIT))
                .hasMessageContaining("connection 77 of app, for 3 s")
                .hasMessageContaining("longStatementMillis is 3000");
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("connection 77");
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
        assertThat(server.heard()).doesNotContain("FLUSH TABLES WITH READ LOCK");
        assertNothingIsHeld();
    }

    @Test
    void globalReadLockThatIsNotHadInTimeIsLetGoOfWithWhatItAlreadyHad() throws Exception {
        myIsam();
        var frozen = quiescer().freeze(POINT, LIMIT);
        server.state.tableInUse(true);
        server.state.running.add(List.of("77", "app", "1"));

        assertThatThrownBy(() -> frozen.hold(LIMIT))
                .hasMessageContaining("FLUSH TABLES WITH READ LOCK did not get its lock within 3000 ms")
                .hasMessageContaining("connection 77 of app");
        // At once, and not when the server misses us.
        assertThat(server.state.letsCommits()).isTrue();
        assertNothingIsHeld();
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
    }

    @Test
    void limitThatTheGlobalReadLocksWaitsDoNotFitIsRefused() throws Exception {
        myIsam();
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.freeze(POINT, Duration.ofMillis(5_999)))
                .hasMessageContaining("set 6000 ms or more");
    }

    @Test
    void sessionThatIsKilledBeforeTheHoldFailsIt() throws Exception {
        var frozen = quiescer().freeze(POINT, LIMIT);
        server.killSessions();

        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
        assertNothingIsHeld();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void sessionThatIsKilledWhileHeldHasNotHeld(boolean everyWrite) throws Exception {
        if (everyWrite) {
            myIsam();
        }
        var frozen = held();
        server.killSessions();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
        assertNothingIsHeld();
    }

    @Test
    void sessionThatIsKilledBetweenTheQuestionAndTheThawHasNotHeld() throws Exception {
        var frozen = held();
        assertThat(frozen.heldUntilNow()).isTrue();
        server.killSessions();

        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
    }

    @Test
    void lockThatIsGoneFromTheListHasNotHeldThoughItsReleaseSucceeds() throws Exception {
        var frozen = held();
        server.state.loseLocks();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
        assertThat(server.heard()).contains("UNLOCK INSTANCE");
    }

    @Test
    void logThatIsNoLongerWrittenAtCommitWhileRowsAreWrittenHasNotHeld() throws Exception {
        var frozen = held();
        server.state.variables.put("innodb_flush_log_at_trx_commit", "0");

        assertThat(frozen.heldUntilNow()).isFalse();
        server.state.variables.put("innodb_flush_log_at_trx_commit", "1");
        try (var without = held()) {
            server.state.redoLog = false;
            assertThat(without.heldUntilNow())
                    .as("a redo log that is switched off")
                    .isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void serverEndsTheHoldByItselfWhenItHearsNothingMore(boolean everyWrite) throws Exception {
        if (everyWrite) {
            myIsam();
        }
        var frozen = held();

        Awaitility.await().atMost(LIMIT.plus(SOON)).until(() -> server.sessions() == 0);

        assertNothingIsHeld();
        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
    }

    @Test
    void serverThatIsSilentAtTheThawHasNotHeldAndIsGivenUp() throws Exception {
        var limit = Duration.ofSeconds(2);
        var frozen = quiescer().freeze(POINT, limit);
        frozen.hold(limit);
        server.silentUpon("UNLOCK");

        assertThat(freeze(frozen).heldUntilThaw()).isFalse();
        assertThat(freeze(frozen).facts()).containsKey("endError");
        server.speakAgain();
        assertNothingIsHeld();
    }

    @Test
    void serverThatIsSilentAtTheHoldFailsItWithinHalfOfTheLimit() throws Exception {
        myIsam();
        var frozen = quiescer().freeze(POINT, LIMIT);
        server.silentUpon("FLUSH TABLES");
        long started = System.nanoTime();

        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(ConsistencyException.class);

        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(LIMIT);
        frozen.close();
        // It gets the lock, and finds that nobody is there to hold it for.
        server.speakAgain();
        assertNothingIsHeld();
    }

    @Test
    void holdIsDoneOnceAndNotAfterTheThaw() throws Exception {
        var frozen = held();

        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(IllegalStateException.class);
        frozen.close();
        assertThatThrownBy(() -> frozen.hold(LIMIT)).isInstanceOf(IllegalStateException.class);
        try (var never = quiescer().freeze(POINT, LIMIT)) {
            assertThat(freeze(never).heldUntilThaw()).as("never held").isFalse();
        }
        assertNothingIsHeld();
    }
}
