package io.tidemark.provider.zfs;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Which bytes of a volume an incremental {@code zfs send} replaces. Contents are read past, never kept. Records are
 * of 312 bytes, in the byte order of the host that made them, each followed by its payload.
 *
 * <p>Source: {@code dmu_replay_record} in {@code include/sys/zfs_ioctl.h}, and {@code module/zfs/dmu_send.c}, of
 * OpenZFS 2.1. The checksums of records are not looked at: the stream comes from a process of this host, whose exit
 * status counts.
 */
final class ZfsSendStream {
    private static final int RECORD_BYTES = 312;
    private static final long MAGIC = 0x2F5bacbacL;
    private static final int SUBSTREAM = 1;
    private static final int VOLUME_TYPE = 3;

    /** The object that holds a volume's bytes: {@code ZVOL_OBJ}. The other one holds its size. */
    private static final long DATA_OBJECT = 1;

    private static final long OBJECTS_OF_A_VOLUME = 2;

    /**
     * Features that change neither records nor their lengths beyond what is read here: spilled blocks, embedded data,
     * LZ4, large blocks, compressed, large dnodes, Zstandard, switching to large blocks. All others are refused.
     */
    private static final long FEATURES_KNOWN =
            1L << 2 | 1L << 16 | 1L << 17 | 1L << 19 | 1L << 22 | 1L << 23 | 1L << 25 | 1L << 27;

    /** ZFS has no larger block; neither can a record's payload be. */
    private static final int PAYLOAD_BYTES_MAXIMUM = 16 << 20;

    private static final int BEGIN = 0;
    private static final int OBJECT = 1;
    private static final int FREE_OBJECTS = 2;
    private static final int WRITE = 3;
    private static final int FREE = 4;
    private static final int END = 5;
    private static final int WRITE_BY_REFERENCE = 6;
    private static final int SPILL = 7;
    private static final int WRITE_EMBEDDED = 8;
    private static final int REDACT = 10;

    private final InputStream stream;
    private final int blockBytes;
    private final RangeSet changed;
    private final ByteBuffer record = ByteBuffer.allocate(RECORD_BYTES);

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
            int type = record.getInt(0);
            if (type == END) {
                break;
            }
            skip(payloadBytes(type));
        }
        if (stream.read() >= 0) {
            throw new IOException("the stream goes on behind its end");
        }
    }

    private void begin() throws IOException {
        next();
        record.order(ByteOrder.LITTLE_ENDIAN);
        if (record.getLong(8) != MAGIC) {
            record.order(ByteOrder.BIG_ENDIAN);
        }
        long version = record.getLong(16);
        if (record.getInt(0) != BEGIN || record.getLong(8) != MAGIC || (version & 3) != SUBSTREAM) {
            throw new IOException("not the beginning of one volume's stream");
        }
        long features = version >>> 2 & 0x3fff_ffff;
        if ((features & ~FEATURES_KNOWN) != 0) {
            throw new IOException("unknown features of the stream: 0x%x".formatted(features & ~FEATURES_KNOWN));
        }
        if (record.getInt(32) != VOLUME_TYPE) {
            throw new IOException("a stream of type %d, not of a volume".formatted(record.getInt(32)));
        }
        skip(Integer.toUnsignedLong(record.getInt(4)));
    }

    /** Takes note of a record; answers how long its payload is. */
    private long payloadBytes(int type) throws IOException {
        return switch (type) {
            case OBJECT -> object();
            case FREE_OBJECTS -> freeObjects();
            case WRITE -> write();
            case FREE, REDACT, WRITE_BY_REFERENCE -> {
                change(record.getLong(8), record.getLong(16), record.getLong(24));
                yield 0;
            }
            case SPILL -> record.getLong(40) != 0 ? record.getLong(40) : record.getLong(16);
            case WRITE_EMBEDDED -> {
                change(record.getLong(8), record.getLong(16), record.getLong(24));
                yield rounded(Integer.toUnsignedLong(record.getInt(52)));
            }
            default -> throw new IOException("unknown record of type " + type);
        };
    }

    private long object() throws IOException {
        long object = record.getLong(8);
        if (object == DATA_OBJECT && record.getInt(24) != blockBytes) {
            throw new IOException("blocks of %d bytes, not of %d".formatted(record.getInt(24), blockBytes));
        }
        long raw = Integer.toUnsignedLong(record.getInt(36));
        return raw != 0 ? raw : rounded(Integer.toUnsignedLong(record.getInt(28)));
    }

    /** What a volume never has lies behind its two objects. */
    private long freeObjects() throws IOException {
        long first = record.getLong(8);
        if (first >= 0 && first <= OBJECTS_OF_A_VOLUME && record.getLong(16) != 0 && first != 0) {
            throw new IOException("objects from %d on are freed".formatted(first));
        }
        if (first == 0 && record.getLong(16) != 1 && record.getLong(16) != 0) {
            throw new IOException("objects from 0 on are freed");
        }
        return 0;
    }

    private long write() throws IOException {
        long logical = record.getLong(32);
        change(record.getLong(8), record.getLong(24), logical);
        boolean compressed = record.get(50) != 0;
        return compressed ? record.getLong(96) : logical;
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

    private static long rounded(long bytes) {
        return (bytes + 7) & ~7L;
    }

    private void next() throws IOException {
        int read = stream.readNBytes(record.array(), 0, RECORD_BYTES);
        if (read != RECORD_BYTES) {
            throw new EOFException("the stream breaks off within a record");
        }
    }

    private void skip(long bytes) throws IOException {
        if (bytes < 0 || bytes > PAYLOAD_BYTES_MAXIMUM) {
            throw new IOException("a payload of %d bytes".formatted(bytes));
        }
        stream.skipNBytes(bytes);
    }
}
