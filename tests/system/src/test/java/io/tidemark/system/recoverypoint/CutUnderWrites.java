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
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An application-consistent recovery point that was taken while a sequence was written, and what it must hold. */
record CutUnderWrites(
        DatabaseOnImage database, TakerOfImages taker, RecoveryPoint point, List<SequenceWriter.Commit> commits) {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int COMMITS_BEFORE = 50;

    /** @param pause for the writer to go on before the recovery point is taken */
    static CutUnderWrites take(DatabaseOnImage database, TakerOfImages taker, RecoveryPointId id, Duration pause)
            throws Exception {
        try (var writer = SequenceWriter.start(database.server())) {
            writer.awaitMore(COMMITS_BEFORE);
            TimeUnit.MILLISECONDS.sleep(pause.toMillis());
            var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION));

            var point = taker.taker().take(plan, ProgressListener.NONE);
            writer.awaitMore(COMMITS_BEFORE);
            writer.close();

            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.certificate().everyCutLiesInsideEveryFreeze()).isTrue();
            assertThat(point.certificate().reasons()).isEmpty();
            assertThat(point.evidence().get("backup_label")).contains("tidemark " + id);
            assertThat(database.server().data().resolve("backup_label")).doesNotExist();
            return new CutUnderWrites(database, taker, point, writer.commits());
        }
    }

    Certificate.Freeze freeze(String kind) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(kind))
                .findFirst()
                .orElseThrow();
    }

    String figures() {
        var freeze = freeze(Certificate.FILE_SYSTEM);
        long worst = SequenceWriter.worstNanosBetween(commits, freeze.requestedNanos(), freeze.releasedNanos());
        return "freezeMillis=%.1f worstStallMillis=%.0f"
                .formatted(point.certificate().freezeWindowNanos().orElseThrow() / 1e6, worst / 1e6);
    }

    /** Starts the database on a clone, as if the power had gone at the cut; then removes clone and recovery point. */
    void checkRecovered() throws Exception {
        var name = VolumeId.of("image", "clone-" + point.id().value());
        var step = taker.provider()
                .clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Volume clone = ((Step.Done<Volume>) step).result();
        Path mountPoint = database.folder().resolve("clone-" + point.id().value());
        try (var mounted = LoopVolume.mount(clone.device().orElseThrow(), mountPoint);
                var recovered = database.server().startCopy(mounted.mountPoint().resolve("data"))) {
            checkNumbers(
                    recovered.number("SELECT coalesce(max(number), 0) FROM sequence_written"),
                    recovered.number("SELECT count(*) FROM sequence_written"));
            recovered.checkStructures();
            recovered.stopAndCheckPages();
        }
        taker.provider().remove(name);
        taker.taker().undo(point.id());
    }

    private void checkNumbers(long last, long count) {
        var freeze = freeze(Certificate.FILE_SYSTEM);
        long acknowledgedBefore = commits.stream()
                .filter(commit -> commit.acknowledgedNanos() < freeze.requestedNanos())
                .count();
        long begunBefore = commits.stream()
                .filter(commit -> commit.begunNanos() < freeze.acknowledgedNanos())
                .count();
        assertThat(count).as("numbers without a gap").isEqualTo(last);
        assertThat(last).isBetween(acknowledgedBefore, begunBefore);
    }
}
