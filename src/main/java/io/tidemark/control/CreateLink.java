package io.tidemark.control;

import io.tidemark.agent.Replicator;
import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkSchedule;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/** Makes a replication link, here first and then at the peer. */
public final class CreateLink {
    private final ControlPorts.Stores stores;
    private final Inventory inventory;
    private final Replicator replicator;
    private final LiveHost live;
    private final InstantSource clock;

    CreateLink(ControlPorts ports, Inventory inventory) {
        this.stores = ports.stores();
        this.inventory = inventory;
        this.replicator = ports.agents().replicator();
        this.live = ports.agents().live();
        this.clock = ports.clock();
    }

    /** @param volume this site's volume, a member of the group */
    public record Wish(PeerId peer, GroupId group, VolumeId volume, VolumeId peerVolume, SetLink.Settings settings) {

        Optional<Duration> every() {
            return settings.every();
        }

        /** A link that goes as fast as it can. */
        public Wish(PeerId peer, GroupId group, VolumeId volume, VolumeId peerVolume, Optional<Duration> every) {
            this(peer, group, volume, peerVolume, new SetLink.Settings(every, RateLimits.NONE, false));
        }
    }

    /**
     * Written down here before the peer is told: a crash between leaves a link whose first synchronisation tells it.
     *
     * @throws ControlException NotFound, Invalid; Unsupported where the volume has neither blocks nor streams;
     *     AlreadyExists when the volume has a link to that peer volume; InUse where that is a live link's
     * @throws ReplicationException when the peer cannot be told; then there is no link
     */
    public ReplicationLink create(Wish wish, Intent intent)
            throws ControlException, ProviderException, ReplicationException {
        var peer = inventory.peer(wish.peer());
        var group = inventory.group(wish.group());
        if (!group.volumes().contains(wish.volume())) {
            throw new ControlException(new ControlError.Invalid(
                    "volume",
                    wish.volume().value(),
                    "is no member of group " + group.id(),
                    "one of " + group.volumes()));
        }
        refuseSeveralHosts(wish, group);
        var volume = inventory.volume(wish.volume());
        if (!volume.can(Capability.RANDOM_READ) && !inventory.hasStreams(volume.id())) {
            throw new ControlException(new ControlError.Unsupported(volume.id(), Capability.RANDOM_READ));
        }
        refuseSecond(wish, intent);
        refuseLivePeer(wish);
        var link = new ReplicationLink(
                        intent.link(),
                        ReplicationLink.Role.SOURCE,
                        wish.peer(),
                        wish.volume(),
                        wish.peerVolume(),
                        wish.group(),
                        wish.every(),
                        Optional.empty(),
                        Optional.empty())
                .with(wish.every(), wish.settings().rates(), wish.settings().onArrival());
        stores.links().save(link);
        if (wish.every().isPresent()) {
            // Not before the peer has agreed: a link that it refuses must not have frozen anything.
            stores.links().saveDue(new LinkStore.Due(link.id(), clock.instant().plus(LinkScheduler.MAKING_LIMIT), 0));
        }
        boolean opened = false;
        try {
            replicator.openLink(link, peer, volume.sizeBytes());
            opened = true;
        } finally {
            if (!opened) {
                stores.links().remove(link.id());
            }
        }
        if (wish.every().isPresent()) {
            stores.links().saveDue(new LinkStore.Due(link.id(), LinkSchedule.firstDue(clock.instant()), 0));
        }
        return link;
    }

    /** The parts of other hosts cannot follow, and without them the target could prove nothing. */
    private static void refuseSeveralHosts(Wish wish, ConsistencyGroup group) throws ControlException {
        var hosts = group.volumes().stream().map(VolumeId::agent).distinct().toList();
        if (hosts.size() > 1) {
            throw new ControlException(new ControlError.Invalid(
                    "group",
                    group.id().value(),
                    "has volumes on %d hosts: its recovery points would arrive without the other hosts' parts and without an attestation"
                            .formatted(hosts.size()),
                    "a group of one host's volumes, %s among them".formatted(wish.volume())));
        }
    }

    /** What this site knows of the peer's volumes; the peer itself refuses the rest. */
    private void refuseLivePeer(Wish wish) throws ControlException {
        for (var each : live.all()) {
            var other = each.link();
            if (other.peer().equals(wish.peer()) && other.peerVolume().equals(wish.peerVolume())) {
                throw new ControlException(new ControlError.InUse(
                        "volume",
                        "%s of peer %s".formatted(wish.peerVolume(), wish.peer()),
                        "live link " + other.id()));
            }
        }
    }

    private void refuseSecond(Wish wish, Intent intent) throws ControlException {
        for (var other : stores.links().all()) {
            boolean same = other.peer().equals(wish.peer())
                    && other.localVolume().equals(wish.volume())
                    && other.peerVolume().equals(wish.peerVolume());
            if (same && !other.id().equals(intent.link())) {
                throw new ControlException(
                        new ControlError.AlreadyExists("link", other.id().value()));
            }
        }
    }
}
