package io.tidemark.control;

import io.tidemark.domain.PeerId;

/** Forgets a peer that no link needs. */
public final class DeletePeer {
    private final ControlPorts.Stores stores;

    DeletePeer(ControlPorts.Stores stores) {
        this.stores = stores;
    }

    public void delete(PeerId id) throws ControlException {
        for (var link : stores.links().all()) {
            if (link.peer().equals(id)) {
                throw new ControlException(new ControlError.InUse("peer", id.value(), "link " + link.id()));
            }
        }
        if (!stores.peers().remove(id)) {
            throw new ControlException(new ControlError.NotFound("peer", id.value()));
        }
    }
}
