package io.tidemark.transport;

import io.tidemark.replication.port.PeerSessions;
import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections from other sites, each on a virtual thread of its own. */
public final class PeerListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerListener.class);

    /** How long {@link #close} lets sessions end by themselves: enough to finish a batch, not a transfer. */
    private static final Duration STOP = Duration.ofSeconds(5);

    private static final Duration STOP_POLL = Duration.ofMillis(20);

    /** How long the accepting thread may take to notice that it ends: it only hands sockets over. */
    private static final Duration ACCEPT_END = Duration.ofSeconds(2);

    private static final int BACKLOG = 128;

    private final ServerSocket server;
    private final SSLContext context;
    private final PeerSessions sessions;
    private final TransportLimits limits;
    private final InstantSource clock;
    private final Semaphore connections;
    private final Semaphore pairings;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final ArrayDeque<Instant> unknownSeen = new ArrayDeque<>();
    private final Thread acceptor =
            Thread.ofPlatform().name("tidemark-peer-listener").daemon().unstarted(this::accept);

    private PeerListener(
            ServerSocket server,
            SiteIdentity identity,
            PeerSessions sessions,
            TransportLimits limits,
            InstantSource clock) {
        this.server = server;
        this.context = PinnedTls.context(identity, new PinnedTls.Pin(Optional.empty()));
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
        var server = new ServerSocket();
        try {
            server.setReuseAddress(true);
            server.bind(new InetSocketAddress(host, port), BACKLOG);
        } catch (IOException e) {
            server.close();
            throw new IOException("cannot listen on %s:%d: %s".formatted(host, port, e.getMessage()), e);
        }
        var listener = new PeerListener(server, identity, sessions, limits, clock);
        listener.acceptor.start();
        return listener;
    }

    /** Where it listens, {@code host:port}. */
    public String address() {
        return new PeerAddress(server.getInetAddress().getHostAddress(), server.getLocalPort()).toString();
    }

    /** Takes no more connections, waits a few seconds for those there are, then ends them. */
    @Override
    public void close() {
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
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var socket = server.accept();
                if (server.isClosed()) {
                    shut(socket);
                    return;
                }
                if (!connections.tryAcquire()) {
                    LOG.warn("peer.refused reason=connections maximum={}", limits.connections());
                    shut(socket);
                    continue;
                }
                open.add(socket);
                Thread.ofVirtual().name("tidemark-peer").start(() -> serve(socket));
            } catch (IOException e) {
                if (!server.isClosed()) {
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

    private void serve(Socket raw) {
        try (raw) {
            raw.setTcpNoDelay(true);
            var tls = (SSLSocket) context.getSocketFactory().createSocket(raw, null, true);
            PinnedTls.restrict(tls, false);
            String fingerprint;
            try (var deadline = new Deadline(limits.handshake(), raw)) {
                raw.setSoTimeout(Math.toIntExact(limits.handshake().toMillis()));
                tls.startHandshake();
                fingerprint = SiteIdentity.fingerprint(
                        tls.getSession().getPeerCertificates()[0].getPublicKey());
            }
            var connection = new SocketPeerConnection(raw, tls, fingerprint, limits.idle());
            if (sessions.knows(fingerprint)) {
                connection.trust();
                sessions.serve(connection, true);
                connection.finish();
            } else {
                serveUnknown(connection, raw);
            }
        } catch (IOException e) {
            LOG.info("peer.connection-failed from={} reason={}", raw.getRemoteSocketAddress(), e.getMessage());
        } catch (RuntimeException e) {
            // A bug of ours: it ends this connection, never the listener, and never in silence.
            LOG.error("peer.session-failed from={}", raw.getRemoteSocketAddress(), e);
        } finally {
            open.remove(raw);
            connections.release();
        }
    }

    private void serveUnknown(SocketPeerConnection connection, Socket raw) {
        if (!mayPair() || !pairings.tryAcquire()) {
            LOG.warn(
                    "peer.refused reason=pairings from={} fingerprint={}",
                    connection.peerAddress(),
                    connection.peerFingerprint());
            return;
        }
        try (var deadline = new Deadline(limits.handshake(), raw)) {
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
