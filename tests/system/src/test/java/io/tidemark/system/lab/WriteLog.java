package io.tidemark.system.lab;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code dm-log-writes} has written down of a disk: its writes in the order in which they became durable. A write that
 * was not flushed yet is not in the log, one with FUA is at once; so what lies before an entry is on the disk wherever
 * the power fails after it. The format is that of Linux, {@code drivers/md/dm-log-writes.c}; all numbers are
 * little-endian: in the first sector magic (8 bytes), version (8), number of entries (8), bytes of a sector (4); from the
 * second one on the entries, each first sector (8), sectors (8), flags (8), bytes of a mark's text (8), that text, up to
 * the next sector, then its data, which a discard has not.
 */
final class WriteLog implements AutoCloseable {
    private static final long MAGIC = 0x6a736677736872L;
    private static final long VERSION = 1;
    private static final int HEAD_BYTES = 32;
    private static final long FLUSH = 1;
    private static final long FUA = 2;
    private static final long DISCARD = 4;
    private static final long MARK = 8;

    private final FileChannel log;
    private final int sectorBytes;
    private final List<Entry> entries = new ArrayList<>();

    /**
     * One write, flush, discard or mark.
     *
     * @param mark empty where it is none
     * @param dataAt in the log
     */
    record Entry(long sector, long sectors, long flags, String mark, long dataAt) {
        boolean flushes() {
            return (flags & (FLUSH | FUA)) != 0;
        }

        boolean discards() {
            return (flags & DISCARD) != 0;
        }
    }

    private WriteLog(FileChannel log) throws IOException {
        this.log = log;
        var head = read(0, HEAD_BYTES);
        if (head.getLong() != MAGIC || head.getLong() != VERSION) {
            throw new IOException("no log of dm-log-writes, version " + VERSION);
        }
        long count = head.getLong();
        sectorBytes = head.getInt();
        long at = sectorBytes;
        for (long number = 0; number < count; number++) {
            var entry = entryAt(at);
            entries.add(entry);
            at = entry.dataAt() + (entry.discards() ? 0 : entry.sectors() * sectorBytes);
        }
    }

    /** Of a device that has ended: its last entries are there then. */
    static WriteLog open(Path device) throws IOException {
        return new WriteLog(FileChannel.open(device, StandardOpenOption.READ));
    }

    private Entry entryAt(long at) throws IOException {
        var bytes = read(at, sectorBytes);
        long sector = bytes.getLong();
        long sectors = bytes.getLong();
        long flags = bytes.getLong();
        var text = new byte[(flags & MARK) != 0 ? Math.toIntExact(bytes.getLong()) : 0];
        bytes.position(HEAD_BYTES).get(text);
        return new Entry(sector, sectors, flags, new String(text, StandardCharsets.UTF_8).strip(), at + sectorBytes);
    }

    private ByteBuffer read(long at, int count) throws IOException {
        var bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (log.read(bytes, at + bytes.position()) < 0) {
                throw new EOFException("the log ends at " + (at + bytes.position()));
            }
        }
        return bytes.flip();
    }

    List<Entry> entries() {
        return entries;
    }

    /** The number of the entry with that mark; a power failure at a later one comes after it. */
    int indexOf(String mark) {
        for (int index = 0; index < entries.size(); index++) {
            if (entries.get(index).mark().equals(mark)) {
                return index;
            }
        }
        throw new IllegalArgumentException("no mark " + mark);
    }

    /** Does to a disk what was done from one entry up to another, that one left out. */
    void replay(FileChannel disk, int from, int to) throws IOException {
        for (var entry : entries.subList(from, to)) {
            int count = Math.toIntExact(entry.sectors() * sectorBytes);
            // What was discarded has no content that anyone could count on.
            var bytes = entry.discards() ? ByteBuffer.allocate(count) : read(entry.dataAt(), count);
            for (long at = entry.sector() * sectorBytes; bytes.hasRemaining(); ) {
                at += disk.write(bytes, at);
            }
        }
        // Whoever reads the device below this one's cache finds it.
        disk.force(true);
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
