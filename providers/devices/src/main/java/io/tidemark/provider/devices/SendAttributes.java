package io.tidemark.provider.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The attributes of one command of a Btrfs stream: type, length, value ({@code enum btrfs_send_attr}). */
final class SendAttributes {
    static final int SIZE = 4;
    static final int PATH = 15;
    static final int PATH_TO = 16;
    static final int FILE_OFFSET = 18;
    static final int DATA = 19;
    static final int CLONE_LENGTH = 24;
    static final int UNENCODED_FILE_LENGTH = 27;

    private static final int HEADER_BYTES = 4;
    private static final int TYPE_BYTES = 2;

    /** From this version on, data is the last attribute and has no length of its own. */
    private static final int VERSION_OF_OPEN_DATA = 2;

    private final Map<Integer, byte[]> values;

    private SendAttributes(Map<Integer, byte[]> values) {
        this.values = values;
    }

    static SendAttributes of(byte[] body, int version) throws IOException {
        var values = new HashMap<Integer, byte[]>();
        var buffer = SendStream.little(body);
        while (buffer.hasRemaining()) {
            if (buffer.remaining() < TYPE_BYTES) {
                throw new IOException("attribute ends early");
            }
            int type = Short.toUnsignedInt(buffer.getShort());
            boolean open = type == DATA && version >= VERSION_OF_OPEN_DATA;
            if (!open && buffer.remaining() < HEADER_BYTES - TYPE_BYTES) {
                throw new IOException("attribute %d ends early".formatted(type));
            }
            int length = open ? buffer.remaining() : Short.toUnsignedInt(buffer.getShort());
            if (length > buffer.remaining()) {
                throw new IOException("attribute %d has %d bytes, %d left".formatted(type, length, buffer.remaining()));
            }
            int start = buffer.position();
            values.put(type, Arrays.copyOfRange(body, start, start + length));
            buffer.position(start + length);
        }
        return new SendAttributes(values);
    }

    boolean isOn(String path) {
        return path.equals(text(PATH));
    }

    boolean namesAsTarget(String path) {
        return path.equals(text(PATH_TO));
    }

    private String text(int type) {
        return new String(values.getOrDefault(type, new byte[0]), StandardCharsets.UTF_8);
    }

    long number(int type) throws IOException {
        var value = values.get(type);
        if (value == null || value.length != Long.BYTES) {
            throw new IOException("command lacks the number %d".formatted(type));
        }
        return SendStream.little(value).getLong();
    }

    int length(int type) throws IOException {
        var value = values.get(type);
        if (value == null) {
            throw new IOException("command lacks the attribute %d".formatted(type));
        }
        return value.length;
    }
}
