package io.tidemark.transport;

import io.tidemark.replication.port.PeerSessions;
import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections from other sites, each on a thread of its own. */
public final class PeerListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerListener.class);

    /** How long {@link #close} lets sessions end by themselves: enough to finish a batch, not a transfer. */
    private static final Duration STOP = Duration.ofSeconds(5);

    private static final Duration STOP_POLL = Duration.ofMillis(20);

    /** How long the accepting thread may take to notice that it ends: it only hands sockets over. */
    private static final Duration ACCEPT_END = Duration.ofSeconds(2);

    private static final int BACKLOG = 128;

    private final ServerSocketChannel server;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final PinnedTls context;
    private final PeerSessions sessions;
    private final TransportLimits limits;
    private final InstantSource clock;
    private final Semaphore connections;
    private final Semaphore pairings;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final FrameBuffers buffers = FrameBuffers.ofHost();
    private final ArrayDeque<Instant> unknownSeen = new ArrayDeque<>();
    private final Thread acceptor =
            Thread.ofPlatform().name("tidemark-peer-listener").daemon().unstarted(this::accept);

    private PeerListener(
            ServerSocketChannel server,
            SiteIdentity identity,
            PeerSessions sessions,
            TransportLimits limits,
            InstantSource clock)
            throws IOException {
        this.server = server;
        this.context = PinnedTls.server(identity, new PinnedTls.Pin(Optional.empty()));
        this.sessions = sessions;
        this.limits = limits;
        this.clock = clock;
        this.connections = new Semaphore(limits.connections());
        this.pairings = new Semaphore(limits.pairings());
    }

    /**
     * Listens from now on.
     *
     * @param host address to bind to
     * @param port 0 for any free one, see {@link #address}
     */
    public static PeerListener start(
            String host,
            int port,
            SiteIdentity identity,
            PeerSessions sessions,
            TransportLimits limits,
            InstantSource clock)
            throws IOException {
        var server = ServerSocketChannel.open();
        PeerListener listener;
        try {
            server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            server.bind(new InetSocketAddress(host, port), BACKLOG);
            listener = new PeerListener(server, identity, sessions, limits, clock);
        } catch (IOException e) {
            server.close();
            throw new IOException("cannot listen on %s:%d: %s".formatted(host, port, e.getMessage()), e);
        }
        listener.acceptor.start();
        return listener;
    }

    /** Where it listens, {@code host:port}. */
    public String address() {
        return new PeerAddress(
                        server.socket().getInetAddress().getHostAddress(),
                        server.socket().getLocalPort())
                .toString();
    }

    /** Takes no more connections, waits a few seconds for those there are, then ends them. */
    @Override
    public void close() {
        if (!stopped.compareAndSet(false, true)) {
            return;
        }
        shut(server);
        long until = System.nanoTime() + STOP.toNanos();
        try {
            // The kernel goes on listening for as long as a thread is inside accept.
            acceptor.join(ACCEPT_END);
            while (!open.isEmpty() && System.nanoTime() < until) {
                Thread.sleep(STOP_POLL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        open.forEach(PeerListener::shut);
        context.close();
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                var socket = server.accept();
                if (!server.isOpen()) {
                    shut(socket);
                    return;
                }
                if (!connections.tryAcquire()) {
                    LOG.warn("peer.refused reason=connections maximum={}", limits.connections());
                    shut(socket);
                    continue;
                }
                open.add(socket);
                // Not virtual: a session copies and encrypts for minutes, and must not keep others off their carriers.
                Thread.ofPlatform().name("tidemark-peer").daemon().start(() -> serve(socket));
            } catch (IOException e) {
                if (server.isOpen()) {
                    LOG.warn("peer.accept-failed reason={}", e.getMessage());
                    pause();
                }
            }
        }
    }

    /** Out of descriptors, most likely: give sessions a moment to end in place of spinning. */
    private static void pause() {
        try {
            Thread.sleep(STOP_POLL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(SocketChannel socket) {
        String from = String.valueOf(socket.socket().getRemoteSocketAddress());
        try (var tls = TlsChannel.over(socket, context::engine)) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            String fingerprint;
            try (var deadline = new Deadline(limits.handshake(), tls)) {
                fingerprint = SiteIdentity.fingerprint(tls.handshake().getPublicKey());
            }
            try (var connection = new SocketPeerConnection(tls, fingerprint, limits.idle(), buffers)) {
                if (sessions.knows(fingerprint)) {
                    connection.trust();
                    sessions.serve(connection, true);
                    connection.finish();
                } else {
                    serveUnknown(connection);
                }
            }
        } catch (IOException e) {
            LOG.info("peer.connection-failed from={} reason={}", from, e.getMessage());
        } catch (RuntimeException e) {
            // A bug of ours: it ends this connection, never the listener, and never in silence.
            LOG.error("peer.session-failed from={}", from, e);
        } finally {
            open.remove(socket);
            connections.release();
        }
    }

    private void serveUnknown(SocketPeerConnection connection) {
        if (!mayPair() || !pairings.tryAcquire()) {
            LOG.warn(
                    "peer.refused reason=pairings from={} fingerprint={}",
                    connection.peerAddress(),
                    connection.peerFingerprint());
            return;
        }
        try (var deadline = new Deadline(limits.handshake(), connection)) {
            sessions.serve(connection, false);
            connection.finish();
        } finally {
            pairings.release();
        }
    }

    private synchronized boolean mayPair() {
        var now = clock.instant();
        while (!unknownSeen.isEmpty() && unknownSeen.peekFirst().isBefore(now.minus(Duration.ofMinutes(1)))) {
            unknownSeen.pollFirst();
        }
        if (unknownSeen.size() >= limits.pairingsPerMinute()) {
            return false;
        }
        unknownSeen.addLast(now);
        return true;
    }

    private static void shut(AutoCloseable socket) {
        try {
            socket.close();
        } catch (Exception e) {
            // A socket that cannot be closed is closed.
            return;
        }
    }
}
