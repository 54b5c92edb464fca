package io.tidemark.transport;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.PeerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Optional;
import javax.net.ssl.SSLSocket;

/** Connects to sites whose key is known beforehand. */
public final class TlsPeerConnector implements PeerConnector {
    private final SiteIdentity identity;
    private final TransportLimits limits;

    public TlsPeerConnector(SiteIdentity identity, TransportLimits limits) {
        this.identity = identity;
        this.limits = limits;
    }

    @Override
    public PeerConnection connect(String address, String fingerprint) throws ReplicationException {
        var pin = new PinnedTls.Pin(Optional.of(fingerprint));
        var raw = new Socket();
        try {
            var where = PeerAddress.parse(address);
            raw.connect(
                    new InetSocketAddress(where.host(), where.port()),
                    Math.toIntExact(limits.connect().toMillis()));
            raw.setTcpNoDelay(true);
            var tls = (SSLSocket) PinnedTls.context(identity, pin)
                    .getSocketFactory()
                    .createSocket(raw, where.host(), where.port(), true);
            PinnedTls.restrict(tls, true);
            try (var deadline = new Deadline(limits.handshake(), raw)) {
                tls.startHandshake();
            }
            var connection = new SocketPeerConnection(raw, tls, fingerprint, limits.idle());
            connection.trust();
            return connection;
        } catch (IOException | IllegalArgumentException e) {
            close(raw);
            var shown = pin.shown().filter(key -> !key.equals(fingerprint));
            throw new ReplicationException(
                    shown.isPresent()
                            ? new ReplicationError.PeerNotTrusted(address, fingerprint, shown.get())
                            : new ReplicationError.PeerUnreachable(address, String.valueOf(e.getMessage())),
                    e);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
            return;
        }
    }
}
