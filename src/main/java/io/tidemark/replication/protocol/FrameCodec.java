package io.tidemark.replication.protocol;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import java.nio.ByteBuffer;

/**
 * Messages to frames and back, for one connection. Counts the frames of each direction, so that one that is missing,
 * doubled or out of order is found. Each direction is used by one thread at a time.
 *
 * <p>Sees WELCOME pass, and from then on writes and takes frames of the version it names. Before, there are only
 * greetings, refusals and signs of life.
 */
public final class FrameCodec {
    /** Smaller payloads gain too little for a call of the compressor: zstd reaches its rate from 64 KiB on. */
    private static final int COMPRESSED_FROM_BYTES = 16 << 10;

    /** Compression is kept only where it saves at least this part. */
    private static final int SAVING_DIVISOR = 16;

    /** Buffers up to here stay for the next frame; larger ones (a recovery point's evidence) are given back. */
    private static final int KEPT_BUFFER_BYTES = 512 << 10;

    private final Compression compression;
    private final ProtocolVersion.Range versions;
    /** Set by the thread that sends or by the one that receives, before either has anything to say in it. */
    private volatile int agreed;

    private ByteBuffer plain = ByteBuffer.allocate(0);
    private ByteBuffer packed = ByteBuffer.allocate(0);
    private ByteBuffer unpacked = ByteBuffer.allocate(0);
    private long nextSent;
    private long nextReceived;

    public FrameCodec(Compression compression) {
        this(compression, ProtocolVersion.SPOKEN);
    }

    /** @param versions {@link ProtocolVersion#SPOKEN} but in tests of several versions */
    public FrameCodec(Compression compression, ProtocolVersion.Range versions) {
        this.compression = compression;
        this.versions = versions;
        this.agreed = versions.oldest();
    }

    /** The whole frame, ready to be written; good until the next call. */
    public ByteBuffer encode(Message message) {
        var type = message.type();
        plain = room(plain, FrameHeader.BYTES + MessageCodec.payloadBytesMaximum(message));
        var frame = plain.clear().position(FrameHeader.BYTES);
        MessageCodec.write(message, frame);
        frame.flip();
        boolean compressed = false;
        int payloadBytes = frame.limit() - FrameHeader.BYTES;
        if (payloadBytes >= COMPRESSED_FROM_BYTES) {
            packed = room(packed, FrameHeader.BYTES + type.payloadBytesMaximum());
            var small = packed.clear()
                    .position(FrameHeader.BYTES)
                    .limit(FrameHeader.BYTES + payloadBytes - payloadBytes / SAVING_DIVISOR);
            small.putInt(payloadBytes);
            if (compression.compress(frame.slice(FrameHeader.BYTES, payloadBytes), small)) {
                frame = small.flip();
                compressed = true;
            }
        }
        FrameHeader.write(frame, type.greets() ? ProtocolVersion.OF_GREETINGS : agreed, type, compressed, nextSent++);
        agree(message);
        return frame.rewind();
    }

    /**
     * The message of a frame. Its buffers are views of {@code payload}, or of one that the next call overwrites.
     *
     * @param payload exactly the bytes that the header announced
     */
    public Message decode(FrameHeader header, ByteBuffer payload) throws ReplicationException {
        // First: a flipped bit in the version must not pass for a peer of another one, which no retry would help.
        header.check(payload);
        if (header.version() != (header.type().greets() ? ProtocolVersion.OF_GREETINGS : agreed)) {
            throw new ReplicationException(
                    new ReplicationError.ProtocolMismatch(versions.toString(), Integer.toString(header.version())));
        }
        if (header.sequence() != nextReceived) {
            throw FrameHeader.corrupt(
                    "%s frame has number %d, %d was due".formatted(header.type(), header.sequence(), nextReceived));
        }
        nextReceived++;
        var message = MessageCodec.read(header.type(), header.compressed() ? unpack(header, payload) : payload);
        agree(message);
        return message;
    }

    private void agree(Message message) {
        if (message instanceof Message.Welcome welcome && versions.contains(welcome.version())) {
            agreed = welcome.version();
        }
    }

    private ByteBuffer unpack(FrameHeader header, ByteBuffer payload) throws ReplicationException {
        if (payload.remaining() < Integer.BYTES) {
            throw FrameHeader.corrupt("compressed %s frame has no raw length".formatted(header.type()));
        }
        int rawBytes = payload.getInt();
        if (rawBytes < 0 || rawBytes > header.type().payloadBytesMaximum()) {
            throw FrameHeader.corrupt("compressed %s frame announces %d raw bytes, at most %d allowed"
                    .formatted(
                            header.type(),
                            Integer.toUnsignedLong(rawBytes),
                            header.type().payloadBytesMaximum()));
        }
        unpacked = room(unpacked, rawBytes);
        var raw = unpacked.clear().limit(rawBytes);
        compression.decompress(payload, raw);
        return unpacked.slice(0, rawBytes);
    }

    private static ByteBuffer room(ByteBuffer kept, int bytes) {
        boolean fits = kept.capacity() >= bytes && (kept.capacity() <= KEPT_BUFFER_BYTES || bytes > KEPT_BUFFER_BYTES);
        return fits ? kept : ByteBuffer.allocate(bytes);
    }
}
