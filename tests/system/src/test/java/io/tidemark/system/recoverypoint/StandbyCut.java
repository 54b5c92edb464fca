package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A recovery point of a standby, taken while its primary is written, and what must come of it. */
final class StandbyCut {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int COMMITS = 50;

    private StandbyCut() {}

    /** An id that ends in {@code label} is recovered with the label that was kept, any other without. */
    static void takeAndRecover(StandbyOnImage database, TakerOfImages taker, RecoveryPointId id) throws Exception {
        try (var writer = SequenceWriter.start(database.primary())) {
            writer.awaitMore(COMMITS);
            database.awaitReplay();
            long visible = database.standby().number("SELECT max(number) FROM sequence_written");

            var point =
                    taker.taker().take(taker.taker().plan(id, database.group(LIMIT, Map.of())), ProgressListener.NONE);
            writer.awaitMore(COMMITS);
            writer.close();

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.evidence().get("backup_label")).contains("BACKUP FROM: standby", "tidemark " + id);
            var facts = freeze(point, "postgresql").facts();
            assertThat(facts).containsEntry("inRecovery", "true").containsKeys("replayLsn", "lagMillis");
            System.out.printf(
                    "standby id=%s frozenMillis=%.1f facts=%s%n",
                    id, point.certificate().freezeWindowNanos().orElseThrow() / 1e6, facts);
            database.awaitReplay();
            assertThat(database.keepers()).isZero();
            checkClone(database, taker, point, visible, writer.commits());
        }
    }

    private static Certificate.Freeze freeze(RecoveryPoint point, String kind) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(kind))
                .findFirst()
                .orElseThrow();
    }

    /** As a standby of nobody it must come to consistency, and then, promoted, pass every check. */
    private static void checkClone(
            StandbyOnImage database,
            TakerOfImages taker,
            RecoveryPoint point,
            long visible,
            List<SequenceWriter.Commit> commits)
            throws Exception {
        var name = VolumeId.of("image", "clone-" + point.id().value());
        var step = taker.provider()
                .clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Volume clone = ((Step.Done<Volume>) step).result();
        var mountPoint = database.folder().resolve("clone-" + point.id().value());
        try (var mounted = LoopVolume.mount(clone.device().orElseThrow(), mountPoint)) {
            var data = mounted.mountPoint().resolve("data");
            boolean withLabel = point.id().value().endsWith("label");
            if (withLabel) {
                Files.writeString(data.resolve("backup_label"), point.evidence().get("backup_label"));
                Programs.run("chown", "postgres", data.resolve("backup_label").toString());
            }
            try (var recovered = database.standby().startCopy(data, "primary_conninfo=")) {
                long last = recovered.number("SELECT max(number) FROM sequence_written");
                assertThat(recovered.number("SELECT count(*) FROM sequence_written"))
                        .as("numbers without a gap")
                        .isEqualTo(last);
                var cut = freeze(point, Certificate.FILE_SYSTEM);
                long begun = commits.stream()
                        .filter(commit -> commit.begunNanos() < cut.acknowledgedNanos())
                        .count();
                assertThat(last).isBetween(visible, begun);
                assertThat(recovered.number("SELECT (pg_last_wal_replay_lsn() >= '%s')::int"
                                .formatted(freeze(point, "postgresql").facts().get("replayLsn"))))
                        .isOne();
                recovered.number("SELECT pg_promote()::int");
                recovered.checkStructures();
                recovered.stopAndCheckPages();
            }
        }
        taker.provider().remove(name);
        taker.taker().undo(point.id());
    }
}
