package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.MariaDbServer;
import io.tidemark.system.ground.SequenceWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who holds a MariaDB dies, or the server does, or something is in the way: writers go on, and nothing false is said. */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MariaDbFaultsTest {
    /** Not whole seconds, which is what the server ends an idle session by. */
    private static final Duration LIMIT = Duration.ofMillis(2_500);

    private static final Duration LIMIT_OF_THE_SERVER = Duration.ofSeconds(3);
    /** What a loaded host may add: not a measure, the difference between "at the limit" and "for ever". */
    private static final Duration SLACK = Duration.ofSeconds(3);

    private static final Duration HELD = Duration.ofMillis(300);
    private static final int COMMITS = 20;
    private static final String SESSIONS_OF_USER =
            "FROM information_schema.PROCESSLIST WHERE USER = '%s'".formatted(MariaDbOnImage.USER);

    private MariaDbOnImage database;
    private int points;

    @BeforeAll
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        MariaDbServer.require();
        database = new MariaDbOnImage();
        database.server().execute("CREATE TABLE plain (n bigint) ENGINE=MyISAM");
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (database != null) {
            database.close();
        }
    }

    private RecoveryPointId nextId() {
        points++;
        return new RecoveryPointId("rp-fault" + points);
    }

    private TakerProcess taker(RecoveryPointId id, Moment stopAt) throws Exception {
        return TakerProcess.start(
                database.place(), database.quiescer(Map.of()), id, stopAt, LIMIT, Consistency.APPLICATION);
    }

    /** Takes one in this process, in which something happens at a moment. */
    private Throwable failing(RecoveryPointId id, Moment at, Action action) throws Exception {
        try (var taker = database.open(moment -> {
            if (moment == at) {
                action.runUnchecked();
            }
        })) {
            var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION, Map.of()));
            return catchThrowable(() -> taker.taker().take(plan, ProgressListener.NONE));
        }
    }

    private interface Action {
        void run() throws Exception;

        default void runUnchecked() {
            try {
                run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static ConsistencyError errorOf(Throwable thrown) {
        assertThat(thrown).isInstanceOf(ConsistencyException.class);
        return ((ConsistencyException) thrown).error();
    }

    private long sessions() throws SQLException {
        return database.server().number("SELECT COUNT(*) " + SESSIONS_OF_USER);
    }

    private void assertNothingLeft(RecoveryPointId id) throws Exception {
        await().atMost(SLACK).until(() -> sessions() == 0);
        try (var next = database.open(Moments.NONE)) {
            next.taker().sweepFreezes();
            next.taker().undo(id);
            assertThat(next.provider()
                            .snapshots(SnapshotQuery.ofRecoveryPoint(id))
                            .snapshots())
                    .isEmpty();
            var fresh = nextId();
            var plan = next.taker().plan(fresh, database.group(LIMIT, Consistency.APPLICATION, Map.of()));
            assertThat(next.taker().take(plan, ProgressListener.NONE).consistency())
                    .isEqualTo(Consistency.APPLICATION);
            next.taker().undo(fresh);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"DATABASE_FROZEN", "DATABASE_HELD", "FILE_SYSTEM_FROZEN", "SNAPSHOT_CUT", "FREEZES_ASKED"})
    void killedTakerLeavesNoWriterHeld(Moment moment) throws Exception {
        var id = nextId();
        try (var writer = SequenceWriter.start(database.server());
                var process = taker(id, moment)) {
            writer.awaitMore(COMMITS);
            process.await("moment " + moment);

            long killed = System.nanoTime();
            process.signal("KILL");
            writer.awaitMore(COMMITS);

            var worst = writer.worstBetween(killed, System.nanoTime());
            System.out.printf("killedAt=%s worstAfterKillMillis=%d%n", moment, worst.toMillis());
            assertThat(worst).isLessThan(LIMIT.plus(SLACK));
            process.awaitEnd();
        }
        assertNothingLeft(id);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"DATABASE_HELD", "FILE_SYSTEM_FROZEN"})
    void stoppedTakerHoldsWritersNoLongerThanTheServersLimitAndTheRecoveryPointIsNotKept(Moment moment)
            throws Exception {
        var id = nextId();
        try (var writer = SequenceWriter.start(database.server());
                var process = taker(id, moment)) {
            writer.awaitMore(COMMITS);
            process.await("moment " + moment);
            process.signal("STOP");
            long stopped = System.nanoTime();

            writer.awaitMore(COMMITS);
            var worst = writer.worstBetween(stopped, System.nanoTime());
            process.signal("CONT");
            process.goOn();

            System.out.printf(
                    "stoppedAt=%s heldMillis=%d limitMillis=%d%n", moment, worst.toMillis(), LIMIT.toMillis());
            assertThat(worst).isBetween(HELD, LIMIT_OF_THE_SERVER.plus(SLACK));
            assertThat(process.await("refused"))
                    .startsWith("refused NotAchieved")
                    .contains("freeze of mariadb")
                    .contains("did not hold");
            process.awaitEnd();
        }
        assertNothingLeft(id);
    }

    @Test
    void sessionThatIsKilledWhileItHoldsIsNotVouchedFor() throws Exception {
        var id = nextId();
        var thrown = failing(id, Moment.DATABASE_HELD, () -> {
            long session = database.server().number("SELECT ID " + SESSIONS_OF_USER);
            database.server().execute("KILL " + session);
            await().atMost(SLACK).until(() -> sessions() == 0);
        });

        assertThat(errorOf(thrown)).isInstanceOf(ConsistencyError.NotAchieved.class);
        assertThat(thrown).hasMessageContaining("freeze of mariadb").hasMessageContaining("did not hold");
        assertNothingLeft(id);
    }

    @Test
    void sessionThatIsKilledBeforeItHoldsIsAFailedFreeze() throws Exception {
        var id = nextId();
        var thrown = failing(id, Moment.DATABASE_FROZEN, () -> {
            long session = database.server().number("SELECT ID " + SESSIONS_OF_USER);
            database.server().execute("KILL " + session);
            await().atMost(SLACK).until(() -> sessions() == 0);
        });

        assertThat(errorOf(thrown)).isInstanceOf(ConsistencyError.FreezeFailed.class);
        assertThat(thrown).hasMessageContaining("BACKUP STAGE FLUSH failed");
        assertNothingLeft(id);
    }

    @Test
    void serverThatDiesWhileHeldIsNotVouchedFor() throws Exception {
        var id = nextId();
        var thrown = failing(id, Moment.DATABASE_HELD, () -> {
            database.server().kill();
            database.restart();
        });

        assertThat(errorOf(thrown)).isInstanceOf(ConsistencyError.NotAchieved.class);
        assertThat(thrown).hasMessageContaining("freeze of mariadb");
        assertNothingLeft(id);
    }

    private CompletableFuture<Void> running(String sql) throws Exception {
        var statement = CompletableFuture.runAsync(() -> {
            try {
                database.server().execute(sql);
            } catch (SQLException e) {
                throw new CompletionException(e);
            }
        });
        await().atMost(SLACK)
                .until(() -> database.server()
                                .number(
                                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'")
                        == 1);
        return statement;
    }

    private void end(CompletableFuture<Void> statement) throws Exception {
        database.server()
                .execute("KILL QUERY "
                        + database.server()
                                .number("SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"));
        // Ended, as it is told to, with an error or an early answer.
        var unused = statement.handle((nothing, ended) -> ended).get(SLACK.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Test
    void statementThatMakesATableForLongIsNamedAndNobodyWaitsForIt() throws Exception {
        var id = nextId();
        var statement = running("CREATE TABLE slow AS SELECT SLEEP(60) AS n");
        Throwable thrown;
        try {
            thrown = failing(id, Moment.THAWED, () -> {});
        } finally {
            end(statement);
            database.server().execute("DROP TABLE IF EXISTS slow");
        }

        assertThat(errorOf(thrown)).isInstanceOf(ConsistencyError.FreezeFailed.class);
        assertThat(thrown)
                .hasMessageContaining("BACKUP STAGE START did not get its lock within 1000 ms")
                .hasMessageContaining("of root, for ");
        assertNothingLeft(id);
    }

    @Test
    void statementThatWritesATableWithoutTransactionsForLongIsNamedAndWritersGoOn() throws Exception {
        var id = nextId();
        var statement = running("INSERT INTO plain SELECT SLEEP(60)");
        Throwable thrown;
        try (var writer = SequenceWriter.start(database.server())) {
            writer.awaitMore(COMMITS);
            thrown = failing(id, Moment.THAWED, () -> {});
            writer.awaitMore(COMMITS);
        } finally {
            end(statement);
        }

        assertThat(errorOf(thrown)).isInstanceOf(ConsistencyError.FreezeFailed.class);
        assertThat(thrown)
                .hasMessageContaining("BACKUP STAGE BLOCK_DDL did not get its lock within 1250 ms")
                .hasMessageContaining("of root, for ");
        assertNothingLeft(id);
    }
}
