package io.tidemark.control;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.ResyncRate;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Volumes of this host that are replicated write by write. Their storage keeps others from writing them meanwhile. */
public final class ManageLive {
    private static final Logger LOG = LoggerFactory.getLogger(ManageLive.class);

    private final LiveHost host;
    private final ControlPorts.Stores stores;
    private final Inventory inventory;
    private final Operations operations;
    private final Busy busy;
    private final InstantSource clock;
    /** Held while terms are changed. */
    private final Object changing = new Object();

    ManageLive(
            LiveHost host,
            ControlPorts.Stores stores,
            Inventory inventory,
            Operations operations,
            Busy busy,
            InstantSource clock) {
        this.host = host;
        this.stores = stores;
        this.inventory = inventory;
        this.operations = operations;
        this.busy = busy;
        this.clock = clock;
    }

    /**
     * @param peerVolume made at the peer where there is none
     * @param isOverwriting what the peer's volume has is given up; else one that has data is refused there
     */
    public record Wish(
            PeerId peer, VolumeId volume, VolumeId peerVolume, LiveHost.Terms terms, boolean isOverwriting) {}

    /**
     * Makes both copies; neither is primary yet, and the first that is promoted is what the volume is.
     *
     * @throws ControlException NotFound; Invalid; Unsupported where the volume cannot be written; AlreadyExists where it is
     *     replicated live; InUse where it is the target of a link, or is about to be one, a rollback of it waits, or an
     *     operation has it for itself; LiveUnread
     * @throws ReplicationException when the peer cannot be reached or refuses; then there is no link
     */
    public LiveHost.Live create(Wish wish, Intent intent)
            throws ControlException, ProviderException, ReplicationException {
        var known = host.find(intent.link());
        if (known.isPresent()) {
            return known.get();
        }
        inventory.peer(wish.peer());
        check(wish.terms());
        if (wish.volume().agent().isPresent()) {
            throw new ControlException(new ControlError.Invalid(
                    "volume",
                    wish.volume().value(),
                    "is on an agent's host, which replicates nothing live",
                    "one of this host"));
        }
        var volume = inventory.volume(wish.volume());
        if (!volume.can(Capability.RANDOM_WRITE)) {
            throw new ControlException(new ControlError.Unsupported(volume.id(), Capability.RANDOM_WRITE));
        }
        // What begins to write it later waits, and finds the link then.
        try (var held = busy.hold("volume", volume.id().value(), List.of(Claim.alone(volume.id())))) {
            refuseUsed(volume.id());
            host.create(
                    new LiveHost.Link(
                            intent.link(),
                            wish.peer(),
                            volume.id(),
                            wish.peerVolume(),
                            volume.sizeBytes(),
                            true,
                            wish.terms(),
                            clock.instant()),
                    wish.isOverwriting());
        }
        return find(intent.link());
    }

    private void refuseUsed(VolumeId volume) throws ControlException {
        for (var other : host.all()) {
            if (other.link().localVolume().equals(volume)) {
                throw new ControlException(new ControlError.AlreadyExists(
                        "live link", other.link().id().value()));
            }
        }
        RollbackRecoveryPoint.refuseLive(List.of(volume), host);
        RollbackRecoveryPoint.refuseTargets(List.of(volume), stores);
        for (var operation : operations.live()) {
            if (RollbackOperation.isDeferred(operation)) {
                RollbackRecoveryPoint.refuseWaiting(operation, List.of(volume), stores);
            }
        }
        var receives = ReverseLink.willReceive(stores.operations()).get(volume);
        if (receives != null) {
            throw new ControlException(new ControlError.InUse("volume", volume.value(), "reversal " + receives));
        }
    }

    private static void check(LiveHost.Terms terms) throws ControlException {
        if (!terms.hasBufferInLimits()) {
            throw new ControlException(new ControlError.Invalid(
                    "bufferBytes",
                    Long.toString(terms.bufferBytes()),
                    "is out of its limits",
                    "%d to %d".formatted(LiveHost.Terms.BUFFER_MINIMUM_BYTES, LiveHost.Terms.BUFFER_MAXIMUM_BYTES)));
        }
        if (!terms.hasExtentsInLimits()) {
            throw new ControlException(new ControlError.Invalid(
                    "activityLogExtents",
                    Integer.toString(terms.activityLogExtents()),
                    "is out of its limits",
                    "%d to %d".formatted(LiveHost.Terms.EXTENTS_MINIMUM, LiveHost.Terms.EXTENTS_MAXIMUM)));
        }
        long floor = terms.resyncFloorBytes();
        long ceiling = terms.resyncCeilingBytes();
        if (floor < 0 || ceiling < 0 || Math.max(floor, ceiling) > ResyncRate.RATE_MAXIMUM) {
            throw new ControlException(new ControlError.Invalid(
                    "resyncFloorBytes and resyncCeilingBytes",
                    floor + " and " + ceiling,
                    "are out of their limits",
                    "0 to %d".formatted(ResyncRate.RATE_MAXIMUM)));
        }
        if (ceiling > 0 && floor > ceiling) {
            throw new ControlException(new ControlError.Invalid(
                    "resyncFloorBytes", Long.toString(floor), "is above the ceiling", "0 to %d".formatted(ceiling)));
        }
    }

    /** In order of id. */
    public List<LiveHost.Live> all() {
        return host.all();
    }

    /** Links that are here and cannot be read, in order of id. */
    public List<LiveHost.Unread> unread() {
        return host.unread();
    }

    /** @throws ControlException NotFound, LiveUnread */
    public LiveHost.Live find(LinkId id) throws ControlException {
        for (var each : host.unread()) {
            if (each.id().equals(id)) {
                throw RollbackRecoveryPoint.unread(each);
            }
        }
        return host.find(id)
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("live link", id.value())));
    }

    /**
     * The newest changes since this process started, oldest first; the log has all.
     *
     * @throws ControlException NotFound
     */
    public List<LiveHost.Change> changes(LinkId id) throws ControlException {
        find(id);
        return host.changes(id);
    }

    private interface Asked {
        void run() throws LiveHost.RefusedException;
    }

    private LiveHost.Live asked(LinkId id, String verb, Asked asked) throws ControlException {
        find(id);
        try {
            asked.run();
            return find(id);
        } catch (LiveHost.RefusedException e) {
            throw new ControlException(new ControlError.LiveRefused(id, verb, String.valueOf(e.getMessage())));
        }
    }

    /**
     * @param isForced though it is not known whether the peer is newer
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live promote(LinkId id, boolean isForced) throws ControlException {
        if (isForced) {
            LOG.warn("live.promoted_by_force link={}", id);
        }
        return asked(id, "promote", () -> host.promote(id, isForced));
    }

    /**
     * @param isForced ends its clients, and refuses what they wait for
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live demote(LinkId id, boolean isForced) throws ControlException {
        return asked(id, "demote", () -> host.demote(id, isForced));
    }

    /**
     * @param isLocalKept of two that were written apart: whether this side's content stays
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live resolve(LinkId id, boolean isLocalKept) throws ControlException {
        LOG.warn("live.resolved link={} keep={}", id, isLocalKept ? "local" : "peer");
        return asked(id, "resolve", () -> host.resolve(id, isLocalKept));
    }

    /**
     * Begins to give a secondary's content up, which is kept first and then copied from its primary. DRBD's invalidate.
     *
     * @param isPeers the peer's, asked at the primary: DRBD's invalidate-remote
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live invalidate(LinkId id, boolean isPeers) throws ControlException {
        LOG.warn("live.invalidated link={} side={}", id, isPeers ? "peer" : "local");
        return asked(id, "invalidate", () -> host.invalidate(id, isPeers));
    }

    /**
     * Replicates in another way from here on, while clients go on; to be asked at the side that made the link.
     *
     * @param change of the terms as they are now
     * @throws ControlException NotFound; Invalid; LiveRefused
     */
    public LiveHost.Live change(LinkId id, UnaryOperator<LiveHost.Terms> change) throws ControlException {
        // One after the other: each changes what the one before has left.
        synchronized (changing) {
            var terms = change.apply(find(id).link().terms());
            check(terms);
            return asked(id, "change", () -> host.change(id, terms));
        }
    }

    /**
     * Begins to compare both copies; {@link LiveHost.Live#status} tells how far it has come.
     *
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live verify(LinkId id) throws ControlException {
        return asked(id, "verify", () -> host.verify(id));
    }

    /**
     * Ends a verify that this side drives. What it has found is dirty until the two meet again.
     *
     * @throws ControlException NotFound; LiveRefused where this side drives none
     */
    public LiveHost.Live stopVerify(LinkId id) throws ControlException {
        return asked(id, "stop a verify", () -> host.stopVerify(id));
    }

    /**
     * Ends the session, and another begins, which repairs what a verify has found.
     *
     * @throws ControlException NotFound; LiveRefused
     */
    public LiveHost.Live reconnect(LinkId id) throws ControlException {
        return asked(id, "reconnect", () -> host.reconnect(id));
    }

    /** @throws ControlException NotFound; LiveRefused where this side is primary */
    public void delete(LinkId id) throws ControlException {
        find(id);
        try {
            host.remove(id);
        } catch (LiveHost.RefusedException e) {
            throw new ControlException(new ControlError.LiveRefused(id, "end", String.valueOf(e.getMessage())));
        }
    }
}
