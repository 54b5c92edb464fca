package io.tidemark.agent;

import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Between an agent and its controller; once it stalls nothing passes any more, and nobody is told: a cut cable. */
final class StallingRelay implements AutoCloseable {
    private final ServerSocket server;
    private final PeerAddress controller;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    volatile boolean stalled;

    StallingRelay(String controller) throws IOException {
        this.controller = PeerAddress.parse(controller);
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var from = server.accept();
                open.add(from);
                var to = new Socket();
                open.add(to);
                to.connect(new InetSocketAddress(controller.host(), controller.port()), 5_000);
                Thread.ofVirtual().start(() -> pass(from, to));
                Thread.ofVirtual().start(() -> pass(to, from));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    private void pass(Socket from, Socket to) {
        byte[] bytes = new byte[16 << 10];
        try (from;
                to) {
            for (int read = from.getInputStream().read(bytes);
                    read >= 0;
                    read = from.getInputStream().read(bytes)) {
                if (!stalled) {
                    to.getOutputStream().write(bytes, 0, read);
                }
            }
            while (stalled && !server.isClosed()) {
                // A cut cable brings no end of a connection either.
                Thread.sleep(50);
            }
        } catch (IOException e) {
            open.remove(from);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (var socket : open) {
            socket.close();
        }
    }
}
