package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/** Starts putting every volume of a recovery point back to it. */
public final class RollbackRecoveryPoint {
    /** Each looks at its storage every few seconds; more at once is nobody's intent. */
    static final int DEFERRED_MAXIMUM = 16;

    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final LiveHost live;
    private final Operations operations;

    RollbackRecoveryPoint(Inventory inventory, ControlPorts.Stores stores, LiveHost live, Operations operations) {
        this.inventory = inventory;
        this.stores = stores;
        this.live = live;
        this.operations = operations;
    }

    /**
     * @throws ControlException Unsupported; InUse when a volume is the target of a link, whose next synchronisation
     *     would find it written, is replicated live, or another rollback of it waits; TooManyDeferred
     * @throws ProviderException VolumeNotFound
     */
    public Operation start(RecoveryPointId id, WhenOpen whenOpen, Intent intent)
            throws ControlException, ProviderException {
        var point = inventory.recoveryPoint(id);
        for (var volume : volumes(point)) {
            if (!inventory.volume(volume).can(Capability.ROLLBACK)) {
                throw new ControlException(new ControlError.Unsupported(volume, Capability.ROLLBACK));
            }
        }
        refuseTargets(volumes(point), stores);
        refuseLive(volumes(point), live);
        return start(point, whenOpen, intent);
    }

    /** One after the other, so that two of the same volume find each other. */
    private synchronized Operation start(RecoveryPoint point, WhenOpen whenOpen, Intent intent)
            throws ControlException {
        int deferred = 0;
        for (var other : operations.live()) {
            if (other.id().equals(intent.operation()) || !RollbackOperation.isDeferred(other)) {
                continue;
            }
            deferred++;
            refuseWaiting(other, volumes(point), stores);
        }
        if (whenOpen == WhenOpen.DEFER && deferred >= DEFERRED_MAXIMUM) {
            throw new ControlException(new ControlError.TooManyDeferred(DEFERRED_MAXIMUM));
        }
        return operations.start(request(point, whenOpen, intent));
    }

    private static Operations.Request request(RecoveryPoint point, WhenOpen whenOpen, Intent intent) {
        return new Operations.Request(
                intent.operation(),
                RollbackOperation.KIND,
                point.id().value(),
                Json.object()
                        .put("recoveryPoint", point.id().value())
                        .put(RollbackOperation.WHEN_OPEN, whenOpen.word()),
                Optional.empty());
    }

    static List<VolumeId> volumes(RecoveryPoint point) {
        return point.members().stream()
                .map(RecoveryPoint.Member::volume)
                .distinct()
                .toList();
    }

    /** @throws ControlException InUse where that rollback, which waits, is of one of them */
    static void refuseWaiting(Operation rollback, List<VolumeId> volumes, ControlPorts.Stores stores)
            throws ControlException {
        var theirs = stores.recoveryPoints()
                .find(RollbackOperation.point(rollback))
                .map(RollbackRecoveryPoint::volumes)
                .orElse(List.of());
        for (var volume : volumes) {
            if (theirs.contains(volume)) {
                throw new ControlException(
                        new ControlError.InUse("volume", volume.value(), "waiting rollback " + rollback.id()));
            }
        }
    }

    /**
     * @throws ControlException InUse where one of them is replicated live: what changes one copy alone is unknown to the
     *     other, also while the link has its volume not open; LiveUnread where one of them may be
     */
    static void refuseLive(List<VolumeId> volumes, LiveHost live) throws ControlException {
        for (var each : live.all()) {
            var link = each.link();
            if (volumes.contains(link.localVolume())) {
                throw new ControlException(
                        new ControlError.InUse("volume", link.localVolume().value(), "live link " + link.id()));
            }
        }
        // No volume of an agent's host is replicated live.
        if (volumes.stream().anyMatch(volume -> volume.agent().isEmpty())) {
            for (var each : live.unread()) {
                throw unread(each);
            }
        }
    }

    static ControlException unread(LiveHost.Unread link) {
        return new ControlException(new ControlError.LiveUnread(link.id(), link.folder(), link.reason()));
    }

    /** @throws ControlException InUse where one of them is the target of a link, which alone writes it */
    static void refuseTargets(List<VolumeId> volumes, ControlPorts.Stores stores) throws ControlException {
        for (var link : stores.links().all()) {
            if (link.role() == ReplicationLink.Role.TARGET && volumes.contains(link.localVolume())) {
                throw new ControlException(
                        new ControlError.InUse("volume", link.localVolume().value(), "link " + link.id()));
            }
        }
    }
}
