package io.tidemark.provider.zfs;

import io.tidemark.provider.zfs.ZfsRecord.Beginning;
import io.tidemark.spi.ProviderException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Lets a stream through as it comes, in pieces of any size, but for its last record, with which ZFS makes the
 * snapshot: that is kept until it is known that nothing comes behind it, and that it is wanted.
 */
final class StreamGate {
    /** As much as a pipe holds. */
    static final int CHUNK_BYTES = 64 << 10;

    private final Way way;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private final ZfsRecord record = new ZfsRecord();
    private final ByteBuffer filling = record.bytes.duplicate();
    private long payloadLeft;
    private boolean begun;
    private boolean ended;
    private long toGuid;
    private long seenBytes;

    /** Where the bytes go. */
    interface Way {
        /** Before the first bytes. */
        void begin(Beginning beginning) throws IOException, ProviderException;

        void take(byte[] bytes, int offset, int length) throws ProviderException;
    }

    StreamGate(Way way) {
        this.way = way;
    }

    /** @throws IOException where the bytes are no stream of one snapshot */
    void write(ByteBuffer from) throws IOException, ProviderException {
        while (from.hasRemaining()) {
            if (ended) {
                throw new IOException("the stream goes on behind its end, at byte " + seenBytes);
            }
            seenBytes += payloadLeft > 0 ? payload(from) : header(from);
        }
    }

    private int payload(ByteBuffer from) throws ProviderException {
        int length = (int) Math.min(Math.min(payloadLeft, from.remaining()), CHUNK_BYTES);
        from.get(chunk, 0, length);
        way.take(chunk, 0, length);
        payloadLeft -= length;
        return length;
    }

    private int header(ByteBuffer from) throws IOException, ProviderException {
        int length = Math.min(filling.remaining(), from.remaining());
        filling.put(from.slice(from.position(), length));
        from.position(from.position() + length);
        if (!filling.hasRemaining()) {
            filling.clear();
            whole();
        }
        return length;
    }

    private void whole() throws IOException, ProviderException {
        if (!begun) {
            var beginning = record.beginning();
            way.begin(beginning);
            toGuid = beginning.toGuid();
            begun = true;
        } else if (record.type() == ZfsRecord.BEGIN) {
            throw new IOException("a second stream begins within the first, at byte " + seenBytes);
        }
        payloadLeft = record.payloadBytes();
        if (record.type() == ZfsRecord.END) {
            ended = true;
        } else {
            way.take(record.bytes.array(), 0, ZfsRecord.BYTES);
        }
    }

    /**
     * The last record, at the end of what came.
     *
     * @throws IOException where that is not the stream's end
     */
    byte[] last() throws IOException {
        if (!ended) {
            throw new EOFException("the stream ended early, after %d bytes".formatted(seenBytes));
        }
        if (record.endOf() != toGuid) {
            throw new IOException("it begins as guid %s and ends as guid %s"
                    .formatted(Long.toUnsignedString(toGuid), Long.toUnsignedString(record.endOf())));
        }
        return Arrays.copyOf(record.bytes.array(), ZfsRecord.BYTES);
    }
}
