package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.ProviderException;

/** Makes or replaces a consistency group. */
public final class SaveGroup {
    private final ControlPorts.Stores stores;
    private final Providers providers;

    SaveGroup(ControlPorts.Stores stores, Providers providers) {
        this.stores = stores;
        this.providers = providers;
    }

    /**
     * @throws ControlException AlreadyExists
     * @throws ProviderException VolumeNotFound
     */
    public ConsistencyGroup create(ConsistencyGroup group, Intent intent) throws ControlException, ProviderException {
        checkVolumes(group);
        if (!stores.groups().add(group)) {
            boolean ours = intent.repeated()
                    && stores.groups().find(group.id()).filter(group::equals).isPresent();
            if (!ours) {
                throw new ControlException(
                        new ControlError.AlreadyExists("group", group.id().value()));
            }
        }
        return group;
    }

    /** @throws ControlException NotFound; InUse when a link needs a volume that would be left out */
    public ConsistencyGroup replace(ConsistencyGroup group) throws ControlException, ProviderException {
        checkVolumes(group);
        for (var link : stores.links().all()) {
            if (link.role() == ReplicationLink.Role.SOURCE
                    && link.group().equals(group.id())
                    && !group.volumes().contains(link.localVolume())) {
                throw new ControlException(
                        new ControlError.InUse("volume", link.localVolume().value(), "link " + link.id()));
            }
        }
        if (!stores.groups().replace(group)) {
            throw new ControlException(
                    new ControlError.NotFound("group", group.id().value()));
        }
        return group;
    }

    private void checkVolumes(ConsistencyGroup group) throws ProviderException {
        for (var volume : group.volumes()) {
            providers.of(volume).volume(volume);
        }
    }
}
