package io.tidemark.export;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A client that speaks the protocol by its numbers, for what the installed clients do not ask. */
final class NbdClient implements AutoCloseable {
    static final int STRUCTURED = 8;
    static final int EXTENDED = 11;
    private static final int SET_CONTEXTS = 10;
    private static final int GO = 7;

    final DataInputStream in;
    final DataOutputStream out;
    private final SocketChannel socket;

    NbdClient(Path socketFile) throws IOException {
        socket = SocketChannel.open(UnixDomainSocketAddress.of(socketFile));
        in = new DataInputStream(Channels.newInputStream(socket));
        out = new DataOutputStream(Channels.newOutputStream(socket));
        in.readNBytes(18);
        out.writeInt(3);
    }

    /** Sends an option and takes its answers; says how the last one is called. */
    int option(int option, byte... data) throws IOException {
        out.writeLong(0x49484156454F5054L);
        out.writeInt(option);
        out.writeInt(data.length);
        out.write(data);
        while (true) {
            in.readNBytes(12);
            int type = in.readInt();
            in.readNBytes(in.readInt());
            if (type == 1 || type < 0) {
                return type;
            }
        }
    }

    /** With {@code base:allocation} where the replies have room for it. */
    NbdClient go(String export, int... replies) throws IOException {
        for (int reply : replies) {
            option(reply);
        }
        byte[] name = export.getBytes(StandardCharsets.US_ASCII);
        byte[] context = "base:allocation".getBytes(StandardCharsets.US_ASCII);
        if (replies.length > 0) {
            option(
                    SET_CONTEXTS,
                    ByteBuffer.allocate(12 + name.length + context.length)
                            .putInt(name.length)
                            .put(name)
                            .putInt(1)
                            .putInt(context.length)
                            .put(context)
                            .array());
        }
        if (option(
                        GO,
                        ByteBuffer.allocate(6 + name.length)
                                .putInt(name.length)
                                .put(name)
                                .array())
                != 1) {
            throw new IOException("refused");
        }
        return this;
    }

    /** With a header of 28 bytes. */
    void ask(int type, int flags, long cookie, long offset, int length, byte... payload) throws IOException {
        out.writeInt(0x25609513);
        out.writeShort(flags);
        out.writeShort(type);
        out.writeLong(cookie);
        out.writeLong(offset);
        out.writeInt(length);
        out.write(payload);
    }

    /** With a header of 32 bytes. */
    void askExtended(int type, int flags, long cookie, long offset, long length, byte... payload) throws IOException {
        out.writeInt(0x21e41c71);
        out.writeShort(flags);
        out.writeShort(type);
        out.writeLong(cookie);
        out.writeLong(offset);
        out.writeLong(length);
        out.write(payload);
    }

    /** @param type of an error 0x8001; of a simple reply its error */
    record Reply(int type, boolean done, long cookie, ByteBuffer bytes) {}

    Reply simple() throws IOException {
        expect(0x67446698);
        int error = in.readInt();
        return new Reply(error, true, in.readLong(), ByteBuffer.allocate(0));
    }

    Reply structured() throws IOException {
        expect(0x668e33ef);
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        return new Reply(type, flags == 1, cookie, ByteBuffer.wrap(in.readNBytes(in.readInt())));
    }

    Reply extended() throws IOException {
        expect(0x6e8a278c);
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        in.readLong();
        return new Reply(type, flags == 1, cookie, ByteBuffer.wrap(in.readNBytes((int) in.readLong())));
    }

    private void expect(int magic) throws IOException {
        int found = in.readInt();
        if (found != magic) {
            throw new IOException("a reply begins with %08x".formatted(found));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
