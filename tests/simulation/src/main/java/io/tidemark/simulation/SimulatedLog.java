package io.tidemark.simulation;

import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** An ingest log on a disk that keeps what was synced, and of the rest a beginning of any length. */
final class SimulatedLog {
    /** One record: blocks, or totals that make what is before it durable, or the commit. */
    record Entry(List<BlockExtent> extents, ByteBuffer data, Optional<IngestTotals> checkpoint, boolean commit) {}

    final RecoveryPointId point;
    final Optional<RecoveryPointId> base;
    final long volumeBytes;
    final boolean direct;
    private final List<Entry> entries = new ArrayList<>();
    private int synced;

    SimulatedLog(RecoveryPointId point, Optional<RecoveryPointId> base, long volumeBytes, boolean direct) {
        this.point = point;
        this.base = base;
        this.volumeBytes = volumeBytes;
        this.direct = direct;
    }

    void append(Message.Blocks blocks) {
        var data = ByteBuffer.allocate(blocks.data().remaining())
                .put(blocks.data().duplicate())
                .flip();
        entries.add(new Entry(blocks.extents(), data, Optional.empty(), false));
    }

    void appendCheckpoint(IngestTotals totals) {
        entries.add(new Entry(List.of(), ByteBuffer.allocate(0), Optional.of(totals), false));
    }

    void appendCommit() {
        entries.add(new Entry(List.of(), ByteBuffer.allocate(0), Optional.empty(), true));
    }

    void sync() {
        synced = entries.size();
    }

    void crash(RandomGenerator random) {
        int kept = synced + random.nextInt(entries.size() - synced + 1);
        entries.subList(kept, entries.size()).clear();
        synced = kept;
    }

    boolean committed() {
        return entries.stream().anyMatch(Entry::commit);
    }

    IngestTotals durable() {
        var totals = IngestTotals.NOTHING;
        for (var entry : entries.subList(0, synced)) {
            totals = entry.checkpoint().orElse(totals);
        }
        return totals;
    }

    void cutBehindCheckpoint() {
        while (!entries.isEmpty() && entries.getLast().checkpoint().isEmpty()) {
            entries.removeLast();
        }
        synced = entries.size();
    }

    List<Message.Blocks> blocks() {
        return entries.stream()
                .filter(entry -> !entry.extents().isEmpty())
                .map(entry -> new Message.Blocks(entry.extents(), entry.data()))
                .toList();
    }
}
