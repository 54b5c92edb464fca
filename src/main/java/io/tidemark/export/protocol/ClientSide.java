package io.tidemark.export.protocol;

import java.io.DataInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a client says and understands: the fixed newstyle handshake without options but the export's name, simple replies. */
public final class ClientSide {
    /** Of a request without its payload. */
    public static final int HEADER_BYTES = 28;

    private static final int GREETING_FLAGS_BYTES = 2;
    private static final int OPTION_REPLIES_MAXIMUM = 64;

    private ClientSide() {}

    /**
     * What a server says of an export.
     *
     * @param flags as {@code doc/proto.md} numbers transmission flags
     */
    public record Told(long sizeBytes, int flags) {
        public boolean writable() {
            return (flags & Nbd.FLAG_READ_ONLY) == 0;
        }

        /** Whether a client of the earlier one finds the same size and access, and all that it was offered. */
        public boolean replaces(Told earlier) {
            return sizeBytes == earlier.sizeBytes && writable() == earlier.writable() && (earlier.flags & ~flags) == 0;
        }
    }

    /**
     * An answer to a request.
     *
     * @param error 0 where it was done
     */
    public record Reply(long cookie, int error) {}

    /** Takes a server's first words. */
    public static void greeted(DataInput in) throws IOException, NbdException {
        if (in.readLong() != Nbd.SERVER_MAGIC || in.readLong() != Nbd.OPTION_MAGIC) {
            throw new NbdException("this is no NBD server");
        }
        in.skipBytes(GREETING_FLAGS_BYTES);
    }

    /** Asks for an export, by name, in answer to the greeting. */
    public static ByteBuffer wish(String export) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        int length = Integer.BYTES + name.length + Short.BYTES;
        return ByteBuffer.allocate(20 + length)
                .putInt(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES)
                .putLong(Nbd.OPTION_MAGIC)
                .putInt(Nbd.OPTION_GO)
                .putInt(length)
                .putInt(name.length)
                .put(name)
                .putShort((short) 0)
                .flip();
    }

    /** @throws NbdException where the export is refused, or not there */
    public static Told granted(DataInput in) throws IOException, NbdException {
        Told told = null;
        for (int count = 0; count < OPTION_REPLIES_MAXIMUM; count++) {
            if (in.readLong() != Nbd.OPTION_REPLY_MAGIC) {
                throw new NbdException("an answer to an option does not begin as it must");
            }
            in.readInt();
            int type = in.readInt();
            int length = in.readInt();
            if (length < 0 || length > NbdLimits.OPTION_BYTES_MAXIMUM) {
                throw new NbdException("an answer to an option has %d bytes".formatted(length));
            }
            byte[] data = new byte[length];
            in.readFully(data);
            if (type == Nbd.REPLY_ACK && told != null) {
                return told;
            }
            if (type != Nbd.REPLY_INFO) {
                throw new NbdException(
                        "the export is refused (%08x): %s".formatted(type, new String(data, StandardCharsets.UTF_8)));
            }
            var info = ByteBuffer.wrap(data);
            if (length >= 12 && info.getShort() == Nbd.INFO_EXPORT) {
                told = new Told(info.getLong(), Short.toUnsignedInt(info.getShort()));
            }
        }
        throw new NbdException("more than %d answers to one option".formatted(OPTION_REPLIES_MAXIMUM));
    }

    /** A request's header. */
    public static ByteBuffer header(Request request) {
        return ByteBuffer.allocate(HEADER_BYTES)
                .putInt(Nbd.REQUEST_MAGIC)
                .putShort((short) request.flags())
                .putShort((short) request.type())
                .putLong(request.cookie())
                .putLong(request.offsetBytes())
                .putInt((int) request.lengthBytes())
                .flip();
    }

    /** The next answer; bytes of a {@code READ} that was done follow it. */
    public static Reply reply(DataInput in) throws IOException, NbdException {
        int magic = in.readInt();
        if (magic != Nbd.SIMPLE_REPLY_MAGIC) {
            throw new NbdException("an answer begins with %08x".formatted(magic));
        }
        int error = in.readInt();
        return new Reply(in.readLong(), error);
    }

    /** Flags of a {@code WRITE_ZEROES} that keeps its space. */
    public static int noHole() {
        return Nbd.COMMAND_NO_HOLE;
    }
}
