package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Rolls the members back, one after the other; each alone is atomic. None is begun while one of them is open, so that
 * they do not come to be of two times: it fails, or waits until all are closed. A crash between two is finished by the
 * restart, which goes on behind the last member that was written down as rolled back, and so keeps what was written to
 * those since. The one that was in work: of this host's storage it is rolled back once more, unless somebody has it open;
 * at an agent that was given an id it is asked for by that, and the agent knows whether it has begun it; at an agent that
 * was asked without an id, or is not the one that was asked, it ends {@code RollbackUntold}.
 */
final class RollbackOperation implements OperationKind {
    static final String KIND = "rollback";

    /** Of a request; those that older versions wrote down have none, and refuse. */
    static final String WHEN_OPEN = "whenOpen";

    /**
     * Step before a member of this host, or of an agent that is asked without an id, followed by its number from 1. The
     * software before wrote it down for every agent.
     */
    private static final String ROLLING_BACK = "rolling-back-";

    /**
     * Step before a member of an agent that is asked under an id, followed by its number from 1, a hyphen and the
     * fingerprint of the agent's key. The software before cannot read it, and fails: better than to ask in its own way.
     */
    private static final String ROLLING_BACK_ONCE = ROLLING_BACK + "once-";

    /** Step after a member, followed by how many are rolled back, in the order of the recovery point. */
    private static final String ROLLED_BACK = "rolled-back-";

    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final LiveHost live;
    private final WorkAnywhere work;
    private final ClosedVolumes closed;
    private final Moments moments;

    RollbackOperation(
            ControlPorts.Stores stores, Providers providers, LiveHost live, ClosedVolumes closed, Moments moments) {
        this.stores = stores;
        this.providers = providers;
        this.live = live;
        this.work = new WorkAnywhere(providers);
        this.closed = closed;
        this.moments = moments;
    }

    @Override
    public String name() {
        return KIND;
    }

    private static RecoveryPointId id(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    private static boolean isDeferred(ObjectNode request) {
        return Json.optionalText(request, WHEN_OPEN)
                .filter(WhenOpen.DEFER.word()::equals)
                .isPresent();
    }

    /** Whether it is a rollback that waits for open volumes, or did. */
    static boolean isDeferred(Operation operation) {
        return operation.kind().equals(KIND) && isDeferred(Json.object(operation.requestJson()));
    }

    /** Of an operation of this kind. */
    static RecoveryPointId point(Operation operation) {
        return id(Json.object(operation.requestJson()));
    }

    /** One that waits keeps its recovery point from being deleted, and nobody from its volumes. */
    @Override
    public List<Claim> claims(ObjectNode request) {
        var claims = new ArrayList<Claim>();
        claims.add(Claim.shared(id(request)));
        if (!isDeferred(request)) {
            stores.recoveryPoints().find(id(request)).stream()
                    .flatMap(point -> RollbackRecoveryPoint.volumes(point).stream())
                    .map(Claim::alone)
                    .forEach(claims::add);
        }
        return claims;
    }

    /** Who waits for days takes no turn from others. */
    @Override
    public String lane(ObjectNode request) {
        return isDeferred(request) ? "deferred rollback to " + id(request) : OperationKind.super.lane(request);
    }

    private static int rolledBack(Operation operation) {
        var step = operation.step();
        if (step.startsWith(ROLLING_BACK_ONCE)) {
            return Integer.parseInt(onceParts(step)[0]) - 1;
        }
        if (step.startsWith(ROLLING_BACK)) {
            return Integer.parseInt(step.substring(ROLLING_BACK.length())) - 1;
        }
        return step.startsWith(ROLLED_BACK) ? Integer.parseInt(step.substring(ROLLED_BACK.length())) : 0;
    }

    private static String[] onceParts(String step) {
        return step.substring(ROLLING_BACK_ONCE.length()).split("-", 2);
    }

    /** How the member in work was asked for, where one is. */
    private static Optional<WorkAnywhere.Way> asked(Operation operation) {
        var step = operation.step();
        if (step.startsWith(ROLLING_BACK_ONCE)) {
            return Optional.of(new WorkAnywhere.Way(Optional.of(onceParts(step)[1])));
        }
        return step.startsWith(ROLLING_BACK) ? Optional.of(WorkAnywhere.Way.WITHOUT_ID) : Optional.empty();
    }

    /** Asks for the rollback of one member: how, is the step that the operation is at. */
    private record Asking(RecoveryPoint point, RecoveryPoint.Member member, int number, Running running)
            implements WorkAnywhere.Once {
        @Override
        public Optional<WorkAnywhere.Way> asked() {
            return RollbackOperation.asked(running.operation());
        }

        @Override
        public void asking(WorkAnywhere.Way way) {
            running.step(way.rememberedBy()
                    .map(agent -> ROLLING_BACK_ONCE + number + "-" + agent)
                    .orElse(ROLLING_BACK + number));
        }

        @Override
        public ControlException untold(String reason) {
            return new ControlException(new ControlError.RollbackUntold(point.id(), member.volume(), reason));
        }
    }

    /** At an agent that was not given an id: nobody knows, whatever it is now, and however long one waits for it. */
    private void refuseUntold(RecoveryPoint point, Running running) throws ControlException {
        if (wasAskedWithoutId(running.operation())) {
            var volume = left(point, running).getFirst().volume();
            if (volume.agent().isPresent()) {
                throw new ControlException(
                        new ControlError.RollbackUntold(point.id(), volume, WorkAnywhere.WITHOUT_ID_REASON));
            }
        }
    }

    /**
     * A process died while it rolled a volume back, or just after it. Where somebody has opened the volume since, he may
     * have written to what he took for the recovery point: it must not be rolled back once more when he closes it.
     */
    private void refuseUnknown(RecoveryPoint point, Running running) throws ControlException, ProviderException {
        if (wasAskedWithoutId(running.operation())) {
            var volume = left(point, running).getFirst().volume();
            try {
                closed.refuseOpen(List.of(volume));
            } catch (ProviderException e) {
                if (e.error() instanceof ProviderError.Busy) {
                    throw new ControlException(new ControlError.RollbackUnknown(point.id(), volume));
                }
                throw e;
            }
        }
    }

    private static List<VolumeId> volumes(List<RecoveryPoint.Member> members) {
        return members.stream().map(RecoveryPoint.Member::volume).distinct().toList();
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var id = id(request);
        var point = stores.recoveryPoints()
                .find(id)
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("recovery point", id.value())));
        try {
            RollbackRecoveryPoint.refuseLive(volumes(left(point, running)), live);
            refuseUntold(point, running);
            if (isDeferred(request)) {
                refuseUnknown(point, running);
                rollBackOnceClosed(point, running);
            } else {
                for (var volume : volumes(toBegin(point, running))) {
                    work.answered(volume, "rollback of " + volume, running, () -> {
                        closed.refuseOpen(List.of(volume));
                        return volume;
                    });
                }
                rollBack(point, running);
            }
        } catch (ProviderException e) {
            throw ended(point, running, e.error().message(), e);
        } catch (ControlException e) {
            throw e.error() instanceof ControlError.Stopping
                    ? e
                    : ended(point, running, e.error().message(), e);
        }
        var result = Json.object().put("recoveryPoint", id.value());
        var volumes = result.putArray("volumes");
        for (var member : point.members()) {
            var volume = member.volume();
            volumes.add(Documents.volume(work.answered(
                    volume,
                    "rollback of " + volume,
                    running,
                    () -> providers.of(volume).volume(volume))));
        }
        return result;
    }

    private static boolean wasAskedWithoutId(Operation operation) {
        return asked(operation).equals(Optional.of(WorkAnywhere.Way.WITHOUT_ID));
    }

    /** Those that nobody has begun: one that an agent has is asked of it, not of whether somebody has it open since. */
    private static List<RecoveryPoint.Member> toBegin(RecoveryPoint point, Running running) {
        var left = left(point, running);
        boolean askedAtAgent = asked(running.operation())
                .flatMap(WorkAnywhere.Way::rememberedBy)
                .isPresent();
        return askedAtAgent ? left.subList(1, left.size()) : left;
    }

    private static List<RecoveryPoint.Member> left(RecoveryPoint point, Running running) {
        return point.members()
                .subList(rolledBack(running.operation()), point.members().size());
    }

    private void rollBackOnceClosed(RecoveryPoint point, Running running) throws Exception {
        moments.reached(Moment.ROLLBACK_WAITING);
        while (!left(point, running).isEmpty()) {
            var held = closed.await(volumes(left(point, running)), running);
            ProviderError.Busy opened;
            try (held) {
                moments.reached(Moment.ROLLBACK_CLOSED);
                RollbackRecoveryPoint.refuseTargets(RollbackRecoveryPoint.volumes(point), stores);
                RollbackRecoveryPoint.refuseLive(volumes(left(point, running)), live);
                rollBack(point, running);
                return;
            } catch (ProviderException e) {
                if (!(e.error() instanceof ProviderError.Busy busy)) {
                    throw e;
                }
                // Somebody has opened it between the last look and the rollback.
                opened = busy;
                running.step(ROLLED_BACK + rolledBack(running.operation()));
            }
            closed.pause(opened, running);
        }
    }

    private void rollBack(RecoveryPoint point, Running running) throws Exception {
        for (var member : left(point, running)) {
            int done = rolledBack(running.operation());
            running.progress(new Operation.Progress("roll back " + member.volume(), 0, 0, ""));
            var unused = work.finish(
                    new WorkAnywhere.Work(
                            member.snapshot().volume(),
                            "%s-%d".formatted(running.operation().id(), done + 1),
                            "rollback of " + member.volume(),
                            Optional.of(new Asking(point, member, done + 1, running)),
                            provider -> provider.rollback(member.snapshot())),
                    running);
            moments.reached(Moment.ROLLBACK_MEMBER_DONE);
            running.step(ROLLED_BACK + (done + 1));
            moments.reached(Moment.ROLLBACK_MEMBER_RECORDED);
        }
    }

    /** What ends it between two members is told as that, whatever it was. */
    private static <E extends Exception> Exception ended(
            RecoveryPoint point, Running running, String reason, E failure) {
        int done = rolledBack(running.operation());
        if (done == 0) {
            return failure;
        }
        var members = point.members();
        var partly = new ControlException(new ControlError.PartlyRolledBack(
                point.id(), volumes(members.subList(0, done)), volumes(left(point, running)), reason));
        partly.initCause(failure);
        return partly;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
