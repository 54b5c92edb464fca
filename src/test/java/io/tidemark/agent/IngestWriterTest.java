package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.TargetInput;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IngestWriterTest {
    private static final ByteBuffer NO_CHAIN = ByteBuffer.allocate(IngestTotals.CHAIN_BYTES);

    private static IngestTotals through(long bytes) {
        return new IngestTotals(bytes, 0, 0, 0, NO_CHAIN.duplicate());
    }

    @Test
    void behindASlowDiskEverySecondSyncIsAnswered() throws Exception {
        var go = new CountDownLatch(1);
        var answered = new CopyOnWriteArrayList<Long>();
        var disk = new IngestWriter.Ingest() {
            @Override
            public void append(Message.Blocks blocks) {}

            @Override
            public void sync(IngestTotals totals) {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        };
        try (var writer = new IngestWriter(disk, input -> {
            if (input instanceof TargetInput.LogSynced(var totals)) {
                answered.add(totals.throughBytes());
            }
        })) {
            for (long bytes = 1; bytes <= 8; bytes++) {
                writer.sync(through(bytes));
            }

            go.countDown();

            assertThat(writer.drain()).isTrue();
        }
        // The first was begun alone, or waited for the second: that is up to the threads.
        assertThat(answered).isIn(List.of(1L, 3L, 5L, 7L, 8L), List.of(2L, 4L, 6L, 8L));
    }
}
