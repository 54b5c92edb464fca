package io.tidemark.provider.zfs;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/** A stream of a file system's snapshot, made here: one record after the other. */
final class StreamBytes {
    static final int RECORD_BYTES = 312;
    static final long CUT_AT_SECONDS = 1_700_000_000L;
    private static final long RAW = 1L << 24;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final ByteOrder order;
    private final long toGuid;

    private StreamBytes(ByteOrder order, long toGuid) {
        this.order = order;
        this.toGuid = toGuid;
    }

    static StreamBytes whole(long toGuid) {
        return new StreamBytes(ByteOrder.LITTLE_ENDIAN, toGuid).begin(0, 2, 0, 0);
    }

    static StreamBytes upon(long fromGuid, long toGuid) {
        return new StreamBytes(ByteOrder.LITTLE_ENDIAN, toGuid).begin(fromGuid, 2, 0, 0);
    }

    static StreamBytes raw(long toGuid) {
        return new StreamBytes(ByteOrder.LITTLE_ENDIAN, toGuid).begin(0, 2, RAW, 0);
    }

    static StreamBytes uponOther(long fromGuid, long toGuid) {
        return new StreamBytes(ByteOrder.LITTLE_ENDIAN, toGuid).begin(fromGuid, 2, 0, 1);
    }

    static StreamBytes ofBlocks(long toGuid) {
        return new StreamBytes(ByteOrder.LITTLE_ENDIAN, toGuid).begin(0, 3, 0, 0);
    }

    static StreamBytes ofOtherByteOrder(long toGuid) {
        return new StreamBytes(ByteOrder.BIG_ENDIAN, toGuid).begin(0, 2, 0, 0);
    }

    private StreamBytes begin(long fromGuid, int kind, long features, int flags) {
        return record(
                0,
                0,
                record -> record.putLong(8, 0x2F5bacbacL)
                        .putLong(16, 1 | features << 2)
                        .putLong(24, CUT_AT_SECONDS)
                        .putInt(32, kind)
                        .putInt(36, flags)
                        .putLong(40, toGuid)
                        .putLong(48, fromGuid));
    }

    StreamBytes record(int type, int payloadBytes, Consumer<ByteBuffer> fill) {
        var record =
                ByteBuffer.allocate(RECORD_BYTES + payloadBytes).order(order).putInt(0, type);
        fill.accept(record);
        bytes.writeBytes(record.array());
        return this;
    }

    /** A block whose bytes look like the last record. */
    StreamBytes write(int payloadBytes) {
        return record(
                3, payloadBytes, record -> record.putLong(32, payloadBytes).putInt(RECORD_BYTES, 5));
    }

    byte[] endedAs(long guid) {
        return record(5, 0, record -> record.putLong(40, guid)).bytes.toByteArray();
    }

    byte[] ended() {
        return endedAs(toGuid);
    }
}
