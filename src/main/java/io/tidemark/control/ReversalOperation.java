package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Replicator;
import io.tidemark.agent.TargetSessions;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.policy.PlannedReversal;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns a link round. Where it stands is the link's state, written down before each step acts; a restart goes on from
 * it. At no step are both sides its target with writes at neither: the peer becomes the source first, this side its
 * target after that.
 */
final class ReversalOperation implements OperationKind {
    static final String KIND = "reversal";
    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final LinkStates states;
    private final Replicator replicator;
    private final TargetSessions targetSessions;
    private final Moments moments;
    private final LiveHost live;
    private final PlannedHandOver.Site handingOver;

    ReversalOperation(Inventory inventory, ControlPorts ports) {
        this.inventory = inventory;
        this.stores = ports.stores();
        this.states = new LinkStates(stores.links());
        this.replicator = ports.agents().replicator();
        this.targetSessions = ports.agents().targetSessions();
        this.moments = ports.moments();
        this.live = ports.agents().live();
        this.handingOver = new PlannedHandOver.Site(
                inventory, stores, states, ports.agents().taker(), replicator, live, this::becomeTarget, moments);
    }

    @Override
    public String name() {
        return KIND;
    }

    private static LinkId link(ObjectNode request) {
        return new LinkId(Json.text(request, "link"));
    }

    private static Optional<RecoveryPointId> point(ObjectNode request) {
        return Json.optionalText(request, "recoveryPoint").map(RecoveryPointId::new);
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        var claims = new ArrayList<Claim>();
        claims.add(Claim.alone(link(request)));
        point(request).map(PlannedReversal::rounds).orElse(List.of()).stream()
                .map(Claim::shared)
                .forEach(claims::add);
        Json.optionalText(request, ReverseLink.VOLUME)
                .map(VolumeId::new)
                .map(Claim::alone)
                .ifPresent(claims::add);
        return claims;
    }

    /** Of its peer: one that is slow holds up its own links alone. */
    @Override
    public String lane(ObjectNode request) {
        return inventory.laneOf(link(request));
    }

    /** Files are seen at some place all the time: who writes to them after the last comparison is found by the next one. */
    static void refuseWhenMounted(Volume volume) throws ControlException {
        if (!volume.can(Capability.FILES) && !volume.mountPoints().isEmpty()) {
            throw new ControlException(new ControlError.InUse(
                    "volume",
                    volume.id().value(),
                    "the file system mounted at " + volume.mountPoints().getFirst()));
        }
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var link = inventory.link(link(request));
        var reversed = switch (ReverseLink.Mode.valueOf(Json.text(request, "mode"))) {
            case PLANNED ->
                new PlannedHandOver(handingOver, link.id(), running)
                        .carryOut(point(request).orElseThrow());
            case UNPLANNED -> unplanned(link);
            case FOLLOW -> follow(link);
        };
        var result = Json.object();
        result.set("link", Documents.link(reversed));
        return result;
    }

    private ReplicationLink becomeTarget(LinkId link, LinkEvent event) throws ControlException {
        // Asked when it was begun, too; a live link may have been made while this waited for its turn.
        RollbackRecoveryPoint.refuseLive(List.of(inventory.link(link).localVolume()), live);
        // The new role and the new state in one write: between them there is no state to be killed in.
        states.mustAllow(link, event);
        var target = stores.links()
                .change(
                        link,
                        current -> current.reversed(ReplicationLink.Role.TARGET, current.group(), current.every()))
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("link", link.value())));
        targetSessions.readmit(link);
        replicator.forget(link);
        return target;
    }

    private ReplicationLink unplanned(ReplicationLink link) throws ControlException, ReplicationException {
        if (link.role() == ReplicationLink.Role.SOURCE) {
            return link;
        }
        states.mustAllow(link.id(), LinkEvent.PROMOTED);
        var inTheWay = targetSessions.settle(link);
        if (inTheWay.isEmpty()) {
            inTheWay = targetSessions.retire(link.id());
        }
        if (inTheWay.isPresent()) {
            throw new ControlException(new ControlError.InUse("link", link.id().value(), inTheWay.orElseThrow()));
        }
        boolean done = false;
        try {
            var promoted = stores.catalog()
                    .promote(link.id(), Optional.empty())
                    .orElseThrow(() -> new ControlException(
                            new ControlError.NotFound("link", link.id().value())));
            done = true;
            moments.reached(Moment.LINK_PROMOTED);
            return promoted;
        } finally {
            if (!done) {
                targetSessions.readmit(link.id());
            }
        }
    }

    private ReplicationLink follow(ReplicationLink link) throws ControlException, ReplicationException {
        if (link.role() == ReplicationLink.Role.TARGET) {
            return link;
        }
        states.mustAllow(link.id(), LinkEvent.FOLLOWED);
        targetSessions.beginFollowing(link.id());
        try {
            replicator.confirmPeerIsSource(link, inventory.peer(link.peer()));
            return becomeTarget(link.id(), LinkEvent.FOLLOWED);
        } finally {
            targetSessions.endFollowing(link.id());
        }
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
