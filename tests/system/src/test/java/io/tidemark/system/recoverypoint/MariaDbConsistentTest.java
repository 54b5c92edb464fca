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
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.MariaDbServer;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

/** A MariaDB under writes; its recovery points, started as if the power had gone at the cut. */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MariaDbConsistentTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int PAUSE_MILLIS_MAXIMUM = 200;
    private static final int COMMITS_BEFORE = 50;
    /** Each with a writer of its own: the last two have no log that would repair them. */
    private static final Map<String, String> TABLES = Map.of(
            "sequence_innodb", "ENGINE=InnoDB",
            "sequence_myisam", "ENGINE=MyISAM",
            "sequence_aria", "ENGINE=Aria TRANSACTIONAL=0");

    private MariaDbOnImage database;

    static LongStream seeds() {
        return Ground.seeds();
    }

    @BeforeAll
    void startDatabase() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        MariaDbServer.require();
        database = new MariaDbOnImage();
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (database != null) {
            database.close();
        }
    }

    private static Certificate.Freeze freezeOf(RecoveryPoint point) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals("mariadb"))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everythingAcknowledgedWhileItWasHeldIsThereAndNothingBegunAfterItOfAnyEngine(long seed) throws Exception {
        var pause = new SplittableRandom(seed).nextInt(PAUSE_MILLIS_MAXIMUM);
        Map<String, SequenceWriter> writers = new LinkedHashMap<>();
        try (var taker = database.open(Moments.NONE)) {
            RecoveryPoint point;
            try {
                for (var table : TABLES.entrySet()) {
                    writers.put(
                            table.getKey(), SequenceWriter.start(database.server(), table.getKey(), table.getValue()));
                }
                for (var writer : writers.values()) {
                    writer.awaitMore(COMMITS_BEFORE);
                }
                TimeUnit.MILLISECONDS.sleep(pause);
                var id = new RecoveryPointId("rp-maria" + seed);
                var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION, Map.of()));
                point = taker.taker().take(plan, ProgressListener.NONE);
                for (var writer : writers.values()) {
                    writer.awaitMore(COMMITS_BEFORE);
                }
                assertThat(plan.warnings()).isEmpty();
            } finally {
                for (var writer : writers.values()) {
                    writer.close();
                }
            }

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.certificate().everyCutLiesInsideEveryFreeze()).isTrue();
            assertThat(freezeOf(point).facts())
                    .containsKeys("version", "binlogFile", "binlogPosition", "gtidBinlogPos", "innodbLsn");
            print(seed, point, writers);
            checkRecovered(taker, point, writers);
        }
    }

    private static void print(long seed, RecoveryPoint point, Map<String, SequenceWriter> writers) {
        var freeze = freezeOf(point);
        System.out.printf(
                "seed=%d waitedForHoldMillis=%.1f heldMillis=%.1f fileSystemMillis=%.1f",
                seed,
                (freeze.acknowledgedNanos() - freeze.requestedNanos()) / 1e6,
                (freeze.releasedNanos() - freeze.acknowledgedNanos()) / 1e6,
                point.certificate().freezeWindowNanos().orElseThrow() / 1e6);
        writers.forEach((table, writer) -> System.out.printf(
                " %sWorstMillis=%.1f",
                table,
                writer.worstBetween(freeze.requestedNanos(), freeze.releasedNanos())
                                .toNanos()
                        / 1e6));
        System.out.println();
    }

    private void checkRecovered(TakerOfImages taker, RecoveryPoint point, Map<String, SequenceWriter> writers)
            throws Exception {
        var name = VolumeId.of("image", "clone-" + point.id().value());
        var step = taker.provider()
                .clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Volume clone = ((Step.Done<Volume>) step).result();
        var mountPoint = database.folder().resolve("clone-" + point.id().value());
        try (var mounted = LoopVolume.mount(clone.device().orElseThrow(), mountPoint);
                var recovered = MariaDbServer.start(mounted.mountPoint().resolve("data"))) {
            for (var writer : writers.entrySet()) {
                checkNumbers(recovered, writer.getKey(), writer.getValue().commits(), freezeOf(point));
            }
            assertThat(recovered.damage()).isEmpty();
        }
        taker.provider().remove(name);
        taker.taker().undo(point.id());
    }

    /** Commits are held from the acknowledgement until the thaw: what was acknowledged before that one is in the cut. */
    private static void checkNumbers(
            MariaDbServer recovered, String table, List<SequenceWriter.Commit> commits, Certificate.Freeze freeze)
            throws Exception {
        long last = recovered.number("SELECT coalesce(max(number), 0) FROM " + table);
        long acknowledgedBefore = commits.stream()
                .filter(commit -> commit.acknowledgedNanos() < freeze.thawedNanos())
                .count();
        long begunBefore = commits.stream()
                .filter(commit -> commit.begunNanos() < freeze.acknowledgedNanos())
                .count();
        assertThat(recovered.number("SELECT count(*) FROM " + table))
                .as("numbers of %s without a gap", table)
                .isEqualTo(last);
        assertThat(last).as("last of %s, all acknowledged", table).isGreaterThanOrEqualTo(acknowledgedBefore);
        assertThat(last).as("last of %s, none begun later", table).isLessThanOrEqualTo(begunBefore);
    }

    @Test
    void userWithTheLeastRightsIsEnoughAndOneWithFewerIsToldWhichIsMissing() throws Exception {
        database.grantedUser("least");
        var group = database.group(LIMIT, Consistency.APPLICATION, Map.of("user", "least"));
        var id = new RecoveryPointId("rp-least");
        try (var taker = database.open(Moments.NONE)) {
            assertThat(catchThrowable(() -> taker.taker().plan(id, group)))
                    .hasMessageContaining("user least may not execute BACKUP STAGE: grant RELOAD");

            database.grant("least", "RELOAD");
            var plan = taker.taker().plan(id, group);
            var point = taker.taker().take(plan, ProgressListener.NONE);

            assertThat(plan.warnings())
                    .anyMatch(warning -> warning.contains("grant BINLOG MONITOR"))
                    .anyMatch(warning -> warning.contains("grant SHOW VIEW"));
            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(freezeOf(point).facts()).doesNotContainKey("binlogFile").containsKey("gtidBinlogPos");
            taker.taker().undo(id);
        }
    }

    @Test
    void wrongPasswordIsRefusedInTheServersWordsAndIsNotRepeated() throws Exception {
        var wrong = Files.writeString(database.folder().resolve("wrong"), "other-secret\n");
        var group = database.group(LIMIT, Consistency.APPLICATION, Map.of("passwordFile", wrong.toString()));
        try (var taker = database.open(Moments.NONE)) {
            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-wrong"), group)))
                    .hasMessageContaining("Access denied for user 'tidemark'")
                    .hasMessageNotContaining("other-secret");
        }
    }

    @Test
    void unixSocketServesAsWell() throws Exception {
        var id = new RecoveryPointId("rp-socket");
        var settings =
                Map.of("port", "", "socketFile", database.server().socket().toString());
        try (var taker = database.open(Moments.NONE)) {
            var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION, settings));

            var point = taker.taker().take(plan, ProgressListener.NONE);

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            taker.taker().undo(id);
        }
    }

    @Test
    void tableOutsideTheVolumesIsRefusedByItsPath() throws Exception {
        var elsewhere = Files.createDirectory(database.folder().resolve("elsewhere"));
        Programs.run("chown", "mysql", elsewhere.toString());
        var group = database.group(LIMIT, Consistency.APPLICATION, Map.of());
        try (var taker = database.open(Moments.NONE)) {
            database.server()
                    .execute("CREATE TABLE far (n int) ENGINE=InnoDB DATA DIRECTORY='%s'".formatted(elsewhere));
            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-far"), group)))
                    .hasMessageContaining("far.isl")
                    .hasMessageContaining(elsewhere + "/app lies on none of the group's volumes");

            database.server().execute("DROP TABLE far");
            database.server()
                    .execute("CREATE TABLE far (n int) ENGINE=MyISAM DATA DIRECTORY='%s'".formatted(elsewhere));
            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-far"), group)))
                    .hasMessageContaining("far.MYD")
                    .hasMessageContaining(elsewhere + " lies on none of the group's volumes");
        } finally {
            database.server().execute("DROP TABLE IF EXISTS far");
        }
    }

    @Test
    void tablesInMemoryAreWarnedOf() throws Exception {
        database.server().execute("CREATE TABLE forgotten (n int) ENGINE=MEMORY");
        try (var taker = database.open(Moments.NONE)) {
            var plan = taker.taker()
                    .plan(new RecoveryPointId("rp-memory"), database.group(LIMIT, Consistency.APPLICATION, Map.of()));

            assertThat(plan.warnings()).anyMatch(warning -> warning.contains("engine MEMORY, which 1 tables have"));
        } finally {
            database.server().execute("DROP TABLE forgotten");
        }
    }
}
