package io.tidemark.replication.protocol;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

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

    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

    private final Compression compression;
    private final ProtocolVersion.Range versions;
    /** Set by the thread that sends or by the one that receives, before either has anything to say in it. */
    private volatile int agreed;

    private ByteBuffer plain = ByteBuffer.allocateDirect(0);
    private ByteBuffer packed = ByteBuffer.allocateDirect(0);
    private ByteBuffer unpacked = ByteBuffer.allocateDirect(0);
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

    /** The whole frame in one buffer, ready to be written; good until the next call. */
    public ByteBuffer encode(Message message) {
        var parts = encodeParts(message);
        if (parts.length == 1) {
            return parts[0];
        }
        int bytes = 0;
        for (var part : parts) {
            bytes += part.remaining();
        }
        var whole = ByteBuffer.allocate(bytes);
        for (var part : parts) {
            whole.put(part);
        }
        return whole.flip();
    }

    /**
     * The whole frame as one or two buffers, to be written one after the other; good until the next call. Blocks that
     * are not compressed are not copied: the second buffer is the message's own.
     */
    public ByteBuffer[] encodeParts(Message message) {
        if (message instanceof Message.Blocks blocks) {
            return encodeBlocks(blocks);
        }
        plain = room(plain, FrameHeader.BYTES + MessageCodec.payloadBytesMaximum(message));
        var frame = plain.clear().position(FrameHeader.BYTES);
        MessageCodec.write(message, frame);
        var packedFrame = pack(frame.flip(), message.type());
        boolean compressed = packedFrame != null;
        var parts = finish(message.type(), compressed, packedFrame == null ? frame : packedFrame, NOTHING, 0);
        agree(message);
        return parts;
    }

    private ByteBuffer[] encodeBlocks(Message.Blocks blocks) {
        var type = blocks.type();
        plain = room(plain, FrameHeader.BYTES + type.payloadBytesMaximum());
        var head = plain.clear().position(FrameHeader.BYTES);
        MessageCodec.writeExtents(blocks.extents(), head);
        int payloadBytes = head.position() - FrameHeader.BYTES + blocks.data().remaining();
        if (payloadBytes >= COMPRESSED_FROM_BYTES && compression.worthTrying(blocks.data())) {
            int headBytes = head.position();
            var packedFrame = pack(head.put(blocks.data().duplicate()).flip(), type);
            if (packedFrame != null) {
                return finish(type, true, packedFrame, NOTHING, 0);
            }
            head.limit(headBytes);
        } else {
            head.flip();
        }
        return finish(type, false, head, blocks.data().duplicate(), blocks.dataChecksum());
    }

    /** @return null when it does not shrink enough to be worth it */
    private @Nullable ByteBuffer pack(ByteBuffer frame, FrameType type) {
        int payloadBytes = frame.limit() - FrameHeader.BYTES;
        if (payloadBytes < COMPRESSED_FROM_BYTES || type == FrameType.LIVE) {
            // Somebody waits for each write of a live copy.
            frame.rewind();
            return null;
        }
        packed = room(packed, FrameHeader.BYTES + type.payloadBytesMaximum());
        var small = packed.clear()
                .position(FrameHeader.BYTES)
                .limit(FrameHeader.BYTES + payloadBytes - payloadBytes / SAVING_DIVISOR);
        small.putInt(payloadBytes);
        boolean shrinks = compression.compress(frame.slice(FrameHeader.BYTES, payloadBytes), small);
        frame.rewind();
        return shrinks ? small.flip() : null;
    }

    private ByteBuffer[] finish(
            FrameType type, boolean compressed, ByteBuffer frame, ByteBuffer rest, int restChecksum) {
        int version = type.greets() ? ProtocolVersion.OF_GREETINGS : agreed;
        FrameHeader.write(frame.rewind(), rest.remaining(), restChecksum, version, type, compressed, nextSent++);
        return rest.hasRemaining() ? new ByteBuffer[] {frame, rest} : new ByteBuffer[] {frame};
    }

    /**
     * The message of a frame. Its buffers are views of {@code payload}, or of one that the next call overwrites.
     *
     * @param payload exactly the bytes that the header announced
     */
    public Message decode(FrameHeader header, ByteBuffer payload) throws ReplicationException {
        // First: a flipped bit in the version must not pass for a peer of another one, which no retry would help.
        boolean plainBlocks = header.type() == FrameType.BLOCKS && !header.compressed();
        int dataChecksum = header.check(payload, plainBlocks ? MessageCodec.headBytes(payload) : payload.remaining());
        if (header.version() != (header.type().greets() ? ProtocolVersion.OF_GREETINGS : agreed)) {
            throw new ReplicationException(
                    new ReplicationError.ProtocolMismatch(versions.toString(), Integer.toString(header.version())));
        }
        if (header.sequence() != nextReceived) {
            throw FrameHeader.corrupt(
                    "%s frame has number %d, %d was due".formatted(header.type(), header.sequence(), nextReceived));
        }
        nextReceived++;
        if (plainBlocks) {
            return MessageCodec.readBlocks(new PayloadReader(header.type(), payload), _ -> dataChecksum);
        }
        var message = MessageCodec.read(header.type(), header.compressed() ? unpack(header, payload) : payload);
        agree(message);
        return message;
    }

    private void agree(Message message) {
        if (message instanceof Message.Welcome welcome && versions.contains(welcome.version())) {
            agreed = welcome.version();
        }
    }

    /**
     * Leaves the buffer of the last compressed message to the caller.
     *
     * @param fresh used from now on
     */
    public ByteBuffer exchangeUnpacked(ByteBuffer fresh) {
        var kept = unpacked;
        unpacked = fresh;
        return kept;
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
        return fits ? kept : ByteBuffer.allocateDirect(bytes);
    }
}
