package io.tidemark.provider.zfs;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * Which bytes of a volume an incremental {@code zfs send} replaces. Contents are read past, never kept. The checksums
 * of records are not looked at: the stream comes from a process of this host, whose exit status counts.
 */
final class ZfsSendStream {
    /** The object that holds a volume's bytes: {@code ZVOL_OBJ}. The other one holds its size. */
    private static final long DATA_OBJECT = 1;

    private static final long OBJECTS_OF_A_VOLUME = 2;

    /**
     * Features that change neither records nor their lengths beyond what is read here: spilled blocks, embedded data,
     * LZ4, large blocks, compressed, large dnodes, Zstandard, switching to large blocks. All others are refused.
     */
    private static final long FEATURES_KNOWN =
            1L << 2 | 1L << 16 | 1L << 17 | 1L << 19 | 1L << 22 | 1L << 23 | 1L << 25 | 1L << 27;

    private final InputStream stream;
    private final int blockBytes;
    private final RangeSet changed;
    private final ZfsRecord record = new ZfsRecord();

    /** @param changed where the ranges go, in the order of the stream */
    ZfsSendStream(InputStream stream, int blockBytes, RangeSet changed) {
        this.stream = stream;
        this.blockBytes = blockBytes;
        this.changed = changed;
    }

    /**
     * Reads to the stream's end.
     *
     * @throws IOException where it breaks off, and for whatever is not known here: then anything may have changed
     */
    void read() throws IOException {
        begin();
        while (true) {
            next();
            if (record.type() == ZfsRecord.END) {
                break;
            }
            note();
            stream.skipNBytes(record.payloadBytes());
        }
        if (stream.read() >= 0) {
            throw new IOException("the stream goes on behind its end");
        }
    }

    private void begin() throws IOException {
        next();
        var beginning = record.beginning();
        if ((beginning.features() & ~FEATURES_KNOWN) != 0) {
            throw new IOException(
                    "unknown features of the stream: 0x%x".formatted(beginning.features() & ~FEATURES_KNOWN));
        }
        if (beginning.objectSet() != ZfsRecord.Beginning.BLOCKS) {
            throw new IOException("a stream of type %d, not of a volume".formatted(beginning.objectSet()));
        }
        stream.skipNBytes(record.payloadBytes());
    }

    private void note() throws IOException {
        var bytes = record.bytes;
        switch (record.type()) {
            case ZfsRecord.OBJECT -> object();
            case ZfsRecord.FREE_OBJECTS -> freeObjects();
            case ZfsRecord.WRITE -> change(bytes.getLong(8), bytes.getLong(24), bytes.getLong(32));
            case ZfsRecord.FREE, ZfsRecord.REDACT, ZfsRecord.WRITE_BY_REFERENCE, ZfsRecord.WRITE_EMBEDDED ->
                change(bytes.getLong(8), bytes.getLong(16), bytes.getLong(24));
            case ZfsRecord.SPILL -> {
                // Attributes, which no volume has any of that are its bytes.
            }
            default -> throw new IOException("unknown record of type " + record.type());
        }
    }

    private void object() throws IOException {
        long object = record.bytes.getLong(8);
        if (object == DATA_OBJECT && record.bytes.getInt(24) != blockBytes) {
            throw new IOException("blocks of %d bytes, not of %d".formatted(record.bytes.getInt(24), blockBytes));
        }
    }

    /** What a volume never has lies behind its two objects. */
    private void freeObjects() throws IOException {
        long first = record.bytes.getLong(8);
        long count = record.bytes.getLong(16);
        if (first >= 0 && first <= OBJECTS_OF_A_VOLUME && count != 0 && first != 0) {
            throw new IOException("objects from %d on are freed".formatted(first));
        }
        if (first == 0 && count != 1 && count != 0) {
            throw new IOException("objects from 0 on are freed");
        }
    }

    private void change(long object, long offsetBytes, long lengthBytes) throws IOException {
        if (object != DATA_OBJECT) {
            return;
        }
        if (offsetBytes < 0 || lengthBytes == 0) {
            throw new IOException("a range at %d of %d bytes".formatted(offsetBytes, lengthBytes));
        }
        // To the object's end: all bits set.
        boolean endless = lengthBytes < 0 || lengthBytes > Long.MAX_VALUE - offsetBytes;
        changed.add(offsetBytes, endless ? Long.MAX_VALUE : offsetBytes + lengthBytes);
    }

    private void next() throws IOException {
        if (stream.readNBytes(record.bytes.array(), 0, ZfsRecord.BYTES) != ZfsRecord.BYTES) {
            throw new EOFException("the stream breaks off within a record");
        }
    }
}
