package io.tidemark.system.live;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The line between two sites, which passes on what it is given until it is told to cut, stall, delay or keep to a rate: in
 * user space, for not every kernel has netem.
 */
public final class FaultyLine implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final Duration STALL_POLL = Duration.ofMillis(5);

    private final ServerSocket server;
    private final InetSocketAddress to;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean isCut;
    private volatile boolean isStalledThere;
    private volatile boolean isStalledBack;
    private volatile Duration delay = Duration.ZERO;
    private volatile long bytesPerSecond = Long.MAX_VALUE;
    private final AtomicLong passed = new AtomicLong();

    /**
     * @param host on which it listens
     * @param to where all goes; the port is that of both
     */
    public FaultyLine(String host, InetSocketAddress to) throws IOException {
        this.to = to;
        server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(InetAddress.getByName(host), to.getPort()));
        Thread.ofPlatform().name("faulty-line").daemon().start(this::accept);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var socket = server.accept();
                if (isCut) {
                    socket.close();
                } else {
                    open.add(socket);
                    Thread.ofPlatform().daemon().start(() -> pass(socket));
                }
            } catch (IOException e) {
                if (server.isClosed()) {
                    return;
                }
            }
        }
    }

    private void pass(Socket from) {
        try (from;
                var other = new Socket()) {
            open.add(other);
            other.connect(to);
            from.setTcpNoDelay(true);
            other.setTcpNoDelay(true);
            var back = Thread.ofPlatform().daemon().start(() -> copy(other, from, false));
            copy(from, other, true);
            back.join();
        } catch (IOException e) {
            // The site is not there.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(from);
        }
    }

    private void copy(Socket from, Socket into, boolean isThere) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            var in = from.getInputStream();
            var out = into.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                while ((isThere ? isStalledThere : isStalledBack) && !from.isClosed()) {
                    Thread.sleep(STALL_POLL);
                }
                if (!delay.isZero()) {
                    Thread.sleep(delay);
                }
                slowDown(count);
                out.write(buffer, 0, count);
                passed.addAndGet(count);
            }
            into.shutdownOutput();
        } catch (IOException e) {
            // One of the two has gone: so does the other.
            end(from);
            end(into);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(into);
        }
    }

    private void slowDown(int bytes) throws InterruptedException {
        long most = bytesPerSecond;
        if (most != Long.MAX_VALUE) {
            TimeUnit.NANOSECONDS.sleep(Duration.ofSeconds(1).toNanos() * bytes / most);
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends all connections, and refuses new ones. */
    public void cut() throws IOException {
        isCut = true;
        for (var socket : open) {
            socket.close();
        }
    }

    /** Nothing arrives any more, and nobody is told. */
    void stall(boolean isThere, boolean isBack) {
        isStalledThere = isThere;
        isStalledBack = isBack;
    }

    /** Of each piece in each direction. */
    void delay(Duration each) {
        delay = each;
    }

    /** Passes on so many bytes a second at most, of each connection in each direction; {@link #heal} takes it back. */
    public void rate(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    /** In both directions, since it was made. */
    public long passedBytes() {
        return passed.get();
    }

    public void heal() {
        isCut = false;
        bytesPerSecond = Long.MAX_VALUE;
        isStalledThere = false;
        isStalledBack = false;
        delay = Duration.ZERO;
    }

    @Override
    public void close() throws IOException {
        server.close();
        heal();
        cut();
    }
}
