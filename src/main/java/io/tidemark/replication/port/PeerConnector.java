package io.tidemark.replication.port;

import io.tidemark.replication.ReplicationException;

/** Reaches other sites. */
public interface PeerConnector {

    /**
     * @param address {@code host:port}
     * @param fingerprint what the peer's key must be
     * @throws ReplicationException PeerUnreachable, PeerNotTrusted
     */
    PeerConnection connect(String address, String fingerprint) throws ReplicationException;
}
