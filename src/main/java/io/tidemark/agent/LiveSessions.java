package io.tidemark.agent;

import io.tidemark.domain.Peer;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;

/** Serves peers that connect for a live link. */
public interface LiveSessions {
    /** Of a site without live links. */
    LiveSessions NONE = (connection, peer) -> {
        throw new ReplicationException(
                new ReplicationError.PeerRefused("no-live-links", "this site replicates nothing live"));
    };

    /** Returns at the session's end. */
    void serve(PeerConnection connection, Peer peer) throws ReplicationException;
}
