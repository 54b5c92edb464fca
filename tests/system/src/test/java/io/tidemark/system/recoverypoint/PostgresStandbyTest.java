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
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PostgresBinaries;
import io.tidemark.system.ground.PostgresServer;
import java.time.Duration;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A streaming standby under its primary's writes: cut, started on clones, behind, promoted, and left by whoever holds it. */
@Tag("system-image")
class PostgresStandbyTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration SHORT_LIMIT = Duration.ofMillis(2_500);
    /** What a loaded host may add: not a measure, the difference between "at the limit" and "for ever". */
    private static final Duration SLACK = Duration.ofSeconds(3);

    private static final String PAUSED =
            "SELECT count(*) FROM pg_get_wal_replay_pause_state() AS s WHERE s <> 'not paused'";

    private StandbyOnImage database;

    @BeforeEach
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        database = new StandbyOnImage(ground -> PostgresBinaries.installed());
    }

    @AfterEach
    void undoEverything() throws Exception {
        if (database != null) {
            database.close();
        }
    }

    @Test
    void everyCutUnderTheWritesOfThePrimaryRecoversToConsistencyWithAWholeSequence() throws Exception {
        database.grant(StandbyOnImage.RIGHTS);
        try (var taker = database.open(Moments.NONE)) {
            for (long seed : (Iterable<Long>) LongStream.of(Ground.seeds().toArray())::iterator) {
                StandbyCut.takeAndRecover(database, taker, new RecoveryPointId("rp-standby" + seed));
            }
            // A standby's label ends at the minimum recovery point, which, unlike a primary's stop, lies in the cut.
            StandbyCut.takeAndRecover(database, taker, new RecoveryPointId("rp-standbylabel"));
        }
    }

    private Throwable refusal(Map<String, String> settings) throws Exception {
        try (var taker = database.open(Moments.NONE)) {
            return catchThrowable(
                    () -> taker.taker().plan(new RecoveryPointId("rp-refused"), database.group(LIMIT, settings)));
        }
    }

    @Test
    void standbyThatIsBehindOrHeldByAnotherIsRefusedAndReplayGoesOnAsItDid() throws Exception {
        database.grant(StandbyOnImage.RIGHTS);
        var locked = "LOCK TABLE lagging IN ACCESS EXCLUSIVE MODE";
        database.primary().execute("CREATE TABLE lagging (n int)");
        database.awaitReplay();
        // A reader on the standby keeps replay from taking the lock: all that follows waits.
        try (var reader = database.standby().connect();
                var statement = reader.createStatement()) {
            reader.setAutoCommit(false);
            statement.executeQuery("SELECT count(*) FROM lagging").close();
            try (var owner = database.primary().connect();
                    var lock = owner.createStatement()) {
                owner.setAutoCommit(false);
                lock.execute(locked);
                lock.execute("INSERT INTO lagging VALUES (1)");
                owner.commit();
            }

            var thrown = refusal(Map.of("maxLagMillis", "500"));

            assertThat(thrown).hasMessageContaining("it lags").hasMessageContaining("allowed are 500: maxLagMillis");
            assertThat(database.standby().number(PAUSED)).isZero();
            reader.rollback();
        }
        database.awaitReplay();

        database.standby().execute("SELECT pg_wal_replay_pause()");
        await().until(() -> database.standby().number(PAUSED) == 1);
        assertThat(refusal(Map.of())).hasMessageContaining("held already").hasMessageContaining("pg_wal_replay_resume");
        assertThat(database.standby().number(PAUSED)).isOne();
        database.standby().execute("SELECT pg_wal_replay_resume()");
    }

    @Test
    void roleThatMayNotPauseIsRefusedWithWhatToGrantAndWhere() throws Exception {
        database.grant(StandbyOnImage.RIGHTS[0], StandbyOnImage.RIGHTS[1]);

        assertThat(refusal(Map.of()))
                .hasMessageContaining("may not execute pg_wal_replay_pause() and pg_wal_replay_resume()")
                .hasMessageContaining("grant it on the primary");
    }

    private interface Action {
        void run() throws Exception;
    }

    private Throwable failing(Action whileHeld) throws Exception {
        var id = new RecoveryPointId("rp-failing");
        try (var taker = database.open(moment -> {
            if (moment == Moment.DATABASE_HELD) {
                try {
                    whileHeld.run();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        })) {
            var plan = taker.taker().plan(id, database.group(LIMIT, Map.of()));
            return catchThrowable(() -> taker.taker().take(plan, ProgressListener.NONE));
        }
    }

    @Test
    void promotionWhileItIsHeldIsNotVouchedFor() throws Exception {
        database.grant(StandbyOnImage.RIGHTS);

        var thrown = failing(() -> database.standby().number("SELECT pg_promote()::int"));

        assertThat(thrown).isInstanceOf(ConsistencyException.class);
        assertThat(((ConsistencyException) thrown).error()).isInstanceOf(ConsistencyError.NotAchieved.class);
        assertThat(thrown).hasMessageContaining("freeze of postgresql").hasMessageContaining("did not hold");
        await().atMost(SLACK).until(() -> database.keepers() == 0);
    }

    @Test
    void replayThatSomebodyLetGoOnMeanwhileIsNotVouchedFor() throws Exception {
        database.grant(StandbyOnImage.RIGHTS);

        var thrown = failing(() -> database.standby().execute("SELECT pg_wal_replay_resume()"));

        assertThat(thrown).hasMessageContaining("freeze of postgresql").hasMessageContaining("did not hold");
    }

    /** From now until the standby has what the primary writes now. */
    private Duration untilReplayGoesOn() throws Exception {
        long started = System.nanoTime();
        database.primary().execute("CREATE TABLE IF NOT EXISTS later (n int)");
        database.awaitReplay();
        return Duration.ofNanos(System.nanoTime() - started);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"DATABASE_HELD", "FILE_SYSTEM_FROZEN", "SNAPSHOT_CUT", "FREEZES_ASKED"})
    void replayGoesOnWhenTheServiceIsKilledWhileItIsHeld(Moment moment) throws Exception {
        database.grant(StandbyOnImage.RIGHTS);
        var id = new RecoveryPointId("rp-killed");
        try (var process = TakerProcess.start(
                database.place(), database.quiescer(Map.of()), id, moment, LIMIT, Consistency.APPLICATION)) {
            process.await("moment " + moment);
            assertThat(database.standby().number(PAUSED)).isOne();

            process.signal("KILL");

            var held = untilReplayGoesOn();
            System.out.printf("standby killedAt=%s replayGoesOnAfterMillis=%d%n", moment, held.toMillis());
            // Not only at the limit: its session is gone at once.
            assertThat(held).isLessThan(LIMIT);
            process.awaitEnd();
        }
        try (var next = database.open(Moments.NONE)) {
            next.taker().sweepFreezes();
            next.taker().undo(id);
            StandbyCut.takeAndRecover(database, next, new RecoveryPointId("rp-afterkill"));
        }
    }

    @Test
    void replayGoesOnAtTheLimitWhenTheServiceIsStoppedWhileItIsHeld() throws Exception {
        database.grant(StandbyOnImage.RIGHTS);
        try (var process = TakerProcess.start(
                database.place(),
                database.quiescer(Map.of()),
                new RecoveryPointId("rp-stopped"),
                Moment.DATABASE_HELD,
                SHORT_LIMIT,
                Consistency.APPLICATION)) {
            process.await("moment");
            process.signal("STOP");

            var held = untilReplayGoesOn();
            process.signal("CONT");
            process.goOn();

            System.out.printf(
                    "standby stopped heldMillis=%d limitMillis=%d%n", held.toMillis(), SHORT_LIMIT.toMillis());
            assertThat(held).isLessThan(SHORT_LIMIT.plus(SLACK));
            assertThat(process.await("refused"))
                    .startsWith("refused NotAchieved")
                    .contains("did not hold");
            process.awaitEnd();
        }
        assertThat(database.standby().number(PAUSED)).isZero();
    }
}
