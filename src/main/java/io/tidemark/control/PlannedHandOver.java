package io.tidemark.control;

import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.Replicator;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.policy.PlannedReversal;
import io.tidemark.policy.PlannedReversal.Act;
import io.tidemark.policy.PlannedReversal.Answer;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries one {@link PlannedReversal} out at the source. Of one thread. */
final class PlannedHandOver {
    /** What a peer answers that was not promoted. */
    private static final String NOT_SOURCE = "not-source";

    private static final Logger log = LoggerFactory.getLogger(PlannedHandOver.class);

    /** What it acts with, of the site. */
    record Site(
            Inventory inventory,
            ControlPorts.Stores stores,
            LinkStates states,
            RecoveryPointTaker taker,
            Replicator replicator,
            LiveHost live,
            TargetRole targetRole,
            Moments moments) {}

    /** Makes this side the target, in one write. */
    interface TargetRole {
        ReplicationLink become(LinkId link, LinkEvent event) throws ControlException;
    }

    private final Site site;
    private final LinkId id;
    private final OperationKind.Running running;
    private @Nullable Exception cause;

    PlannedHandOver(Site site, LinkId id, OperationKind.Running running) {
        this.site = site;
        this.id = id;
        this.running = running;
    }

    /**
     * @param first recovery point that it sends, unless the link is handing another one over
     * @return the link, received here from now on
     * @throws ControlException VolumeWritten when each drain was outdated; InUse when the volume is mounted, or
     *     replicated live; LiveUnread where it may be
     * @throws ReplicationException the peer's refusal; or there is no answer of it: then it may be the source already,
     *     the link stays where it is and sends nothing, and a reversal that is asked for again goes on
     */
    ReplicationLink carryOut(RecoveryPointId first) throws Exception {
        var link = site.inventory().link(id);
        boolean source = link.role() == ReplicationLink.Role.SOURCE;
        var step = PlannedReversal.begin(first, source, link.state(), link.underway());
        if (step.reversal().stage() == PlannedReversal.Stage.COMPARING_AGAIN) {
            running.step("drained");
        }
        while (true) {
            if (step.act() instanceof Act.Succeed) {
                return site.inventory().link(id);
            }
            if (step.act() instanceof Act.Fail) {
                throw cause == null ? new IllegalStateException("failed without a cause in " + step) : cause;
            }
            step = step.reversal().answered(attempt(step));
        }
    }

    private Answer attempt(PlannedReversal.Step step) {
        try {
            return perform(step);
        } catch (Exception e) {
            if (step.reversal().stage() == PlannedReversal.Stage.GIVING_UP) {
                // Deleted meanwhile, or moved on by nobody but us: there is nothing to give up.
                log.debug("reversal.not-given-up link={} {}", id, e.getMessage());
            } else {
                cause = e;
            }
            return Answer.FAILED;
        }
    }

    private Answer perform(PlannedReversal.Step step) throws Exception {
        return switch (step.act()) {
            case Act.Move move -> {
                site.states().move(id, move.event(), move.underway());
                moved(step.reversal().stage());
                yield Answer.DONE;
            }
            case Act.LookUp look -> lookUp(look.point());
            case Act.Compare compare -> compare(compare.point());
            case Act.Drain drain -> drain(drain.point());
            case Act.HandOver over -> handOver(over.point());
            case Act.AskPeer _ -> peerIsSource() ? Answer.YES : Answer.NO;
            case Act.BecomeTarget _ -> {
                site.targetRole().become(id, LinkEvent.HANDED_OVER);
                yield Answer.DONE;
            }
            case Act.Succeed _, Act.Fail _ -> throw new IllegalStateException("nothing is left to do: " + step);
        };
    }

    private void moved(PlannedReversal.Stage stage) {
        if (stage == PlannedReversal.Stage.ASKING) {
            site.moments().reached(Moment.REVERSAL_DRAINING);
        } else if (stage == PlannedReversal.Stage.DRAINED) {
            site.moments().reached(Moment.REVERSAL_DRAINED);
            running.step("drained");
        }
    }

    private Answer lookUp(RecoveryPointId point) throws Exception {
        if (isInUse()) {
            return Answer.MOUNTED;
        }
        return site.stores().recoveryPoints().find(point).isPresent() ? Answer.RECORDED : Answer.NOT_RECORDED;
    }

    /** Whether others write it: a file system that is mounted, or a live link. */
    private boolean isInUse() throws Exception {
        var volume = site.inventory().link(id).localVolume();
        try {
            ReversalOperation.refuseWhenMounted(site.inventory().volume(volume));
            RollbackRecoveryPoint.refuseLive(List.of(volume), site.live());
            return false;
        } catch (ControlException e) {
            if (!(e.error() instanceof ControlError.InUse || e.error() instanceof ControlError.LiveUnread)) {
                throw e;
            }
            cause = e;
            return true;
        }
    }

    private Answer compare(RecoveryPointId since) throws Exception {
        if (isInUse()) {
            return Answer.MOUNTED;
        }
        var link = site.inventory().link(id);
        var trace = site.replicator().changedSince(link, since);
        // Asked after the comparison, which takes a while: who mounted meanwhile is seen here, or wrote before it.
        if (isInUse()) {
            return Answer.MOUNTED;
        }
        if (trace.isEmpty()) {
            return Answer.UNCHANGED;
        }
        var written = new ControlException(new ControlError.VolumeWritten(link.localVolume(), since, trace.get()));
        log.warn("reversal.outdated link={} {}", id, written.getMessage());
        cause = written;
        return Answer.WRITTEN;
    }

    private Answer drain(RecoveryPointId point) throws Exception {
        var link = site.inventory().link(id);
        var peer = site.inventory().peer(link.peer());
        var taken = taken(link, point);
        running.step("taken");
        if (link.inStep().isEmpty()) {
            site.replicator()
                    .openLink(
                            link,
                            peer,
                            site.inventory().volume(link.localVolume()).sizeBytes());
        }
        var bases = TransferOperation.bases(site.stores(), link, point);
        var report = site.replicator().sync(link, peer, taken, bases, running);
        site.stores().links().change(id, current -> current.inStepWith(report));
        return Answer.DONE;
    }

    /**
     * The last recovery point that goes this way. Whoever wrote to the volume has ended, as its user says by asking:
     * nothing is frozen, only the one volume is cut.
     */
    private RecoveryPoint taken(ReplicationLink link, RecoveryPointId point) throws ConsistencyException {
        var known = site.stores().recoveryPoints().find(point);
        if (known.isPresent()) {
            return known.orElseThrow();
        }
        // What a life before this one cut may be older than what was written since.
        site.taker().undo(point);
        var plain = new ConsistencyGroup(
                link.group(),
                List.of(link.localVolume()),
                List.of(),
                false,
                ConsistencyGroup.FREEZE_LIMIT_DEFAULT,
                Consistency.CRASH);
        var taken = site.taker().take(site.taker().plan(point, plain), running);
        site.stores().recoveryPoints().add(taken);
        return taken;
    }

    private Answer handOver(RecoveryPointId point) throws Exception {
        var link = site.inventory().link(id);
        Optional<ReplicationError> refusal =
                site.replicator().handOver(link, site.inventory().peer(link.peer()), point);
        if (refusal.isPresent()) {
            cause = new ReplicationException(refusal.get());
            return Answer.NO;
        }
        site.moments().reached(Moment.REVERSAL_ANSWERED);
        return Answer.YES;
    }

    private boolean peerIsSource() throws ControlException, ReplicationException {
        var link = site.inventory().link(id);
        try {
            site.replicator().confirmPeerIsSource(link, site.inventory().peer(link.peer()));
            return true;
        } catch (ReplicationException answer) {
            if (answer.error() instanceof ReplicationError.PeerRefused refused
                    && refused.code().equals(NOT_SOURCE)) {
                return false;
            }
            throw answer;
        }
    }
}
