package io.tidemark.live;

import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The line between two hosts: it can be cut, which both hear of, and can go silent, which nobody hears of. */
final class CutRelay implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5_000;

    private final ServerSocket server;
    private final PeerAddress to;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean isCut;
    private volatile boolean isStalled;
    /** Bytes of both directions. */
    final AtomicLong bytes = new AtomicLong();

    final AtomicInteger connections = new AtomicInteger();

    CutRelay(String to) throws IOException {
        this.to = PeerAddress.parse(to);
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    void cut() throws IOException {
        isCut = true;
        closeAll();
    }

    void stall() {
        isStalled = true;
    }

    /** What was under way while it was silent never arrives. */
    void mend() throws IOException {
        closeAll();
        isCut = false;
        isStalled = false;
    }

    private void closeAll() throws IOException {
        for (var socket : open) {
            socket.close();
        }
        open.clear();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var from = server.accept();
                connections.incrementAndGet();
                if (isCut) {
                    from.close();
                    continue;
                }
                open.add(from);
                var onward = new Socket();
                open.add(onward);
                onward.connect(new InetSocketAddress(to.host(), to.port()), CONNECT_MILLIS);
                Thread.ofVirtual().start(() -> pass(from, onward));
                Thread.ofVirtual().start(() -> pass(onward, from));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    private void pass(Socket from, Socket onward) {
        byte[] buffer = new byte[64 << 10];
        try {
            for (int read = from.getInputStream().read(buffer);
                    read >= 0;
                    read = from.getInputStream().read(buffer)) {
                if (!isStalled) {
                    bytes.addAndGet(read);
                    onward.getOutputStream().write(buffer, 0, read);
                }
            }
            if (!isStalled) {
                onward.shutdownOutput();
            }
            if (from.isOutputShutdown()) {
                end(from, onward);
            }
        } catch (IOException e) {
            end(from, onward);
        }
    }

    private void end(Socket from, Socket onward) {
        try (from;
                onward) {
            open.removeAll(Set.of(from, onward));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        closeAll();
    }
}
