package io.tidemark.simulation;

import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.policy.LinkEvent;
import io.tidemark.policy.LinkTransitions;
import io.tidemark.policy.PlannedReversal;
import io.tidemark.policy.PlannedReversal.Act;
import io.tidemark.policy.PlannedReversal.Answer;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What turns the link at this host: the real {@link PlannedReversal}, carried out as {@code control.PlannedHandOver}
 * does, and the short ways of {@code control.ReversalOperation}. What was asked for is written down: a restart begins
 * it again.
 */
class SimulatedReversal extends Worker {
    /** As {@code control.ReverseLink}. */
    enum Mode {
        PLANNED,
        UNPLANNED,
        FOLLOW
    }

    /** @param point of a planned one */
    record Request(Mode mode, Optional<RecoveryPointId> point) {}

    /** Outlives the host. */
    Optional<Request> request = Optional.empty();

    private PlannedReversal.@Nullable Step step;
    private @Nullable Answer answer;
    private boolean asking;

    SimulatedReversal(SimulatedHost host) {
        super(host);
    }

    final void ask(Mode mode, Optional<RecoveryPointId> point) {
        note("is asked for a reversal, " + mode);
        request = Optional.of(new Request(mode, point));
        restarted();
        wake();
    }

    @Override
    final void restarted() {
        if (request.isPresent() && request.get().mode() == Mode.PLANNED) {
            step = PlannedReversal.begin(
                    request.get().point().orElseThrow(), host.role == Role.SOURCE, host.state, host.underway);
        }
    }

    @Override
    final boolean hasWork() {
        return request.isPresent() && !asking;
    }

    @Override
    final void workOnce() throws ProviderException, ReplicationException {
        switch (request.orElseThrow().mode()) {
            case PLANNED -> planned();
            case UNPLANNED -> unplanned();
            case FOLLOW -> follow();
        }
        world.checks.source(host);
        world.checks.target(world.other(host));
    }

    private void planned() throws ProviderException, ReplicationException {
        var now = step;
        if (now == null) {
            throw new IllegalStateException("nothing was begun");
        }
        var given = answer;
        if (given != null) {
            answer = null;
            step = now.reversal().answered(given);
            return;
        }
        world.mayCrash();
        note(now.act());
        try {
            perform(now.act());
        } catch (ProviderException e) {
            answer = Answer.FAILED;
        }
    }

    void perform(Act act) throws ProviderException, ReplicationException {
        switch (act) {
            case Act.Move move -> {
                boolean moved = host.move(move.event(), move.underway());
                world.mayCrash();
                answer = moved ? Answer.DONE : Answer.FAILED;
            }
            case Act.LookUp look ->
                answer = host.recorded.contains(look.point()) ? Answer.RECORDED : Answer.NOT_RECORDED;
            case Act.Compare compare -> answer = compare(compare.point());
            case Act.Drain drain -> drain(drain.point());
            case Act.HandOver over -> askPeer(Optional.of(over.point()));
            case Act.AskPeer _ -> askPeer(Optional.empty());
            case Act.BecomeTarget _ -> answer = becomeTarget(LinkEvent.HANDED_OVER) ? Answer.DONE : Answer.FAILED;
            case Act.Succeed _ -> ended(true);
            case Act.Fail _ -> ended(false);
        }
    }

    Answer compare(RecoveryPointId point) throws ProviderException {
        if (host.writtenSince(point)) {
            return Answer.WRITTEN;
        }
        world.checks.compared(host);
        return Answer.UNCHANGED;
    }

    private void drain(RecoveryPointId point) throws ProviderException, ReplicationException {
        if (!host.recorded.contains(point)) {
            // What a life before this one cut may be older than what was written since.
            host.provider.delete(SimulatedHost.snapshot(point));
            host.cut(point);
            world.mayCrash();
            host.recorded.add(point);
            world.mayCrash();
        }
        asking = true;
        host.source.start(point, Message.Purpose.SYNC, (done, _) -> answered(done ? Answer.DONE : Answer.FAILED));
    }

    private void askPeer(Optional<RecoveryPointId> handed) {
        asking = true;
        world.network.<Optional<ReplicationError>>ask(
                host, peer -> peer.target.asked(handed), heard -> heard(handed, heard));
    }

    private void heard(Optional<RecoveryPointId> handed, Optional<Optional<ReplicationError>> heard) {
        if (heard.isEmpty()) {
            answered(unanswered());
        } else if (heard.get().isEmpty()) {
            answered(Answer.YES);
        } else {
            boolean notSource = heard.get().get() instanceof ReplicationError.PeerRefused refused
                    && refused.code().equals("not-source");
            answered(handed.isPresent() || notSource ? Answer.NO : Answer.FAILED);
        }
    }

    Answer unanswered() {
        return Answer.FAILED;
    }

    private void answered(Answer given) {
        asking = false;
        answer = given;
        wake();
    }

    private boolean becomeTarget(LinkEvent event) {
        if (LinkTransitions.next(host.state, event).isEmpty()) {
            return false;
        }
        host.become(Role.TARGET);
        world.mayCrash();
        return true;
    }

    private void unplanned() throws ProviderException, ReplicationException {
        world.mayCrash();
        if (host.role == Role.SOURCE) {
            ended(true);
            return;
        }
        boolean promoted;
        try {
            promoted = LinkTransitions.next(host.state, LinkEvent.PROMOTED).isPresent()
                    && host.target.settle()
                    && host.target.promote();
        } catch (ProviderException | ReplicationException e) {
            promoted = false;
        }
        ended(promoted);
    }

    void follow() throws ProviderException, ReplicationException {
        world.mayCrash();
        if (host.role == Role.TARGET) {
            ended(true);
            return;
        }
        if (answer == null) {
            askPeer(Optional.empty());
            return;
        }
        boolean follows = answer == Answer.YES && becomeTarget(LinkEvent.FOLLOWED);
        answer = null;
        ended(follows);
    }

    final void ended(boolean done) throws ProviderException, ReplicationException {
        note(done ? "reversal has succeeded" : "reversal has failed");
        var was = request.orElseThrow();
        request = Optional.empty();
        step = null;
        answer = null;
        world.reversed(host, was, done);
    }

    @Override
    final void forget() {
        step = null;
        answer = null;
        asking = false;
    }

    @Override
    final Object state() {
        return step == null ? "-" : step.reversal().stage();
    }
}
