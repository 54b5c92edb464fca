package io.tidemark.export;

import io.tidemark.export.protocol.ClientSide;
import io.tidemark.export.protocol.NbdException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One connection to an NBD server at a unix socket, past its handshake. One thread reads, one at a time writes. */
final class RemoteConnection implements AutoCloseable {
    /** A server that is overwhelmed or stopped does not answer; another attempt follows. */
    private static final Duration HANDSHAKE_LIMIT = Duration.ofSeconds(5);

    private static final int BUFFER_BYTES = 64 << 10;

    private final SocketChannel socket;
    private final DataInputStream in;
    private final ClientSide.Told told;

    private RemoteConnection(SocketChannel socket, DataInputStream in, ClientSide.Told told) {
        this.socket = socket;
        this.in = in;
        this.told = told;
    }

    /** @throws IOException where nobody listens there, or the export is not there */
    static RemoteConnection open(Path file, String export) throws IOException {
        var socket = SocketChannel.open(UnixDomainSocketAddress.of(file));
        var met = new CountDownLatch(1);
        Thread.ofVirtual().name("tidemark-attach-deadline").start(() -> closeUnless(met, socket));
        try {
            var in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(socket), BUFFER_BYTES));
            ClientSide.greeted(in);
            write(socket, ClientSide.wish(export));
            return new RemoteConnection(socket, in, ClientSide.granted(in));
        } catch (IOException | NbdException e) {
            socket.close();
            throw new IOException("export %s at %s: %s".formatted(export, file, e.getMessage()), e);
        } finally {
            met.countDown();
        }
    }

    private static void closeUnless(CountDownLatch met, SocketChannel socket) {
        try {
            if (!met.await(HANDSHAKE_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                socket.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
            return;
        }
    }

    ClientSide.Told told() {
        return told;
    }

    void send(ByteBuffer bytes) throws IOException {
        write(socket, bytes);
    }

    private static void write(SocketChannel socket, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
    }

    ClientSide.Reply reply() throws IOException {
        try {
            return ClientSide.reply(in);
        } catch (NbdException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    byte[] bytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
        }
    }
}
