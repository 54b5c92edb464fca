package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A PostgreSQL under writes whose data lie on a Btrfs subvolume: its recovery points are whole without a freeze. */
@Tag("system-image")
class DatabaseOnSubvolumeTest {
    private static final VolumeId VOLUME = VolumeId.of("btrfs", "orders");
    private static final long BTRFS_BYTES = 4L << 30;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int POINTS = 3;
    private static final int COMMITS = 50;

    @BeforeAll
    static void require() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.btrfs", "btrfs", "setpriv");
        PostgresServer.require();
    }

    private static ConsistencyGroup groupOf(PostgresServer server) {
        return new ConsistencyGroup(
                new GroupId("orders"),
                List.of(VOLUME),
                List.of(new QuiescerSpec(
                        "postgresql", Map.of("port", Integer.toString(server.port()), "user", "postgres"))),
                true,
                LIMIT,
                Consistency.APPLICATION);
    }

    @Test
    void everythingAcknowledgedBeforeTheCutIsThereAndNothingBegunAfterIt() throws Exception {
        try (var ground = Ground.open();
                var btrfs = LoopVolume.makeBtrfs(
                        ground.folder().resolve("btrfs.img"),
                        BTRFS_BYTES,
                        ground.folder().resolve("btrfs"))) {
            var subvolume = btrfs.mountPoint().resolve("orders");
            var data = subvolume.resolve("data");
            Programs.run("btrfs", "subvolume", "create", subvolume.toString());
            PostgresServer.init(data);
            var provider = TakerOfImages.provider(
                    "btrfs", Map.of("folder", btrfs.mountPoint().toString()));
            var state = Files.createDirectory(ground.folder().resolve("state"));
            try (var server = PostgresServer.start(data);
                    var taker = TakerOfImages.over(provider, state, Moments.NONE)) {
                for (int number = 0; number < POINTS; number++) {
                    cutAndRecover(server, taker, new RecoveryPointId("rp-" + number));
                }
            }
        }
    }

    private static void cutAndRecover(PostgresServer server, TakerOfImages taker, RecoveryPointId id) throws Exception {
        RecoveryPoint point;
        List<SequenceWriter.Commit> commits;
        try (var writer = SequenceWriter.start(server)) {
            writer.awaitMore(COMMITS);
            var plan = taker.taker().plan(id, groupOf(server));
            point = taker.taker().take(plan, ProgressListener.NONE);
            writer.awaitMore(COMMITS);
            writer.close();
            commits = writer.commits();
        }
        assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
        assertThat(point.certificate().freezes())
                .extracting(Certificate.Freeze::kind)
                .containsExactly("postgresql");
        checkRecovered(server, taker, point, commits);
        taker.taker().undo(id);
    }

    private static void checkRecovered(
            PostgresServer server, TakerOfImages taker, RecoveryPoint point, List<SequenceWriter.Commit> commits)
            throws Exception {
        var name = VolumeId.of("btrfs", "clone-" + point.id());
        var step = taker.provider()
                .clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Path root = ((Step.Done<Volume>) step).result().mountPoints().getFirst();
        try (var recovered = server.startCopy(root.resolve("data"))) {
            long last = recovered.number("SELECT coalesce(max(number), 0) FROM sequence_written");
            var cut = point.certificate().cuts().getFirst();
            long acknowledgedBefore = commits.stream()
                    .filter(commit -> commit.acknowledgedNanos() < cut.startedNanos())
                    .count();
            long begunBefore = commits.stream()
                    .filter(commit -> commit.begunNanos() < cut.finishedNanos())
                    .count();
            assertThat(recovered.number("SELECT count(*) FROM sequence_written"))
                    .as("numbers without a gap")
                    .isEqualTo(last);
            assertThat(last).isBetween(acknowledgedBefore, begunBefore);
            recovered.checkStructures();
            recovered.stopAndCheckPages();
        }
        taker.provider().remove(name);
    }
}
