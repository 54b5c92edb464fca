package io.tidemark.consistency.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a killed service, or a lost session, leaves in backup mode. Tested against {@link FakeOracle}. */
class LeftInBackupModeTest extends OracleGround {
    @Test
    void whatCannotBeEndedIsEndedByTheNextFreeze() throws Exception {
        var frozen = held(BACKUP_MODE);
        server.killAll();
        server.unreachable = true;
        assertThat(frozen.thaw().freezes().getFirst().facts().get("endBackupError"))
                .contains("No listener");
        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).hasSize(1);
        server.unreachable = false;

        try (var next = held(BACKUP_MODE)) {
            assertThat(next.heldUntilNow()).isTrue();
        }

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }

    /** A service that is killed: its journal is all that is left. */
    @Test
    void whatAKilledServiceLeftIsEndedByTheNextStart() throws Exception {
        held(BACKUP_MODE);
        server.killAll();

        new OracleQuiescerFactory(server::connect, state).sweep();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void serviceKilledWhileItBeganIsFoundByTheTime() throws Exception {
        var before = FakeOracle.now();
        new BackupJournal(state.resolve("held-oracle"))
                .write(
                        "rp-1.0",
                        new BackupJournal.Entry("rp-1", spec(BACKUP_MODE).settings(), before, List.of()));
        server.begin(FakeOracle.now());

        service.sweep();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }

    private void killedWhileItBegan(String before) throws IOException {
        new BackupJournal(state.resolve("held-oracle"))
                .write(
                        "rp-1.0",
                        new BackupJournal.Entry("rp-1", spec(BACKUP_MODE).settings(), before, List.of()));
    }

    /** The server goes on with the statement of a service that is gone: a checkpoint takes its time. */
    @Test
    void whatBeginsOnlyAfterTheNextStartIsEndedByTheOneAfter() throws Exception {
        killedWhileItBegan(FakeOracle.now());
        service.sweep();
        assertThat(journal()).as("it may still begin").hasSize(1);
        server.begin(FakeOracle.now());

        service.sweep();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }

    @Test
    void journalOfWhatNeverBeganGoesOnceItCannotBeginAnyMore() throws Exception {
        killedWhileItBegan("2026-11-01:00:00:00");

        service.sweep();

        assertThat(journal()).isEmpty();
    }

    @Test
    void whoseBackupModeItIsIsLeftToPeopleWhereItCannotBeKnown() throws Exception {
        killedWhileItBegan("2026-11-01:00:00:00");
        server.begin(FakeOracle.now());

        service.sweep();

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).hasSize(1);
    }

    @Test
    void filesThatAreStillOursAreToldWhereOthersAreSomebodyElses() throws Exception {
        var frozen = held(BACKUP_MODE);
        server.dataFiles.getFirst().change = 9_999;

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.facts().get("endBackupError")).contains("others in somebody else's");
        assertThat(journal()).as("nobody forgets them").hasSize(1);
        service.sweep();
        assertThat(journal()).hasSize(1);
        assertThat(server.inBackupMode()).isTrue();
    }

    @Test
    void whatWasLeftIsEndedByAFreezeInTheOtherModeToo() throws Exception {
        held(BACKUP_MODE);
        server.killAll();
        var restarted = new OracleQuiescerFactory(server::connect, state);

        try (var frozen = restarted.create(spec()).freeze(POINT, LIMIT)) {
            frozen.hold(LIMIT);
            assertThat(server.inBackupMode()).isFalse();
        }
        assertThat(journal()).isEmpty();
    }

    @Test
    void nextStartDoesNotEndWhatSomebodyElseBeganSince() throws Exception {
        held(BACKUP_MODE);
        server.killAll();
        server.end();
        server.begin(FakeOracle.now());

        new OracleQuiescerFactory(server::connect, state).sweep();

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).isEmpty();
    }

    @Test
    void startThatCannotReachTheDatabaseLeavesItsJournal() throws Exception {
        held(BACKUP_MODE);
        server.unreachable = true;

        new OracleQuiescerFactory(server::connect, state).sweep();

        assertThat(journal()).hasSize(1);
    }

    @Test
    void damagedJournalStays() throws Exception {
        held(BACKUP_MODE);
        Files.writeString(journal().getFirst(), "tidemark-oracle-journal 1\nrecovery-point rp-1\n");

        new OracleQuiescerFactory(server::connect, state).sweep();

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).hasSize(1);
    }

    /** A second group that names the same database takes the first one's for somebody else's, and does not end it. */
    @Test
    void backupModeOfALiveRecoveryPointIsNotEndedByAnother() throws Exception {
        try (var frozen = held(BACKUP_MODE)) {
            assertThatThrownBy(() -> quiescer(BACKUP_MODE).freeze(new RecoveryPointId("rp-2"), LIMIT))
                    .hasMessageContaining("in backup mode already");

            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void beginThatFailsLeavesNoJournal() throws Exception {
        server.fail("BEGIN BACKUP", "ORA-01031: insufficient privileges", 1031);

        assertThatThrownBy(() -> quiescer(BACKUP_MODE).freeze(POINT, LIMIT))
                .hasMessageContaining("ORA-01031")
                .hasMessageContaining("tidemark quiesce explain oracle");

        assertThat(journal()).isEmpty();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void whoeverWasFasterKeepsTheirBackupMode() throws Exception {
        server.upon("BEGIN BACKUP", () -> {
            try {
                server.begin(FakeOracle.now());
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });

        assertThatThrownBy(() -> quiescer(BACKUP_MODE).freeze(POINT, LIMIT)).hasMessageContaining("ORA-01146");

        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).isEmpty();
    }

    @Test
    void beginThatWasNotAnsweredIsEndedByTheJournal() throws Exception {
        server.upon("BEGIN BACKUP", () -> {
            try {
                server.begin(FakeOracle.now());
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
            server.killAll();
        });
        assertThatThrownBy(() -> quiescer(BACKUP_MODE).freeze(POINT, LIMIT)).isInstanceOf(ConsistencyException.class);
        assertThat(server.inBackupMode()).isTrue();
        assertThat(journal()).hasSize(1);

        service.sweep();

        assertThat(server.inBackupMode()).isFalse();
        assertThat(journal()).isEmpty();
    }
}
