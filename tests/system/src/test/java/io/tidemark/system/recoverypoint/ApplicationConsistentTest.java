package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A PostgreSQL under writes; its recovery points, started as if the power had gone at the cut. */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApplicationConsistentTest {
    private static final long IMAGE_BYTES = 1L << 30;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int COMMITS_BEFORE = 50;
    private static final int PAUSE_MILLIS_MAXIMUM = 200;

    private DatabaseOnImage database;

    static LongStream seeds() {
        return Ground.seeds();
    }

    @BeforeAll
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        database = new DatabaseOnImage(IMAGE_BYTES);
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (database != null) {
            database.close();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everythingAcknowledgedBeforeTheFreezeIsThereAndNothingBegunAfterIt(long seed) throws Exception {
        var random = new SplittableRandom(seed);
        var id = new RecoveryPointId("rp-seed" + seed);
        try (var taker = database.open();
                var writer = SequenceWriter.start(database.server())) {
            writer.awaitMore(COMMITS_BEFORE);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(PAUSE_MILLIS_MAXIMUM));
            var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION));

            var point = taker.taker().take(plan, ProgressListener.NONE);
            writer.awaitMore(COMMITS_BEFORE);
            writer.close();

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.certificate().everyCutLiesInsideEveryFreeze()).isTrue();
            assertThat(point.certificate().reasons()).isEmpty();
            assertThat(point.evidence().get("backup_label")).contains("tidemark " + id);
            assertThat(database.server().data().resolve("backup_label")).doesNotExist();
            var freeze = fileSystemFreeze(point);
            report(seed, point, writer, freeze);
            checkRecovered(taker.provider(), point, writer.commits(), freeze);
            taker.taker().undo(id);
        }
    }

    private static Certificate.Freeze fileSystemFreeze(RecoveryPoint point) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(Certificate.FILE_SYSTEM))
                .findFirst()
                .orElseThrow();
    }

    private static void report(long seed, RecoveryPoint point, SequenceWriter writer, Certificate.Freeze freeze) {
        System.out.printf(
                "seed=%d freezeMillis=%.1f worstStallMillis=%d%n",
                seed,
                point.certificate().freezeWindowNanos().orElseThrow() / 1e6,
                writer.worstBetween(freeze.requestedNanos(), freeze.releasedNanos())
                        .toMillis());
    }

    private void checkRecovered(
            StorageProvider provider,
            RecoveryPoint point,
            List<SequenceWriter.Commit> commits,
            Certificate.Freeze freeze)
            throws Exception {
        var name = VolumeId.of("image", "clone-" + point.id().value());
        var step = provider.clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Volume clone = ((Step.Done<Volume>) step).result();
        Path mountPoint = database.folder().resolve("clone-" + point.id().value());
        try (var mounted = LoopVolume.mount(clone.device().orElseThrow(), mountPoint)) {
            var data = mounted.mountPoint().resolve("data");
            try (var recovered = PostgresServer.startCopy(data)) {
                long last = recovered.number("SELECT coalesce(max(number), 0) FROM sequence_written");
                assertThat(recovered.number("SELECT count(*) FROM sequence_written"))
                        .isEqualTo(last);
                long acknowledgedBefore = commits.stream()
                        .filter(commit -> commit.acknowledgedNanos() < freeze.requestedNanos())
                        .count();
                long begunBefore = commits.stream()
                        .filter(commit -> commit.begunNanos() < freeze.acknowledgedNanos())
                        .count();
                assertThat(last).isBetween(acknowledgedBefore, begunBefore);
                recovered.checkStructures();
            }
            PostgresServer.checkPages(data);
        }
        provider.remove(name);
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
