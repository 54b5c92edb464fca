package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestLogTest {
    @TempDir
    Path folder;

    private static Message.Blocks blocks(int number) {
        byte[] data = new byte[4096];
        new Random(number).nextBytes(data);
        return new Message.Blocks(List.of(new BlockExtent(number * 4096L, 4096, false)), ByteBuffer.wrap(data));
    }

    /** Six blocks, checkpoints after the second and fourth. */
    private List<IngestTotals> write(Path file, boolean commit) throws Exception {
        var header = new IngestLogFormat.Header(
                new LinkId("ln-1"),
                new RecoveryPointId("rp-2"),
                Optional.of(new RecoveryPointId("rp-1")),
                new VolumeId("memory:copy"),
                1 << 20,
                false,
                Instant.ofEpochMilli(1_000));
        var checkpoints = new ArrayList<>(List.of(IngestTotals.NOTHING));
        try (var log = IngestLog.create(file, header, "{\"point\":\"é\"}")) {
            var totals = IngestTotals.NOTHING;
            for (int number = 0; number < 6; number++) {
                var message = blocks(number);
                log.append(message);
                totals = totals.plus(message);
                if (number % 2 == 1 && number < 5) {
                    log.checkpoint(totals);
                    checkpoints.add(totals);
                }
            }
            if (commit) {
                log.commit(new Message.Commit(totals, SyncCost.NONE));
                checkpoints.add(totals);
            }
        }
        return checkpoints;
    }

    @Test
    void whatWasWrittenIsReadBack() throws Exception {
        Path file = folder.resolve("a.ingest");
        var checkpoints = write(file, true);

        try (var log = IngestLog.open(file).orElseThrow()) {
            assertThat(log.metadata()).isEqualTo("{\"point\":\"é\"}");
            assertThat(log.header().base()).contains(new RecoveryPointId("rp-1"));
            assertThat(log.durable()).isEqualTo(checkpoints.getLast());
            assertThat(log.commit()).isPresent();
            var offsets = new ArrayList<Long>();
            log.<RuntimeException>replay(
                    blocks -> offsets.add(blocks.extents().getFirst().offsetBytes()));
            assertThat(offsets).containsExactly(0L, 4096L, 8192L, 12288L, 16384L, 20480L);
        }
    }

    @Test
    void aTornLogEndsAtACheckpointAndIsNeverCommitted() throws Exception {
        Path whole = folder.resolve("whole.ingest");
        var checkpoints = write(whole, true);
        byte[] bytes = Files.readAllBytes(whole);
        var random = new Random(5);
        for (int trial = 0; trial < 300; trial++) {
            Path torn = folder.resolve("torn.ingest");
            Files.write(torn, Arrays.copyOf(bytes, random.nextInt(bytes.length)));

            var log = IngestLog.open(torn);

            if (log.isPresent()) {
                assertThat(log.get().durable()).isIn(checkpoints);
                assertThat(log.get().commit()).isEmpty();
                log.get().close();
            }
        }
    }

    @Test
    void aFlippedBitEndsTheLogBeforeIt() throws Exception {
        Path whole = folder.resolve("whole.ingest");
        var checkpoints = write(whole, true);
        byte[] bytes = Files.readAllBytes(whole);
        var random = new Random(6);
        for (int trial = 0; trial < 300; trial++) {
            byte[] damaged = bytes.clone();
            damaged[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            Path file = folder.resolve("damaged.ingest");
            Files.write(file, damaged);

            var log = IngestLog.open(file);

            if (log.isPresent()) {
                assertThat(log.get().durable()).isIn(checkpoints);
                assertThat(log.get().commit()).isEmpty();
                log.get().close();
            }
        }
    }

    @Test
    void goingOnCutsOffWhatNobodyAcknowledged() throws Exception {
        Path file = folder.resolve("a.ingest");
        var checkpoints = write(file, false);

        try (var log = IngestLog.open(file).orElseThrow()) {
            assertThat(log.durable()).isEqualTo(checkpoints.getLast());
            log.continueFromCheckpoint();
            var message = blocks(9);
            log.append(message);
            log.commit(new Message.Commit(log.durable().plus(message), SyncCost.NONE));
        }

        try (var log = IngestLog.open(file).orElseThrow()) {
            var offsets = new ArrayList<Long>();
            log.<RuntimeException>replay(
                    blocks -> offsets.add(blocks.extents().getFirst().offsetBytes()));
            assertThat(offsets).containsExactly(0L, 4096L, 8192L, 12288L, 9 * 4096L);
        }
    }
}
