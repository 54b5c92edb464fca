package io.tidemark.agent;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.IngestLogFormat.Entry;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The log of one link on the target: blocks wait here, durable, until all have come. One thread at a time. A failure
 * leaves at worst a tail that the next opening cuts off.
 */
final class IngestLog implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final IngestLogFormat.Header header;
    private final String metadata;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(IngestLogFormat.largestBytes(false));
    private IngestTotals durable = IngestTotals.NOTHING;
    private Optional<Message.Commit> commit = Optional.empty();
    /** End of the newest checkpoint: what is behind it may be torn. */
    private long durableEndBytes;

    private long endBytes;

    private IngestLog(Path file, FileChannel channel, IngestLogFormat.Header header, String metadata) {
        this.file = file;
        this.channel = channel;
        this.header = header;
        this.metadata = metadata;
    }

    /** Hears of each record of blocks, in order. */
    interface BlocksReader<E extends Exception> {
        void blocks(Message.Blocks blocks) throws E;
    }

    /** Makes the log, durable with its name before it returns; one of that name before it is replaced. */
    static IngestLog create(Path file, IngestLogFormat.Header header, String metadata) throws ReplicationException {
        try {
            Files.deleteIfExists(file);
            var channel = FileChannel.open(
                    file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            var log = new IngestLog(file, channel, header, metadata);
            log.endBytes = log.write(IngestLogFormat.encode(header), 0);
            // Three bytes are the most that one character of Java takes in UTF-8.
            var record = ByteBuffer.allocate(IngestLogFormat.RECORD_HEADER_BYTES + 4 + 3 * metadata.length());
            IngestLogFormat.encode(new Entry.Metadata(metadata), record);
            log.endBytes = log.write(record, log.endBytes);
            channel.force(true);
            log.durableEndBytes = log.endBytes;
            syncFolder(file);
            return log;
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    /**
     * Opens the log there is and reads it through.
     *
     * @return empty when there is none, or none that can be used: its transfer starts anew
     */
    static Optional<IngestLog> open(Path file) throws ReplicationException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            var log = read(file, channel);
            if (log.isEmpty()) {
                channel.close();
            } else {
                // A killed process may have left in the kernel's memory only what was read just now; a commit that a
                // power cut can still take back must not be acted upon.
                channel.force(true);
            }
            return log;
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    private static Optional<IngestLog> read(Path file, FileChannel channel) throws IOException {
        var head = ByteBuffer.allocate(IngestLogFormat.HEADER_BYTES);
        fill(channel, head, 0);
        IngestLogFormat.Header header;
        try {
            header = IngestLogFormat.header(head.flip());
        } catch (ReplicationException e) {
            return Optional.empty();
        }
        long at = IngestLogFormat.HEADER_BYTES;
        var large = ByteBuffer.allocate(metadataBytes(channel, at));
        if (!(entryAt(channel, at, large).orElse(null) instanceof Entry.Metadata(var metadata))) {
            return Optional.empty();
        }
        var log = new IngestLog(file, channel, header, metadata);
        at += large.limit();
        log.durableEndBytes = at;
        for (var entry = entryAt(channel, at, log.buffer);
                entry.isPresent();
                entry = entryAt(channel, at, log.buffer)) {
            at += log.buffer.limit();
            if (entry.get() instanceof Entry.Checkpoint(var totals)) {
                log.durable = totals;
                log.durableEndBytes = at;
            } else if (entry.get() instanceof Entry.Commit(var committed)) {
                log.commit = Optional.of(committed);
                log.durable = committed.totals();
                log.durableEndBytes = at;
                break;
            }
        }
        log.endBytes = at;
        return Optional.of(log);
    }

    IngestLogFormat.Header header() {
        return header;
    }

    String metadata() {
        return metadata;
    }

    IngestTotals durable() {
        return durable;
    }

    Optional<Message.Commit> commit() {
        return commit;
    }

    /** Cuts off what is behind the newest checkpoint and goes on there. */
    void continueFromCheckpoint() throws ReplicationException {
        try {
            channel.truncate(durableEndBytes);
            channel.force(true);
            endBytes = durableEndBytes;
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    void append(Message.Blocks blocks) throws ReplicationException {
        try {
            // The blocks go from the buffer they arrived in to the file.
            IngestLogFormat.encodeHead(blocks, buffer);
            endBytes = write(blocks.data().duplicate(), write(buffer, endBytes));
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    /** On return everything appended survives a power cut. */
    void checkpoint(IngestTotals totals) throws ReplicationException {
        sync(new Entry.Checkpoint(totals));
        durable = totals;
        durableEndBytes = endBytes;
    }

    /** As {@link #checkpoint}; from now on the log must be applied. */
    void commit(Message.Commit message) throws ReplicationException {
        // Two syncs: a commit record must never be durable before what it commits.
        checkpoint(message.totals());
        sync(new Entry.Commit(message));
        commit = Optional.of(message);
    }

    /** Reads all blocks, from the first. */
    <E extends Exception> void replay(BlocksReader<E> reader) throws ReplicationException, E {
        long at = IngestLogFormat.HEADER_BYTES;
        try {
            at += metadataBytes(channel, at);
            while (at < durableEndBytes) {
                var entry = entryAt(channel, at, buffer)
                        .orElseThrow(() -> new IOException("a record before the commit is damaged"));
                at += buffer.limit();
                if (entry instanceof Entry.Blocks(var blocks)) {
                    reader.blocks(blocks);
                }
            }
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    /** Removes the file; durable. */
    void delete() throws ReplicationException {
        try {
            channel.close();
            Files.deleteIfExists(file);
            syncFolder(file);
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    @Override
    public void close() throws ReplicationException {
        try {
            channel.close();
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    private void write(Entry entry) throws ReplicationException {
        try {
            IngestLogFormat.encode(entry, buffer);
            endBytes = write(buffer, endBytes);
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    private void sync(Entry entry) throws ReplicationException {
        write(entry);
        try {
            channel.force(false);
        } catch (IOException e) {
            throw state(file, e);
        }
    }

    private long write(ByteBuffer bytes, long at) throws IOException {
        long end = at;
        while (bytes.hasRemaining()) {
            end += channel.write(bytes, end);
        }
        return end;
    }

    /** Of the first record, which may be as large as 8 MiB and seldom is; 0 where there is none that can be. */
    private static int metadataBytes(FileChannel channel, long at) throws IOException {
        var head = ByteBuffer.allocate(IngestLogFormat.RECORD_HEADER_BYTES);
        return fill(channel, head, at)
                ? IngestLogFormat.entryHeader(head.flip())
                        .map(header -> IngestLogFormat.RECORD_HEADER_BYTES + header.lengthBytes())
                        .orElse(0)
                : 0;
    }

    /** Afterwards {@code into} has the whole record, its limit being the record's length. */
    private static Optional<Entry> entryAt(FileChannel channel, long at, ByteBuffer into) throws IOException {
        if (into.capacity() < IngestLogFormat.RECORD_HEADER_BYTES) {
            return Optional.empty();
        }
        into.clear().limit(IngestLogFormat.RECORD_HEADER_BYTES);
        if (!fill(channel, into, at)) {
            return Optional.empty();
        }
        var header = IngestLogFormat.entryHeader(into.flip()).orElse(null);
        if (header == null || header.lengthBytes() > into.capacity() - IngestLogFormat.RECORD_HEADER_BYTES) {
            return Optional.empty();
        }
        into.limit(IngestLogFormat.RECORD_HEADER_BYTES + header.lengthBytes())
                .position(IngestLogFormat.RECORD_HEADER_BYTES);
        if (!fill(channel, into, at + IngestLogFormat.RECORD_HEADER_BYTES)) {
            return Optional.empty();
        }
        return IngestLogFormat.entry(header, into.slice(IngestLogFormat.RECORD_HEADER_BYTES, header.lengthBytes()));
    }

    private static boolean fill(FileChannel channel, ByteBuffer into, long at) throws IOException {
        long from = at;
        while (into.hasRemaining()) {
            int read = channel.read(into, from);
            if (read < 0) {
                return false;
            }
            from += read;
        }
        return true;
    }

    static void syncFolder(Path file) throws IOException {
        Path folder = file.getParent();
        if (folder == null) {
            throw new IOException(file + " has no folder");
        }
        try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static ReplicationException state(Path file, IOException e) {
        return new ReplicationException(new ReplicationError.State(file.toString(), String.valueOf(e.getMessage())), e);
    }
}
