package io.tidemark.simulation;

import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.IngestLogFormat.Entry;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * An ingest log in its true bytes on a disk that tears: of what was not synced, each sector is there after a crash or
 * is not, in any order, and the file may be shorter. Handled as {@code agent.IngestLog} handles its file.
 */
final class SimulatedLog {
    private static final int SECTOR_BYTES = 512;
    private static final int BLOCK_BYTES = 4 << 10;
    private static final ThreadLocal<ByteBuffer> RECORD =
            ThreadLocal.withInitial(() -> ByteBuffer.allocate(IngestLogFormat.largestBytes(false)));

    final IngestLogFormat.Header header;
    private byte[] file = new byte[16 << 10];
    private int endBytes;
    private int syncedBytes;
    private int durableEndBytes;
    private IngestTotals durable = IngestTotals.NOTHING;
    private IngestTotals syncedTotals = IngestTotals.NOTHING;
    private boolean committed;
    private int commitEndBytes;

    private SimulatedLog(IngestLogFormat.Header header) {
        this.header = header;
    }

    /** Not durable before {@link #sync}. */
    static SimulatedLog create(IngestLogFormat.Header header, String metadata) {
        var log = new SimulatedLog(header);
        log.put(IngestLogFormat.encode(header));
        log.write(new Entry.Metadata(metadata));
        log.durableEndBytes = log.endBytes;
        return log;
    }

    /** What a restart makes of the file; empty when nothing of it can be used. */
    Optional<SimulatedLog> reopened() {
        var entries = new ArrayList<Entry>();
        var ends = new ArrayList<Integer>();
        if (endBytes < IngestLogFormat.HEADER_BYTES) {
            return Optional.empty();
        }
        SimulatedLog log;
        try {
            log = new SimulatedLog(IngestLogFormat.header(ByteBuffer.wrap(file, 0, IngestLogFormat.HEADER_BYTES)));
        } catch (io.tidemark.replication.ReplicationException e) {
            return Optional.empty();
        }
        int at = read(entries, ends);
        if (entries.isEmpty() || !(entries.getFirst() instanceof Entry.Metadata)) {
            return Optional.empty();
        }
        log.file = file.clone();
        log.durableEndBytes = ends.getFirst();
        for (int index = 1; index < entries.size() && !log.committed; index++) {
            if (entries.get(index) instanceof Entry.Checkpoint(var totals)) {
                log.durable = totals;
                log.durableEndBytes = ends.get(index);
            } else if (entries.get(index) instanceof Entry.Commit(var commit)) {
                log.durable = commit.totals();
                log.durableEndBytes = ends.get(index);
                log.committed = true;
                log.commitEndBytes = ends.get(index);
            }
        }
        log.endBytes = at;
        log.syncedBytes = Math.min(at, syncedBytes);
        log.syncedTotals = log.durableEndBytes <= log.syncedBytes ? log.durable : IngestTotals.NOTHING;
        return Optional.of(log);
    }

    private int read(List<Entry> entries, List<Integer> ends) {
        int at = IngestLogFormat.HEADER_BYTES;
        while (at + IngestLogFormat.RECORD_HEADER_BYTES <= endBytes) {
            var head = IngestLogFormat.entryHeader(ByteBuffer.wrap(file, at, IngestLogFormat.RECORD_HEADER_BYTES));
            int from = at + IngestLogFormat.RECORD_HEADER_BYTES;
            if (head.isEmpty() || from + head.get().lengthBytes() > endBytes) {
                break;
            }
            var entry = IngestLogFormat.entry(
                    head.get(),
                    ByteBuffer.wrap(file, from, head.get().lengthBytes()).slice());
            if (entry.isEmpty()) {
                break;
            }
            at = from + head.get().lengthBytes();
            entries.add(entry.get());
            ends.add(at);
        }
        return at;
    }

    void append(Message.Blocks blocks) {
        write(new Entry.Blocks(blocks));
    }

    void appendCheckpoint(IngestTotals totals) {
        write(new Entry.Checkpoint(totals));
        durable = totals;
        durableEndBytes = endBytes;
    }

    void appendCommit(Message.Commit commit) {
        write(new Entry.Commit(commit));
        committed = true;
        commitEndBytes = endBytes;
    }

    void sync() {
        syncedBytes = endBytes;
        syncedTotals = durable;
    }

    void continueFromCheckpoint() {
        endBytes = durableEndBytes;
        sync();
    }

    void crash(RandomGenerator random) {
        int lengthBytes = syncedBytes + random.nextInt(endBytes - syncedBytes + 1);
        for (int sector = syncedBytes / SECTOR_BYTES; sector * SECTOR_BYTES < lengthBytes; sector++) {
            if (random.nextBoolean()) {
                int from = Math.max(syncedBytes, sector * SECTOR_BYTES);
                Arrays.fill(file, from, Math.min(lengthBytes, (sector + 1) * SECTOR_BYTES), (byte) 0);
            }
        }
        endBytes = lengthBytes;
        syncedBytes = lengthBytes;
    }

    boolean committed() {
        return committed;
    }

    /** Whether the commit would outlive the host now. */
    boolean commitDurable() {
        return committed && commitEndBytes <= syncedBytes;
    }

    /** As this host knows it. */
    IngestTotals durable() {
        return durable;
    }

    /** What of it would outlive the host now. */
    IngestTotals synced() {
        return syncedTotals;
    }

    /** The disk took a part of the newest record and has no room for the rest. */
    void tearEnd(RandomGenerator random) {
        endBytes = Math.max(durableEndBytes, endBytes - 1 - random.nextInt(BLOCK_BYTES));
    }

    int unsyncedBytes() {
        return endBytes - syncedBytes;
    }

    List<Message.Blocks> blocks() {
        var entries = new ArrayList<Entry>();
        read(entries, new ArrayList<>());
        return entries.stream()
                .filter(Entry.Blocks.class::isInstance)
                .map(entry -> ((Entry.Blocks) entry).blocks())
                .toList();
    }

    private void write(Entry entry) {
        var record = RECORD.get();
        IngestLogFormat.encode(entry, record);
        put(record);
    }

    private void put(ByteBuffer bytes) {
        int length = bytes.remaining();
        if (endBytes + length > file.length) {
            file = Arrays.copyOf(file, 2 * (endBytes + length));
        }
        bytes.get(file, endBytes, length);
        endBytes += length;
    }
}
