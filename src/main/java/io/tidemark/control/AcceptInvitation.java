package io.tidemark.control;

import io.tidemark.agent.Pairing;
import io.tidemark.control.port.PeerStore;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;

/** Pairs with the site that made an invitation. */
public final class AcceptInvitation {
    private final PeerStore peers;
    private final Pairing pairing;

    AcceptInvitation(PeerStore peers, Pairing pairing) {
        this.peers = peers;
        this.pairing = pairing;
    }

    /** @throws ControlException AlreadyExists when a peer of that name is paired */
    public Peer accept(PeerId id, String token, Intent intent) throws ControlException, ReplicationException {
        var known = peers.find(id);
        if (known.isPresent()) {
            // The token is spent: a repetition after a crash can only be told what came of it.
            if (intent.repeated()) {
                return known.orElseThrow();
            }
            throw new ControlException(new ControlError.AlreadyExists("peer", id.value()));
        }
        return pairing.accept(id, token);
    }
}
