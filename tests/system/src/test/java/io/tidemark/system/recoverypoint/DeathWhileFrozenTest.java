package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.Moment;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The process that takes a recovery point, or its guard, is killed or stopped: writers go on within the limit. The frozen
 * file system holds the server's log too, and every statement is written to it.
 */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeathWhileFrozenTest {
    private static final long IMAGE_BYTES = 512L << 20;
    private static final Duration LIMIT = Duration.ofSeconds(2);
    /** What a loaded host may add: not a measure, the difference between "at the limit" and "for ever". */
    private static final Duration SLACK = Duration.ofSeconds(3);

    private static final String[] LOG_WITH_THE_DATA = {
        "logging_collector=on",
        "log_directory=log",
        "log_filename=server.log",
        "log_statement=all",
        "log_connections=on"
    };

    private static final Duration HELD = Duration.ofMillis(200);
    private static final int COMMITS = 20;
    private static final List<Moment> MOMENTS = List.of(
            Moment.RECOVERY_POINT_PLANNED,
            Moment.GUARD_ARMED,
            Moment.DATABASE_FROZEN,
            Moment.DATABASE_HELD,
            Moment.FILE_SYSTEM_FROZEN,
            Moment.SNAPSHOT_CUT,
            Moment.FREEZES_ASKED,
            Moment.THAWED);

    private DatabaseOnImage database;
    private int points;

    static LongStream seeds() {
        return Ground.seeds();
    }

    /** Each moment is died at once a seed. */
    static Stream<Arguments> momentsAndSeeds() {
        return seeds().boxed().flatMap(seed -> MOMENTS.stream().map(moment -> Arguments.of(moment, seed)));
    }

    @BeforeAll
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        database = new DatabaseOnImage(IMAGE_BYTES, LOG_WITH_THE_DATA);
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (database != null) {
            database.close();
        }
    }

    private RecoveryPointId nextId() {
        points++;
        return new RecoveryPointId("rp-death" + points);
    }

    private TakerProcess taker(RecoveryPointId id, Moment stopAt) throws Exception {
        return TakerProcess.start(database, id, stopAt, LIMIT, Consistency.APPLICATION);
    }

    @ParameterizedTest
    @MethodSource("momentsAndSeeds")
    void killedTakerLeavesNothingFrozenAndItsSnapshotsAreUndoneByTheId(Moment moment, long seed) throws Exception {
        var id = nextId();
        try (var writer = SequenceWriter.start(database.server());
                var probe = StallProbe.start(database.volume().mountPoint());
                var process = taker(id, moment)) {
            writer.awaitMore(COMMITS);
            process.await("moment " + moment);

            process.signal("KILL");
            process.awaitEnd();

            writer.awaitMore(COMMITS);
            assertThat(probe.worst()).isLessThan(LIMIT.plus(SLACK));
        }
        restartSweepsAndUndoes(id);
    }

    private void restartSweepsAndUndoes(RecoveryPointId id) throws Exception {
        try (var next = database.open()) {
            next.taker().sweepFreezes();
            next.taker().undo(id);

            assertThat(next.provider()
                            .snapshots(SnapshotQuery.ofRecoveryPoint(id))
                            .snapshots())
                    .isEmpty();
            assertThat(database.state().resolve("freezes"))
                    .satisfiesAnyOf(
                            folder -> assertThat(folder).doesNotExist(),
                            folder -> assertThat(folder).isEmptyDirectory());
            var fresh = nextId();
            var plan = next.taker().plan(fresh, database.group(LIMIT, Consistency.APPLICATION));
            var point = next.taker().take(plan, ProgressListener.NONE);
            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            next.taker().undo(fresh);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void killedGuardThawsAndTheRecoveryPointIsNotKept(long seed) throws Exception {
        var id = nextId();
        try (var probe = StallProbe.start(database.volume().mountPoint());
                var process = taker(id, Moment.FILE_SYSTEM_FROZEN)) {
            process.await("moment");
            process.guard().destroyForcibly();
            await().atMost(LIMIT.plus(SLACK)).until(() -> !probe.heldFor(HELD));

            process.goOn();

            assertThat(process.await("refused"))
                    .startsWith("refused NotAchieved")
                    .contains("did not hold");
            process.awaitEnd();
        }
        assertNoSnapshot(id);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void stoppedTakerThawsAtTheLimitAndTheRecoveryPointIsNotKept(long seed) throws Exception {
        var id = nextId();
        try (var probe = StallProbe.start(database.volume().mountPoint());
                var process = taker(id, Moment.FILE_SYSTEM_FROZEN)) {
            process.await("moment");
            await().until(() -> probe.heldFor(HELD));
            process.signal("STOP");
            await().atMost(LIMIT.plus(SLACK)).until(() -> !probe.heldFor(HELD));
            process.signal("CONT");

            process.goOn();

            assertThat(process.await("refused"))
                    .startsWith("refused NotAchieved")
                    .contains("did not hold");
            assertThat(probe.worst()).isGreaterThan(HELD).isLessThan(LIMIT.plus(SLACK));
            process.awaitEnd();
        }
        assertNoSnapshot(id);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void cutThatHangsBeyondTheLimitIsNotVouchedFor(long seed) throws Exception {
        var id = nextId();
        var hang = Duration.ofSeconds(8);
        try (var probe = StallProbe.start(database.volume().mountPoint());
                var process = taker(id, Moment.FILE_SYSTEM_FROZEN)) {
            process.await("moment");
            // As a cut that does not return: the process goes on only long after the limit.
            TimeUnit.MILLISECONDS.sleep(hang.toMillis());
            assertThat(probe.heldFor(HELD)).isFalse();

            process.goOn();

            assertThat(process.await("refused")).startsWith("refused NotAchieved");
            process.awaitEnd();
        }
        assertNoSnapshot(id);
    }

    private void assertNoSnapshot(RecoveryPointId id) throws Exception {
        try (var next = database.open()) {
            assertThat(next.provider()
                            .snapshots(SnapshotQuery.ofRecoveryPoint(id))
                            .snapshots())
                    .isEmpty();
        }
        try (var journals = Files.list(database.state().resolve("freezes"))) {
            assertThat(journals).isEmpty();
        }
    }
}
