package io.tidemark.consistency.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tested against a fake at the level of JDBC, {@link FakeOracle}: no real server, and no driver, was to be had. */
class OracleQuiescerTest extends OracleGround {
    @Test
    void timesBeforeAndAfterTheCutAreKeptWithWhatToSayToRecover() throws Exception {
        var frozen = held();
        assertThat(frozen.heldUntilNow()).isTrue();

        var release = frozen.thaw();

        var freeze = release.freezes().getFirst();
        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.subject()).isEqualTo("127.0.0.1:1521/orcl");
        assertThat(freeze.facts())
                .containsKeys("timeBefore", "timeAfter", "scnBefore", "scnAfter", "checkpointAfter")
                .containsEntry("dbid", "1234567890");
        assertThat(freeze.facts().get("timeAfter"))
                .as("a second has more than one change")
                .isGreaterThan(freeze.facts().get("timeBefore"));
        assertThat(release.evidence().get(RecoveryText.EVIDENCE))
                .contains("SNAPSHOT TIME '" + freeze.facts().get("timeAfter") + "';", "STARTUP\n")
                .doesNotContain("END BACKUP");
        assertThat(server.heard("BACKUP")).isFalse();
        assertThat(server.sessions()).isZero();
        assertThat(journal()).isEmpty();
    }

    @Test
    void timeAfterTheCutIsAskedBeforeAllElse() throws Exception {
        try (var frozen = held(BACKUP_MODE)) {
            server.heard.clear();

            assertThat(frozen.heldUntilNow()).isTrue();

            assertThat(server.heard.getFirst()).contains("CURRENT_SCN");
        }
    }

    @Test
    void questionBeforeTheCutMayTakeHalfTheLimit() throws Exception {
        try (var frozen = held()) {
            assertThat(server.limits.entrySet())
                    .filteredOn(said -> said.getKey().contains("CURRENT_SCN"))
                    .singleElement()
                    .extracting(Map.Entry::getValue)
                    .isEqualTo(5);
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void backupModeBeginsAtTheFreezeAndEndsAtTheThaw() throws Exception {
        var frozen = held(BACKUP_MODE);
        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).hasSize(1);
        assertThat(frozen.heldUntilNow()).isTrue();

        var release = frozen.thaw();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
        assertThat(release.freezes().getFirst().heldUntilThaw()).isTrue();
        assertThat(release.evidence().get(RecoveryText.EVIDENCE)).contains("ALTER DATABASE END BACKUP;");
        assertThat(server.sessions()).isZero();
    }

    @Test
    void cutThatFailsEndsBackupModeToo() throws Exception {
        held(BACKUP_MODE).close();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }

    @Test
    void thawTwiceAnswersTheSameAndSaysNothingMore() throws ConsistencyException {
        var frozen = held(BACKUP_MODE);
        assertThat(frozen.heldUntilNow()).isTrue();
        var first = frozen.thaw();
        int heard = server.heard.size();

        assertThat(frozen.thaw()).isSameAs(first);

        assertThat(server.heard).hasSize(heard);
        assertThat(frozen.heldUntilNow()).isFalse();
    }

    @Test
    void thawThatNobodyAskedBeforeHasNotHeld() throws ConsistencyException {
        var release = held().thaw();

        assertThat(release.freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(release.evidence()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"STARTUP_TIME,2026-11-27:07:00:00", "OPEN_MODE,MOUNTED", "DATABASE_ROLE,PHYSICAL STANDBY"})
    void databaseThatIsAnotherAfterTheCutHasNotHeld(String column, String value) throws ConsistencyException {
        try (var frozen = held()) {
            server.columns.put(column, value);

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void dataFileThatCameMeanwhileHasNotHeld() throws ConsistencyException {
        try (var frozen = held()) {
            server.dataFiles.add(new FakeOracle.DataFile("/elsewhere/new01.dbf"));

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void backupModeThatSomebodyEndedAndBeganAgainHasNotHeldAndIsTheirs() throws Exception {
        var frozen = held(BACKUP_MODE);
        server.end();
        assertThat(frozen.heldUntilNow()).isFalse();
        server.begin(FakeOracle.now());
        assertThat(frozen.heldUntilNow()).isFalse();

        server.killAll();
        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(server.inBackupMode()).isTrue();
    }

    /** The same on a session that lives: nothing there tells the two apart but the change at which each began. */
    @Test
    void theirsIsNotEndedByALiveSessionEither() throws Exception {
        var frozen = held(BACKUP_MODE);
        server.end();
        server.begin(FakeOracle.now());

        frozen.close();

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).isEmpty();
    }

    @Test
    void somebodyElsesBackupModeIsRefusedAndNotEnded() throws Exception {
        server.begin("2026-11-27:06:00:00");

        assertThatThrownBy(() -> quiescer(BACKUP_MODE).freeze(POINT, LIMIT))
                .hasMessageContaining("2 of its 3 data files are in backup mode already, since 2026-11-27:06:00:00");

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).isEmpty();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void sessionLostWhileHeldEndsBackupModeOnAnother() throws Exception {
        var frozen = held(BACKUP_MODE);
        server.killAll();

        assertThat(frozen.heldUntilNow()).isFalse();
        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts().get("askError")).contains("Connection reset");
        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }

    @Test
    void sessionLostBeforeTheHoldFailsTheFreeze() throws ConsistencyException {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.killAll();

            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("Connection reset");
        }
    }

    @Test
    void serverThatIsSilentAfterTheCutHasNotHeld() throws ConsistencyException {
        try (var frozen = held()) {
            server.silence("V$DATABASE");

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void wrongPasswordIsToldWithoutIt() throws Exception {
        server.password = "right";
        var file = Files.writeString(state.resolve("password"), "wrong-one\n");

        assertThatThrownBy(() -> quiescer("passwordFile", file.toString()).check(List.of()))
                .hasMessageContaining("ORA-01017")
                .hasMessageNotContaining("wrong-one");
    }

    @Test
    void missingRightIsToldWithTheWayOut() {
        server.fail("V$INSTANCE", "ORA-00942: table or view does not exist", 942);

        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("the account lacks a right");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "VERSION|11.2.0.4.0|supported are 12 to 23",
                "PARALLEL|YES|one of a cluster (RAC)",
                "DATABASE_ROLE|PHYSICAL STANDBY|is a PHYSICAL STANDBY",
                "OPEN_MODE|MOUNTED|not open READ WRITE",
                "CON_ID|3|leads to a pluggable database"
            })
    void databaseThatIsNotFitIsRefusedByThePlanAndTheFreeze(String column, String value, String words)
            throws ConsistencyException {
        server.columns.put(column, value);

        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining(words);
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining(words);
        assertThat(server.sessions()).isZero();
    }

    @Test
    void diskGroupsAreRefusedByName() {
        server.redoLog = "+DATA/orcl/redo01.log";

        assertThatThrownBy(() -> quiescer().check(List.of()))
                .hasMessageContaining("+DATA/orcl/redo01.log lies in a disk group of Automatic Storage Management");
    }

    @Test
    void withoutArchivedLogsThereIsAWarningAndNoBackupMode() throws ConsistencyException {
        server.columns.put("LOG_MODE", "NOARCHIVELOG");

        assertThat(quiescer().check(List.of()).warnings())
                .anySatisfy(text -> assertThat(text).contains("NOARCHIVELOG", "to its cut alone"));
        assertThatThrownBy(() -> quiescer(BACKUP_MODE).check(List.of())).hasMessageContaining("no backup mode");
        var frozen = held();
        assertThat(frozen.heldUntilNow()).isTrue();
        assertThat(frozen.thaw().evidence().get(RecoveryText.EVIDENCE)).doesNotContain("RECOVER");
    }

    @Test
    void editionWithoutSnapshotTimeIsTold() throws ConsistencyException {
        server.columns.put("BANNER", "Oracle Database 19c Standard Edition 2 Release 19.0.0.0.0 - Production");
        var frozen = held();
        assertThat(frozen.heldUntilNow()).isTrue();

        assertThat(frozen.thaw().evidence().get(RecoveryText.EVIDENCE)).contains("which this is not");
    }

    @Test
    void fileOutsideTheVolumesIsRefusedByItsPathAndArchivedLogsAreAWarning() throws Exception {
        var log = Files.createFile(state.resolve("redo01.log"));
        server.archive = Files.createDirectory(state.resolve("archive")).toString();

        assertThat(quiescer().check(List.of()).warnings())
                .anySatisfy(text -> assertThat(text)
                        .contains("archived redo log folder " + server.archive, "lies on none of the group's volumes"));
        server.redoLog = log.toString();
        assertThatThrownBy(() -> quiescer().check(List.of()))
                .hasMessageContaining("online redo log " + log)
                .hasMessageContaining("lies on none of the group's volumes");
    }
}
