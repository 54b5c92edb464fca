package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.Replicator;
import io.tidemark.agent.TargetSessions;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a link round. Where it stands is the link's state, written down before each step acts; a restart goes on from
 * it. At no step are both sides its target with writes at neither: the peer becomes the source first, this side its
 * target after that.
 */
final class ReversalOperation implements OperationKind {
    static final String KIND = "reversal";
    /** Recovery points that one reversal sends; a volume that is written during each is not going to rest. */
    static final int DRAINS_MAXIMUM = 3;
    /** What a peer answers that was not promoted. */
    private static final String NOT_SOURCE = "not-source";

    private static final Logger log = LoggerFactory.getLogger(ReversalOperation.class);

    private final Inventory inventory;
    private final ControlPorts.Stores stores;
    private final LinkStates states;
    private final RecoveryPointTaker taker;
    private final Replicator replicator;
    private final TargetSessions targetSessions;
    private final Moments moments;

    ReversalOperation(Inventory inventory, ControlPorts ports) {
        this.inventory = inventory;
        this.stores = ports.stores();
        this.states = new LinkStates(stores.links());
        this.taker = ports.agents().taker();
        this.replicator = ports.agents().replicator();
        this.targetSessions = ports.agents().targetSessions();
        this.moments = ports.moments();
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
        point(request).map(ReversalOperation::rounds).orElse(List.of()).stream()
                .map(Claim::shared)
                .forEach(claims::add);
        Json.optionalText(request, "volume")
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

    static void refuseWhenMounted(Volume volume) throws ControlException {
        if (!volume.mountPoints().isEmpty()) {
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
            case PLANNED -> planned(link, point(request).orElseThrow(), running);
            case UNPLANNED -> unplanned(link);
            case FOLLOW -> follow(link);
        };
        var result = Json.object();
        result.set("link", Documents.link(reversed));
        return result;
    }

    private ReplicationLink planned(ReplicationLink link, RecoveryPointId point, Running running) throws Exception {
        if (link.role() == ReplicationLink.Role.TARGET) {
            // Done by the last life, but for its end.
            return link;
        }
        if (link.state() == LinkState.HANDING_OVER) {
            running.step("drained");
            return handOverAgain(link, link.underway().orElse(point));
        }
        states.move(link.id(), LinkEvent.REVERSAL_ASKED, Optional.of(point));
        moments.reached(Moment.REVERSAL_DRAINING);
        var drained = Optional.<RecoveryPointId>empty();
        try {
            drained = Optional.of(drainUntilUnwritten(link.id(), point, running));
        } finally {
            if (drained.isEmpty()) {
                giveUpQuietly(link.id());
            }
        }
        var last = drained.orElseThrow();
        var handing = states.move(link.id(), LinkEvent.DRAINED, Optional.of(last));
        moments.reached(Moment.REVERSAL_DRAINED);
        running.step("drained");
        return handOver(handing, last);
    }

    /** A restart finds it draining and drains again; only an operation that ends gives up. */
    private void giveUpQuietly(LinkId id) {
        try {
            states.move(id, LinkEvent.REVERSAL_GIVEN_UP, Optional.empty());
        } catch (ControlException gone) {
            // Deleted meanwhile, or moved on by nobody but us: there is nothing to give up.
        }
    }

    /**
     * Sends recovery points until one is what the volume still is when its peer has it: a drain may take long, and
     * nothing keeps the volume from being written meanwhile.
     *
     * @return the one that may be handed over
     * @throws ControlException VolumeWritten when each of them was outdated; InUse when the volume is mounted
     */
    private RecoveryPointId drainUntilUnwritten(LinkId link, RecoveryPointId first, Running running) throws Exception {
        var written = Optional.<ControlException>empty();
        for (var id : rounds(first)) {
            refuseWhenMounted(inventory.volume(inventory.link(link).localVolume()));
            // Of a life before this one, perhaps long ago: recorded does not say that it is still the volume.
            var outdated = stores.recoveryPoints().find(id).isPresent()
                    ? written(inventory.link(link), id)
                    : Optional.<ControlException>empty();
            if (outdated.isEmpty()) {
                drain(states.move(link, LinkEvent.REVERSAL_ASKED, Optional.of(id)), id, running);
                outdated = written(inventory.link(link), id);
            }
            if (outdated.isEmpty()) {
                return id;
            }
            written = outdated;
            log.warn(
                    "reversal.outdated link={} {}", link, outdated.orElseThrow().getMessage());
        }
        throw written.orElseThrow();
    }

    /** Known from the first, so that a restart counts on where the last life was. */
    private static List<RecoveryPointId> rounds(RecoveryPointId first) {
        var rounds = new ArrayList<>(List.of(first));
        for (int round = 2; round <= DRAINS_MAXIMUM; round++) {
            rounds.add(new RecoveryPointId("%sd%d".formatted(first, round)));
        }
        return rounds;
    }

    /** @throws ControlException InUse when it is mounted, which will write */
    private Optional<ControlException> written(ReplicationLink link, RecoveryPointId since) throws Exception {
        refuseWhenMounted(inventory.volume(link.localVolume()));
        var trace = replicator.changedSince(link, since);
        // Asked after the comparison, which takes a while: who mounted meanwhile is seen here, or wrote before it.
        refuseWhenMounted(inventory.volume(link.localVolume()));
        return trace.map(
                found -> new ControlException(new ControlError.VolumeWritten(link.localVolume(), since, found)));
    }

    private void drain(ReplicationLink link, RecoveryPointId id, Running running) throws Exception {
        var peer = inventory.peer(link.peer());
        var point = taken(link, id, running);
        running.step("taken");
        if (link.inStep().isEmpty()) {
            replicator.openLink(link, peer, inventory.volume(link.localVolume()).sizeBytes());
        }
        var report = replicator.sync(link, peer, point, TransferOperation.bases(stores, link, id), running);
        stores.links().change(link.id(), current -> current.inStepWith(report));
    }

    /**
     * The last recovery point that goes this way. Whoever wrote to the volume has ended, as its user says by asking:
     * nothing is frozen, only the one volume is cut.
     */
    private RecoveryPoint taken(ReplicationLink link, RecoveryPointId id, Running running) throws ConsistencyException {
        var known = stores.recoveryPoints().find(id);
        if (known.isPresent()) {
            return known.orElseThrow();
        }
        // What a life before this one cut may be older than what was written since.
        taker.undo(id);
        var plain = new ConsistencyGroup(
                link.group(),
                List.of(link.localVolume()),
                List.of(),
                false,
                ConsistencyGroup.FREEZE_LIMIT_DEFAULT,
                Consistency.CRASH);
        var point = taker.take(taker.plan(id, plain), running);
        stores.recoveryPoints().add(point);
        return point;
    }

    /**
     * Goes on with a hand-over that was cut off or not answered. What was written since cannot be sent any more if the
     * peer is the source already; else the hand-over is given up, on the peer's word alone.
     */
    private ReplicationLink handOverAgain(ReplicationLink link, RecoveryPointId point) throws Exception {
        try {
            var written = written(link, point);
            if (written.isPresent()) {
                throw written.orElseThrow();
            }
        } catch (ControlException used) {
            if (peerIsSource(link)) {
                return becomeTarget(link, LinkEvent.HANDED_OVER);
            }
            states.move(link.id(), LinkEvent.REVERSAL_GIVEN_UP, Optional.empty());
            throw used;
        }
        return handOver(link, point);
    }

    private boolean peerIsSource(ReplicationLink link) throws ControlException, ReplicationException {
        try {
            replicator.confirmPeerIsSource(link, inventory.peer(link.peer()));
            return true;
        } catch (ReplicationException answer) {
            if (answer.error() instanceof ReplicationError.PeerRefused refused
                    && refused.code().equals(NOT_SOURCE)) {
                return false;
            }
            throw answer;
        }
    }

    /**
     * @throws ReplicationException when the peer does not answer: it may be the source already, so the link stays where
     *     it is and sends nothing; asked again, goes on here
     */
    private ReplicationLink handOver(ReplicationLink link, RecoveryPointId point)
            throws ControlException, ReplicationException {
        var refusal = replicator.handOver(link, inventory.peer(link.peer()), point);
        if (refusal.isPresent()) {
            states.move(link.id(), LinkEvent.REVERSAL_GIVEN_UP, Optional.empty());
            throw new ReplicationException(refusal.orElseThrow());
        }
        moments.reached(Moment.REVERSAL_ANSWERED);
        return becomeTarget(link, LinkEvent.HANDED_OVER);
    }

    private ReplicationLink becomeTarget(ReplicationLink link, LinkEvent event) throws ControlException {
        // The new role and the new state in one write: between them there is no state to be killed in.
        states.mustAllow(link.id(), event);
        var target = stores.links()
                .change(
                        link.id(),
                        current -> current.reversed(ReplicationLink.Role.TARGET, current.group(), current.every()))
                .orElseThrow(() -> new ControlException(
                        new ControlError.NotFound("link", link.id().value())));
        targetSessions.readmit(link.id());
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
        replicator.confirmPeerIsSource(link, inventory.peer(link.peer()));
        return becomeTarget(link, LinkEvent.FOLLOWED);
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
