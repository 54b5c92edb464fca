package io.tidemark.replication.protocol;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The first 24 bytes of a frame, big-endian. Whatever a peer sends, no more than the type's limit is ever waited for
 * or allocated.
 *
 * @param version of the protocol, see {@link ProtocolVersion}
 * @param compressed whether the payload is a raw length (4 bytes) and a zstd frame
 * @param lengthBytes of the payload
 * @param sequence number of the frame in its direction, from 0
 * @param checksum CRC32C of the header with this field zero, then the payload
 */
public record FrameHeader(
        int version, FrameType type, boolean compressed, int lengthBytes, long sequence, int checksum) {
    public static final int BYTES = 24;
    static final int MAGIC = 0x544D5246; // TMRF
    private static final int FLAG_COMPRESSED = 1;
    private static final int CHECKSUM_AT = 20;

    /** Takes 24 bytes from the buffer's position. */
    public static FrameHeader parse(ByteBuffer bytes) throws ReplicationException {
        int magic = bytes.getInt();
        if (magic != MAGIC) {
            throw corrupt("magic is %08x, not %08x".formatted(magic, MAGIC));
        }
        int version = Byte.toUnsignedInt(bytes.get());
        int typeCode = Byte.toUnsignedInt(bytes.get());
        int flags = Short.toUnsignedInt(bytes.getShort());
        int length = bytes.getInt();
        long sequence = bytes.getLong();
        int checksum = bytes.getInt();
        var type = FrameType.ofCode(typeCode).orElse(null);
        if (type == null) {
            throw corrupt("type %d is unknown".formatted(typeCode));
        }
        if ((flags & ~FLAG_COMPRESSED) != 0) {
            throw corrupt("flags %04x are unknown".formatted(flags));
        }
        if (length < 0 || length > type.payloadBytesMaximum()) {
            throw corrupt("%s frame announces %d bytes, at most %d allowed"
                    .formatted(type, Integer.toUnsignedLong(length), type.payloadBytesMaximum()));
        }
        return new FrameHeader(version, type, (flags & FLAG_COMPRESSED) != 0, length, sequence, checksum);
    }

    static ReplicationException corrupt(String evidence) {
        return new ReplicationException(new ReplicationError.CorruptFrame(evidence));
    }

    /**
     * @param headBytes where the payload is divided for its checksum
     * @return the checksum of what lies behind the head
     * @throws ReplicationException CorruptFrame when a bit of the header or the payload is not as it was sent
     */
    int check(ByteBuffer payload, int headBytes) throws ReplicationException {
        var bytes = ByteBuffer.allocate(BYTES);
        put(bytes, version, type, compressed, lengthBytes, sequence);
        var crc = new CRC32C();
        crc.update(bytes.rewind());
        Crc32c.update(crc, payload, payload.position(), headBytes);
        int restBytes = payload.remaining() - headBytes;
        int restChecksum = Crc32c.of(payload, payload.position() + headBytes, restBytes);
        int found = Crc32c.ofBoth((int) crc.getValue(), restChecksum, restBytes);
        if (found != checksum) {
            throw corrupt("checksum of %s frame %d is %08x, %08x announced".formatted(type, sequence, found, checksum));
        }
        return restChecksum;
    }

    /** As the other, where the frame holds all of its payload. */
    static void write(ByteBuffer frame, int version, FrameType type, boolean compressed, long sequence) {
        write(frame, 0, 0, version, type, compressed, sequence);
    }

    /**
     * Writes the header at the start of a frame whose payload follows it already, with the checksum over both.
     *
     * @param restBytes length and checksum of what of the payload lies elsewhere
     */
    static void write(
            ByteBuffer frame,
            int restBytes,
            int restChecksum,
            int version,
            FrameType type,
            boolean compressed,
            long sequence) {
        put(frame, version, type, compressed, frame.limit() - BYTES + restBytes, sequence);
        int first = Crc32c.of(frame.rewind());
        frame.putInt(CHECKSUM_AT, Crc32c.ofBoth(first, restChecksum, restBytes));
    }

    private static void put(
            ByteBuffer frame, int version, FrameType type, boolean compressed, int lengthBytes, long sequence) {
        frame.putInt(0, MAGIC)
                .put(4, (byte) version)
                .put(5, (byte) type.code())
                .putShort(6, (short) (compressed ? FLAG_COMPRESSED : 0))
                .putInt(8, lengthBytes)
                .putLong(12, sequence)
                .putInt(CHECKSUM_AT, 0);
    }
}
