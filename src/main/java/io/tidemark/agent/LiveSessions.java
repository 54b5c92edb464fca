package io.tidemark.agent;

import io.tidemark.domain.Peer;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.spi.VolumeId;

/** Serves peers that connect for a live link. */
public interface LiveSessions {
    /** Of a site without live links. */
    LiveSessions NONE = (connection, peer) -> {
        throw new ReplicationException(
                new ReplicationError.PeerRefused("no-live-links", "this site replicates nothing live"));
    };

    /** Returns at the session's end. */
    void serve(PeerConnection connection, Peer peer) throws ReplicationException;

    /** @throws ReplicationException PeerRefused where the volume is a live link's, which alone writes it */
    default void refuseLive(VolumeId volume) throws ReplicationException {}
}
