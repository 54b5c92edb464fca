package io.tidemark.replication.protocol;

import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Takes fields from a payload; whatever is not there or not allowed is a CorruptFrame that names the field. */
final class PayloadReader {
    private final FrameType type;
    private final ByteBuffer payload;

    PayloadReader(FrameType type, ByteBuffer payload) {
        this.type = type;
        this.payload = payload;
    }

    int int32(String field) throws ReplicationException {
        need(field, Integer.BYTES);
        return payload.getInt();
    }

    /** An int of 0 to {@code maximum}. */
    int count(String field, int maximum) throws ReplicationException {
        int value = int32(field);
        if (value < 0 || value > maximum) {
            throw corrupt(field, "is %d, 0 to %d allowed".formatted(Integer.toUnsignedLong(value), maximum));
        }
        return value;
    }

    /** A long of 0 or more. */
    long size(String field) throws ReplicationException {
        need(field, Long.BYTES);
        long value = payload.getLong();
        if (value < 0) {
            throw corrupt(field, "is negative: " + value);
        }
        return value;
    }

    boolean flag(String field) throws ReplicationException {
        need(field, 1);
        byte value = payload.get();
        if (value != 0 && value != 1) {
            throw corrupt(field, "is %d, 0 or 1 allowed".formatted(value));
        }
        return value == 1;
    }

    String text(String field) throws ReplicationException {
        int length = count(field, payload.limit());
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(bytes(field, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw corrupt(field, "is not UTF-8");
        }
    }

    /** A text that must be an id. */
    <T> T id(String field, Function<String, T> parse) throws ReplicationException {
        String text = text(field);
        try {
            return parse.apply(text);
        } catch (IllegalArgumentException e) {
            throw corrupt(field, String.valueOf(e.getMessage()));
        }
    }

    /** A view, not a copy. */
    ByteBuffer bytes(String field, int length) throws ReplicationException {
        need(field, length);
        var view = payload.slice(payload.position(), length);
        payload.position(payload.position() + length);
        return view;
    }

    ByteBuffer rest() {
        var view = payload.slice();
        payload.position(payload.limit());
        return view;
    }

    void end() throws ReplicationException {
        if (payload.hasRemaining()) {
            throw corrupt("end", "has %d bytes after it".formatted(payload.remaining()));
        }
    }

    ReplicationException corrupt(String field, String what) {
        return FrameHeader.corrupt("%s frame: %s %s".formatted(type, field, what));
    }

    private void need(String field, int bytes) throws ReplicationException {
        if (payload.remaining() < bytes) {
            throw corrupt(field, "needs %d bytes, %d left".formatted(bytes, payload.remaining()));
        }
    }
}
