package io.tidemark.provider.devices;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What every Btrfs send stream is made of, whatever its commands mean: an opening with the version, then commands, each
 * with a checksum of its own.
 *
 * <p>Source: Linux, {@code fs/btrfs/send.h} (header, commands, attributes).
 */
public final class SendFraming {
    /** Magic and version. */
    public static final int OPENING_BYTES = 17;

    /** Length of the body, code, checksum. */
    public static final int HEADER_BYTES = 10;

    /** Version 3 added commands that readers refuse by number; the layout is the same. */
    public static final int VERSION_MAXIMUM = 3;

    /** Without data a command holds two paths of 4 KiB and a few numbers; with data 64 KiB, or 128 KiB encoded. */
    public static final int COMMAND_BYTES_MAXIMUM = 1 << 20;

    private static final byte[] MAGIC = "btrfs-stream\0".getBytes(StandardCharsets.US_ASCII);

    private SendFraming() {}

    /** @param checksum over the whole command, with zeros in its own place */
    public record Header(int lengthBytes, int code, int checksum) {

        /** @throws IOException where the command is not what was sent */
        public void check(byte[] body) throws IOException {
            if (SendChecksum.of(bytes(lengthBytes, code, 0), body) != checksum) {
                throw new IOException("wrong checksum of command %d".formatted(code));
            }
        }
    }

    /** @throws IOException where it is none of a Btrfs stream, or of a version that is not known */
    public static int version(byte[] opening) throws IOException {
        if (opening.length != OPENING_BYTES || !Arrays.equals(Arrays.copyOf(opening, MAGIC.length), MAGIC)) {
            throw new IOException("not a btrfs stream: %d bytes of another kind".formatted(opening.length));
        }
        int version = little(opening).getInt(MAGIC.length);
        if (version < 1 || version > VERSION_MAXIMUM) {
            throw new IOException(
                    "btrfs stream version %d, this version reads 1 to %d".formatted(version, VERSION_MAXIMUM));
        }
        return version;
    }

    /** @throws IOException where the command is longer than any */
    public static Header header(byte[] bytes) throws IOException {
        var fields = little(bytes);
        int length = fields.getInt();
        int code = Short.toUnsignedInt(fields.getShort());
        if (length < 0 || length > COMMAND_BYTES_MAXIMUM) {
            throw new IOException("command %d has %d bytes, at most %d allowed"
                    .formatted(code, Integer.toUnsignedLong(length), COMMAND_BYTES_MAXIMUM));
        }
        return new Header(length, code, fields.getInt());
    }

    public static byte[] opening(int version) {
        return little(Arrays.copyOf(MAGIC, OPENING_BYTES))
                .putInt(MAGIC.length, version)
                .array();
    }

    /** A whole command, header included. */
    public static byte[] command(int code, byte[] body) {
        int checksum = SendChecksum.of(bytes(body.length, code, 0), body);
        var whole = Arrays.copyOf(bytes(body.length, code, checksum), HEADER_BYTES + body.length);
        System.arraycopy(body, 0, whole, HEADER_BYTES, body.length);
        return whole;
    }

    private static byte[] bytes(int lengthBytes, int code, int checksum) {
        return little(new byte[HEADER_BYTES])
                .putInt(lengthBytes)
                .putShort((short) code)
                .putInt(checksum)
                .array();
    }

    static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
