package io.tidemark.system.live;

import io.tidemark.export.protocol.ClientSide;
import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.Request;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** A client of one export, one request at a time. A request that fails has been done or not. */
final class NbdClient implements AutoCloseable {
    private final SocketChannel socket;
    private final DataInputStream in;
    private long cookie;

    NbdClient(Path file, String export) throws IOException {
        socket = SocketChannel.open(UnixDomainSocketAddress.of(file));
        in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(socket)));
        boolean isOpen = false;
        try {
            ClientSide.greeted(in);
            send(ClientSide.wish(export));
            ClientSide.granted(in);
            isOpen = true;
        } catch (NbdException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            if (!isOpen) {
                socket.close();
            }
        }
    }

    void write(long offset, byte[] bytes) throws IOException {
        ask(Request.WRITE, offset, bytes.length, bytes);
    }

    byte[] read(long offset, int length) throws IOException {
        ask(Request.READ, offset, length, new byte[0]);
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }

    void flush() throws IOException {
        ask(Request.FLUSH, 0, 0, new byte[0]);
    }

    private void ask(int type, long offset, int length, byte[] payload) throws IOException {
        long mine = ++cookie;
        send(ClientSide.header(new Request(0, type, mine, offset, length, payload.length)));
        send(ByteBuffer.wrap(payload));
        try {
            var reply = ClientSide.reply(in);
            if (reply.cookie() != mine || reply.error() != 0) {
                throw new IOException("request %d of type %d ended with error %d".formatted(mine, type, reply.error()));
            }
        } catch (NbdException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void send(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
