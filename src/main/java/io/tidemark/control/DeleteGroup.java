package io.tidemark.control;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.ReplicationLink;

/** Removes a group that no link needs; its recovery points stay. */
public final class DeleteGroup {
    private final ControlPorts.Stores stores;

    DeleteGroup(ControlPorts.Stores stores) {
        this.stores = stores;
    }

    public void delete(GroupId id) throws ControlException {
        for (var link : stores.links().all()) {
            if (link.role() == ReplicationLink.Role.SOURCE && link.group().equals(id)) {
                throw new ControlException(new ControlError.InUse("group", id.value(), "link " + link.id()));
            }
        }
        if (!stores.groups().remove(id)) {
            throw new ControlException(new ControlError.NotFound("group", id.value()));
        }
    }
}
