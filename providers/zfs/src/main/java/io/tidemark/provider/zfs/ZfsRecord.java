package io.tidemark.provider.zfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One record of a stream of {@code zfs send}: 312 bytes, in the byte order of the host that made them, followed by a
 * payload. The buffer is filled by whoever reads the stream, one record after the other.
 *
 * <p>Source: {@code dmu_replay_record} in {@code include/sys/zfs_ioctl.h}, and {@code module/zfs/dmu_send.c}, of
 * OpenZFS 2.1. Checksums of records are not looked at: {@code zfs receive} does.
 */
final class ZfsRecord {
    static final int BYTES = 312;

    static final int BEGIN = 0;
    static final int OBJECT = 1;
    static final int FREE_OBJECTS = 2;
    static final int WRITE = 3;
    static final int FREE = 4;
    static final int END = 5;
    static final int WRITE_BY_REFERENCE = 6;
    static final int SPILL = 7;
    static final int WRITE_EMBEDDED = 8;
    static final int OBJECT_RANGE = 9;
    static final int REDACT = 10;

    /** ZFS has no larger block; neither can a record's payload be. */
    static final int PAYLOAD_BYTES_MAXIMUM = 16 << 20;

    private static final long MAGIC = 0x2F5bacbacL;
    private static final int SUBSTREAM = 1;
    private static final int CLONE_FLAG = 1;
    private static final long RAW_FEATURE = 1L << 24;

    final ByteBuffer bytes = ByteBuffer.allocate(BYTES);

    /**
     * What the first record tells.
     *
     * @param objectSet its kind: {@link #FILES} or {@link #BLOCKS}
     * @param raw whether it has blocks as they lie on the disks of an encrypted file system
     * @param onOther whether what it builds upon lay on another volume where it was sent
     * @param cutAtSeconds since 1970
     * @param fromGuid 0: it is whole
     */
    record Beginning(
            long features, int objectSet, boolean raw, boolean onOther, long cutAtSeconds, long toGuid, long fromGuid) {
        static final int FILES = 2;
        static final int BLOCKS = 3;
    }

    int type() {
        return bytes.getInt(0);
    }

    /** Of the first record, which tells the byte order of all. */
    Beginning beginning() throws IOException {
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.getLong(8) != MAGIC) {
            bytes.order(ByteOrder.BIG_ENDIAN);
        }
        long version = bytes.getLong(16);
        if (type() != BEGIN || bytes.getLong(8) != MAGIC || (version & 3) != SUBSTREAM) {
            throw new IOException("not the beginning of one volume's stream");
        }
        long features = version >>> 2 & 0x3fff_ffff;
        return new Beginning(
                features,
                bytes.getInt(32),
                (features & RAW_FEATURE) != 0,
                (bytes.getInt(36) & CLONE_FLAG) != 0,
                bytes.getLong(24),
                bytes.getLong(40),
                bytes.getLong(48));
    }

    /** Of the last record: of which snapshot the stream was. */
    long endOf() {
        return bytes.getLong(40);
    }

    /** How long what follows the record is. */
    long payloadBytes() throws IOException {
        long length = switch (type()) {
            case BEGIN -> Integer.toUnsignedLong(bytes.getInt(4));
            case OBJECT -> {
                long raw = Integer.toUnsignedLong(bytes.getInt(36));
                yield raw != 0 ? raw : rounded(Integer.toUnsignedLong(bytes.getInt(28)));
            }
            case WRITE -> bytes.get(50) != 0 ? bytes.getLong(96) : bytes.getLong(32);
            case SPILL -> bytes.getLong(40) != 0 ? bytes.getLong(40) : bytes.getLong(16);
            case WRITE_EMBEDDED -> rounded(Integer.toUnsignedLong(bytes.getInt(52)));
            case FREE_OBJECTS, FREE, END, WRITE_BY_REFERENCE, OBJECT_RANGE, REDACT -> 0;
            default -> throw new IOException("unknown record of type " + type());
        };
        if (length < 0 || length > PAYLOAD_BYTES_MAXIMUM) {
            throw new IOException("a payload of %d bytes".formatted(length));
        }
        return length;
    }

    private static long rounded(long bytes) {
        return (bytes + 7) & ~7L;
    }
}
