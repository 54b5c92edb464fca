package io.tidemark.transport;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** Connects to sites whose key is known beforehand. */
public final class TlsPeerConnector implements PeerConnector {
    private final SiteIdentity identity;
    private final TransportLimits limits;
    private final FrameBuffers buffers = FrameBuffers.ofHost();

    public TlsPeerConnector(SiteIdentity identity, TransportLimits limits) {
        this.identity = identity;
        this.limits = limits;
    }

    @Override
    public PeerConnection connect(String address, String fingerprint) throws ReplicationException {
        var pin = new PinnedTls.Pin(Optional.of(fingerprint));
        try (var context = PinnedTls.client(identity, pin)) {
            var where = PeerAddress.parse(address);
            return connect(where, fingerprint, context);
        } catch (IOException | IllegalArgumentException e) {
            var shown = pin.shown().filter(key -> !key.equals(fingerprint));
            throw new ReplicationException(
                    shown.isPresent()
                            ? new ReplicationError.PeerNotTrusted(address, fingerprint, shown.get())
                            : new ReplicationError.PeerUnreachable(address, reason(e)),
                    e);
        }
    }

    private PeerConnection connect(PeerAddress where, String fingerprint, PinnedTls context) throws IOException {
        PeerConnection made = null;
        var socket = SocketChannel.open();
        try {
            socket.socket()
                    .connect(
                            new InetSocketAddress(where.host(), where.port()),
                            Math.toIntExact(limits.connect().toMillis()));
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            made = shakeHands(TlsChannel.over(socket, context::engine), fingerprint);
            return made;
        } finally {
            if (made == null) {
                socket.close();
            }
        }
    }

    private PeerConnection shakeHands(TlsChannel tls, String fingerprint) throws IOException {
        SocketPeerConnection made = null;
        try (var deadline = new Deadline(limits.handshake(), tls)) {
            tls.handshake();
            made = new SocketPeerConnection(tls, fingerprint, limits.idle(), buffers);
            made.trust();
            return made;
        } finally {
            if (made == null) {
                tls.close();
            }
        }
    }

    private static String reason(Exception failure) {
        return failure instanceof ClosedChannelException
                ? "no TLS connection within its limit"
                : String.valueOf(failure.getMessage());
    }
}
