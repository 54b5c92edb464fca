package io.tidemark.control;

import io.tidemark.agent.Pairing;
import io.tidemark.control.port.PeerStore;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;
import java.time.Duration;

/** Makes a one-time token for another site. */
public final class InvitePeer {
    private final PeerStore peers;
    private final Pairing pairing;

    InvitePeer(PeerStore peers, Pairing pairing) {
        this.peers = peers;
        this.pairing = pairing;
    }

    /** @throws ControlException AlreadyExists when a peer of that name is paired */
    public Pairing.Invitation invite(PeerId peer, Duration validFor) throws ControlException, ReplicationException {
        if (peers.find(peer).isPresent()) {
            throw new ControlException(new ControlError.AlreadyExists("peer", peer.value()));
        }
        return pairing.invite(peer, validFor);
    }
}
