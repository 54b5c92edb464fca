package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PgBenchLoad;
import io.tidemark.system.ground.PostgresServer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A PostgreSQL under pgbench and a writer of a sequence; its recovery points, started as if the power had gone at the cut. */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApplicationConsistentTest {
    private static final long IMAGE_BYTES = 3L << 30;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int PAUSE_MILLIS_MAXIMUM = 200;

    private DatabaseOnImage database;
    private PgBenchLoad load;

    static LongStream seeds() {
        return Ground.seeds();
    }

    @BeforeAll
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        database = new DatabaseOnImage(IMAGE_BYTES);
        PgBenchLoad.fill(database.server());
        load = PgBenchLoad.start(database.server());
    }

    @AfterAll
    void undoEverything() throws Exception {
        try (var closing = database) {
            if (load != null) {
                var done = load.stop();
                System.out.printf("pgbench: %d transactions, %d lost%n", done.transactions(), done.lost());
                assertThat(done.lost()).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everythingAcknowledgedBeforeTheFreezeIsThereAndNothingBegunAfterIt(long seed) throws Exception {
        var pause = Duration.ofMillis(new SplittableRandom(seed).nextInt(PAUSE_MILLIS_MAXIMUM));
        try (var taker = database.open()) {
            var cut = CutUnderWrites.take(database, taker, new RecoveryPointId("rp-seed" + seed), pause);

            System.out.printf("seed=%d %s%n", seed, cut.figures());
            cut.checkRecovered();
        }
    }

    @Test
    void databaseOutsideTheVolumesIsRefusedByItsPath() throws Exception {
        var elsewhere = database.folder().resolve("elsewhere");
        PostgresServer.init(elsewhere);
        try (var server = PostgresServer.start(elsewhere);
                var taker = database.open()) {
            var group = database.groupOf(server, LIMIT, Consistency.APPLICATION);

            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-outside"), group)))
                    .hasMessageContaining("data directory " + elsewhere)
                    .hasMessageContaining("lies on none of the group's volumes");
        }
    }

    @Test
    void volumeThatHoldsOurOwnStateIsRefused() throws Exception {
        var state = Files.createDirectories(database.volume().mountPoint().resolve("state"));
        try (var taker = TakerOfImages.open(database.images(), state, Moments.NONE)) {
            var group = database.group(LIMIT, Consistency.CRASH);

            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-state"), group)))
                    .hasMessageContaining("file system " + database.volume().mountPoint() + " must not be frozen")
                    .hasMessageContaining("it holds the state folder");
        }
    }

    @Test
    void roleWithTheLeastRightsIsEnoughAndOneWithFewerIsRefused() throws Exception {
        database.server().execute("CREATE ROLE least LOGIN");
        var group = database.groupOf(database.server(), "least", LIMIT, Consistency.APPLICATION);
        var id = new RecoveryPointId("rp-least");
        try (var taker = database.open()) {
            assertThat(catchThrowable(() -> taker.taker().plan(id, group)))
                    .hasMessageContaining("role least may not execute pg_backup_start");

            database.server().execute("GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO least");
            database.server().execute("GRANT EXECUTE ON FUNCTION pg_backup_stop(boolean) TO least");
            var plan = taker.taker().plan(id, group);
            var point = taker.taker().take(plan, ProgressListener.NONE);

            assertThat(plan.warnings()).anyMatch(warning -> warning.contains("pg_read_all_settings"));
            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            taker.taker().undo(id);
        }
    }

    @Test
    void unixSocketServesAsWell() throws Exception {
        var id = new RecoveryPointId("rp-socket");
        try (var taker = database.open()) {
            var point = taker.taker()
                    .take(
                            taker.taker().plan(id, database.groupBySocket(LIMIT, Consistency.APPLICATION)),
                            ProgressListener.NONE);

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            taker.taker().undo(id);
        }
    }
}
