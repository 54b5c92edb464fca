package io.tidemark.provider.devices;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** The attributes of one command of a Btrfs stream: type, length, value ({@code enum btrfs_send_attr}). */
public final class SendAttributes {
    public static final int IDENTITY = 1;
    public static final int TRANSACTION = 2;
    public static final int SIZE = 4;
    public static final int PATH = 15;
    public static final int PATH_TO = 16;
    public static final int PATH_LINK = 17;
    public static final int FILE_OFFSET = 18;
    public static final int DATA = 19;
    public static final int CLONE_UUID = 20;
    public static final int CLONE_TRANSACTION = 21;
    public static final int CLONE_PATH = 22;
    public static final int CLONE_LENGTH = 24;
    public static final int UNENCODED_FILE_LENGTH = 27;

    private static final int HEADER_BYTES = 4;
    private static final int TYPE_BYTES = 2;
    private static final int UUID_BYTES = 16;

    /** From this version on, data is the last attribute and has no length of its own. */
    private static final int VERSION_OF_OPEN_DATA = 2;

    private final byte[] body;
    private final Map<Integer, Value> values;

    /** Where in the command's body. */
    private record Value(int at, int length) {}

    private SendAttributes(byte[] body, Map<Integer, Value> values) {
        this.body = body;
        this.values = values;
    }

    /** @throws IOException where one ends early, or comes twice */
    public static SendAttributes of(byte[] body, int version) throws IOException {
        var values = new HashMap<Integer, Value>();
        var buffer = SendFraming.little(body);
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
            if (values.put(type, new Value(buffer.position(), length)) != null) {
                throw new IOException("attribute %d comes twice".formatted(type));
            }
            buffer.position(buffer.position() + length);
        }
        return new SendAttributes(body, values);
    }

    public boolean isOn(String path) {
        return path.equals(text(PATH));
    }

    public boolean namesAsTarget(String path) {
        return path.equals(text(PATH_TO));
    }

    /** Empty where there is none. */
    public String text(int type) {
        var value = values.getOrDefault(type, new Value(0, 0));
        return new String(body, value.at, value.length, StandardCharsets.UTF_8);
    }

    public long number(int type) throws IOException {
        return SendFraming.little(body).getLong(place(type, Long.BYTES, "number"));
    }

    public UUID uuid(int type) throws IOException {
        var bytes = ByteBuffer.wrap(body, place(type, UUID_BYTES, "UUID"), UUID_BYTES);
        return new UUID(bytes.getLong(), bytes.getLong());
    }

    private int place(int type, int length, String what) throws IOException {
        var value = values.get(type);
        if (value == null || value.length != length) {
            throw new IOException("command lacks the %s %d".formatted(what, type));
        }
        return value.at;
    }

    public int length(int type) throws IOException {
        var value = values.get(type);
        if (value == null) {
            throw new IOException("command lacks the attribute %d".formatted(type));
        }
        return value.length;
    }

    /** The command's body with another UUID in place of one that it has. */
    public byte[] with(int type, UUID value) throws IOException {
        var changed = body.clone();
        ByteBuffer.wrap(changed)
                .position(place(type, UUID_BYTES, "UUID"))
                .putLong(value.getMostSignificantBits())
                .putLong(value.getLeastSignificantBits());
        return changed;
    }

    /** Makes the body of a command. */
    public static final class Writer {
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();

        public Writer add(int type, byte[] value) {
            body.writeBytes(SendFraming.little(new byte[HEADER_BYTES])
                    .putShort((short) type)
                    .putShort((short) value.length)
                    .array());
            body.writeBytes(value);
            return this;
        }

        public Writer add(int type, long value) {
            return add(
                    type,
                    SendFraming.little(new byte[Long.BYTES]).putLong(value).array());
        }

        public Writer add(int type, UUID value) {
            return add(
                    type,
                    ByteBuffer.allocate(UUID_BYTES)
                            .putLong(value.getMostSignificantBits())
                            .putLong(value.getLeastSignificantBits())
                            .array());
        }

        /** Data as it is from version 2 on: the last attribute, without a length of its own. */
        public Writer openData(byte[] value) {
            body.writeBytes(SendFraming.little(new byte[TYPE_BYTES])
                    .putShort((short) DATA)
                    .array());
            body.writeBytes(value);
            return this;
        }

        public byte[] bytes() {
            return body.toByteArray();
        }
    }
}
