package io.tidemark.control;

import io.tidemark.control.document.Json;
import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.OperationStore;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Starts turning a link round: its target becomes its source. */
public final class ReverseLink {
    /** Of the request: the volume of this host that will receive. */
    static final String VOLUME = "volume";

    private final Inventory inventory;
    private final LiveHost live;
    private final Operations operations;

    ReverseLink(Inventory inventory, LiveHost live, Operations operations) {
        this.inventory = inventory;
        this.live = live;
        this.operations = operations;
    }

    /** How, and at which side it is asked for. */
    public enum Mode {
        /** At the source: sends the last changes, then swaps the roles. Nothing is lost. */
        PLANNED,
        /** At the target: becomes the source with what it has. The source is not asked. */
        UNPLANNED,
        /** At a source whose peer was promoted without it: becomes the target. */
        FOLLOW
    }

    /**
     * @throws ControlException NotFound; LinkState; Invalid when it is asked at the wrong side; Unsupported when the volume
     *     that is to receive cannot be written to; InUse when the volume is
     *     still mounted, so that what is written next would be left behind, or where one that is to receive is a live
     *     link's, which alone writes it
     */
    public Operation start(LinkId id, Mode mode, Intent intent) throws ControlException, ProviderException {
        var link = inventory.link(id);
        boolean done = intent.repeated();
        if (!done) {
            mustFit(link, mode);
        }
        var request = Json.object().put("link", id.value()).put("mode", mode.name());
        var makes = Optional.<RecoveryPointId>empty();
        if (mode == Mode.PLANNED) {
            // One that is handing over goes on with the recovery point that it has sent.
            var point = link.state() == LinkState.HANDING_OVER ? link.underway() : Optional.<RecoveryPointId>empty();
            makes = point.isEmpty() ? Optional.of(intent.recoveryPoint()) : Optional.empty();
            request.put("recoveryPoint", point.orElseGet(intent::recoveryPoint).value());
        }
        if (mode != Mode.UNPLANNED) {
            request.put(VOLUME, link.localVolume().value());
        }
        return operations.start(
                new Operations.Request(intent.operation(), ReversalOperation.KIND, id.value(), request, makes));
    }

    /** Volumes of this host that reversals which have not ended will make the target of a link, each with one of those. */
    public static Map<VolumeId, OperationId> willReceive(OperationStore operations) {
        var volumes = new HashMap<VolumeId, OperationId>();
        for (var operation : operations.unfinished()) {
            if (operation.kind().equals(ReversalOperation.KIND)) {
                Json.optionalText(Json.object(operation.requestJson()), VOLUME)
                        .ifPresent(volume -> volumes.put(new VolumeId(volume), operation.id()));
            }
        }
        return Map.copyOf(volumes);
    }

    private void mustFit(ReplicationLink link, Mode mode) throws ControlException, ProviderException {
        switch (mode) {
            case PLANNED -> {
                mustBe(
                        ReplicationLink.Role.SOURCE,
                        link,
                        "a planned reversal",
                        "UNPLANNED (--unplanned) when peer %s is lost, else ask at that site".formatted(link.peer()));
                if (link.state() == LinkState.PAUSED) {
                    throw new ControlException(new ControlError.LinkState(link.id(), link.state(), "reverse"));
                }
                if (inventory.receivesToo(link)) {
                    throw new ControlException(new ControlError.InUse(
                            "volume", link.localVolume().value(), "the link that it is received over"));
                }
                var volume = inventory.volume(link.localVolume());
                mustReceive(volume);
                RollbackRecoveryPoint.refuseLive(List.of(volume.id()), live);
                ReversalOperation.refuseWhenMounted(volume);
            }
            case UNPLANNED -> {
                mustBe(
                        ReplicationLink.Role.TARGET,
                        link,
                        "an unplanned reversal",
                        "PLANNED, or ask at peer " + link.peer());
                if (link.inStep().isEmpty()) {
                    throw new ControlException(new ControlError.NotFound(
                            "recovery point received over link", link.id().value()));
                }
            }
            case FOLLOW -> {
                mustBe(
                        ReplicationLink.Role.SOURCE,
                        link,
                        "following",
                        "another mode: this side is the target already, or ask at peer " + link.peer());
                mustReceive(inventory.volume(link.localVolume()));
                RollbackRecoveryPoint.refuseLive(List.of(link.localVolume()), live);
            }
        }
    }

    /** A snapshot of a cloud's disk may be read where the disk cannot be written to. */
    private static void mustReceive(Volume volume) throws ControlException {
        if (!volume.can(Capability.FILES) && !volume.can(Capability.RANDOM_WRITE)) {
            throw new ControlException(new ControlError.Unsupported(volume.id(), Capability.RANDOM_WRITE));
        }
    }

    private static void mustBe(ReplicationLink.Role role, ReplicationLink link, String what, String advice)
            throws ControlException {
        if (link.role() != role) {
            throw new ControlException(new ControlError.Invalid(
                    "mode",
                    link.id().value(),
                    "does not fit: %s is asked for at the %s, this side is the %s".formatted(what, role, link.role()),
                    advice));
        }
    }
}
