package io.tidemark.agent.remote;

import io.tidemark.agent.HostTake;
import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.SteppedTake;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.consistency.attestation.HostsVerdict;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes recovery points of groups over several hosts: all are frozen before the first is cut, all are cut before the first
 * is thawed. Groups of this host alone are taken as ever. One group over hosts at a time: two that wait for each other's
 * hosts would wait for ever.
 */
public final class HostsTaker implements RecoveryPointTaker {
    private static final Logger LOG = LoggerFactory.getLogger(HostsTaker.class);
    private static final Duration ASK_CANCELLED_EVERY = Duration.ofMillis(50);
    private static final Duration PLAN_LIMIT = Duration.ofSeconds(60);
    private static final Duration UNDO_LIMIT = Duration.ofSeconds(90);

    private final LocalRecoveryPointTaker here;
    private final ConnectedAgents agents;
    private final RandomGenerator random;
    private final ReentrantLock oneAtATime = new ReentrantLock(true);

    /** @param random must be unpredictable: see {@link SteppedTake} */
    public HostsTaker(LocalRecoveryPointTaker here, ConnectedAgents agents, RandomGenerator random) {
        this.here = here;
        this.agents = agents;
        this.random = random;
    }

    @Override
    public RecoveryPointPlan plan(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException {
        var parts = GroupParts.of(group);
        if (parts.isHere()) {
            return here.plan(id, group);
        }
        Map<String, RecoveryPointPlan> plans = new LinkedHashMap<>();
        for (var part : parts.byHost().entrySet()) {
            plans.put(
                    part.getKey(),
                    isHere(part.getKey())
                            ? here.plan(id, part.getValue())
                            : agents.connected(part.getKey())
                                    .ask(
                                            new AgentCommand.PlanPoint(id, part.getValue()),
                                            PLAN_LIMIT,
                                            RecoveryPointPlan.class));
        }
        return together(id, group, plans);
    }

    private static boolean isHere(String host) {
        return host.equals(Certificate.Order.HERE);
    }

    private static RecoveryPointPlan together(
            RecoveryPointId id, ConsistencyGroup group, Map<String, RecoveryPointPlan> plans)
            throws ConsistencyException {
        var steps = new ArrayList<String>();
        var fileSystems = new ArrayList<String>();
        var warnings = new ArrayList<String>();
        steps.add("at once on %s; all are frozen before the first cut, all are cut before the first thaw"
                .formatted(String.join(", ", plans.keySet())));
        plans.forEach((host, plan) -> {
            plan.steps().forEach(step -> steps.add(host + ": " + step));
            plan.fileSystems().forEach(path -> fileSystems.add(host + ":" + path));
            plan.warnings().forEach(warning -> warnings.add(host + ": " + warning));
        });
        var expected = expected(group, plans);
        if (!expected.atLeast(group.requireConsistency())) {
            throw new ConsistencyException(new ConsistencyError.NotAchievable(
                    group.requireConsistency(), expected, String.join("; ", warnings)));
        }
        var longest = plans.values().stream()
                .map(RecoveryPointPlan::expectedFreeze)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        return new RecoveryPointPlan(id, group, steps, expected, longest, fileSystems, warnings);
    }

    /** A host without applications has reached all it can with {@code FILESYSTEM}; the others decide about the rest. */
    private static Consistency expected(ConsistencyGroup group, Map<String, RecoveryPointPlan> plans) {
        var least = Consistency.APPLICATION;
        for (var plan : plans.values()) {
            boolean enough = plan.group().quiescers().isEmpty() && plan.expected() == Consistency.FILESYSTEM;
            var one = enough && !group.quiescers().isEmpty() ? Consistency.APPLICATION : plan.expected();
            least = least.atLeast(one) ? one : least;
        }
        return least;
    }

    @Override
    public RecoveryPoint take(RecoveryPointPlan plan, ProgressListener listener) throws ConsistencyException {
        var parts = GroupParts.of(plan.group());
        if (parts.isHere()) {
            return here.take(plan, listener);
        }
        var id = plan.recoveryPoint();
        takeTurn(id, listener);
        boolean taken = false;
        Map<String, HostTake> takes = new LinkedHashMap<>();
        try {
            for (var part : parts.byHost().entrySet()) {
                takes.put(part.getKey(), begin(part.getKey(), id, part.getValue()));
            }
            var point = together(plan.group(), takes, listener);
            taken = true;
            LOG.info(
                    "recovery_point_taken id={} group={} consistency={} hosts={}",
                    id,
                    point.group(),
                    point.consistency(),
                    takes.keySet());
            return point;
        } finally {
            if (!taken) {
                end(id, takes);
            }
            oneAtATime.unlock();
        }
    }

    private HostTake begin(String host, RecoveryPointId id, ConsistencyGroup part) throws ConsistencyException {
        return isHere(host)
                ? new SteppedTake(here, id, part, host, random)
                : new RemoteTake(agents.connected(host), id, part);
    }

    private void takeTurn(RecoveryPointId id, ProgressListener listener) throws ConsistencyException {
        try {
            do {
                refuseWhenCancelled(id, listener);
            } while (!oneAtATime.tryLock(ASK_CANCELLED_EVERY.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConsistencyException(new ConsistencyError.Cancelled(id), e);
        }
    }

    private RecoveryPoint together(ConsistencyGroup group, Map<String, HostTake> takes, ProgressListener listener)
            throws ConsistencyException {
        AtEveryHost.Step<Boolean> prepare = take -> {
            take.prepare();
            return true;
        };
        AtEveryHost.Step<Boolean> writeOut = take -> {
            take.writeOut();
            return true;
        };
        say(listener, "prepare");
        var unused = AtEveryHost.ask(takes, prepare, listener);
        say(listener, "write out");
        unused = AtEveryHost.ask(takes, writeOut, listener);
        say(listener, "cut");
        // From here on nobody asks whether it was cancelled: writers wait, and are let go soon.
        var frozen = AtEveryHost.ask(takes, HostTake::freeze, ProgressListener.NONE);
        var cut = AtEveryHost.ask(takes, take -> take.cut(frozen), ProgressListener.NONE);
        var points = AtEveryHost.ask(takes, take -> take.finish(cut), ProgressListener.NONE);
        var hosts = points.entrySet().stream()
                .map(entry -> new RecoveryPoint.OfHost(entry.getKey(), entry.getValue()))
                .toList();
        return judged(group, hosts);
    }

    private static RecoveryPoint judged(ConsistencyGroup group, List<RecoveryPoint.OfHost> hosts)
            throws ConsistencyException {
        try {
            var verdict = HostsVerdict.of(hosts);
            if (!verdict.consistency().atLeast(group.requireConsistency())) {
                throw new ConsistencyException(new ConsistencyError.NotAchieved(
                        group.requireConsistency(),
                        Optional.of(verdict.consistency()),
                        String.join("; ", verdict.reasons())));
            }
            return RecoveryPoint.overHosts(hosts, verdict.consistency(), verdict.reasons());
        } catch (IOException e) {
            throw new ConsistencyException(new ConsistencyError.NotTogether(String.valueOf(e.getMessage())), e);
        }
    }

    /** Ends what is under way everywhere at once, then deletes what some had cut. The failure is reported by who calls. */
    private void end(RecoveryPointId id, Map<String, HostTake> takes) {
        AtEveryHost.close(takes.values());
        for (var host : takes.keySet()) {
            try {
                if (isHere(host)) {
                    here.undo(id);
                } else {
                    agents.connected(host).tell(new AgentCommand.UndoPoint(id), UNDO_LIMIT);
                }
            } catch (ConsistencyException e) {
                LOG.warn("recovery_point_not_undone id={} host={} error={}", id, host, e.getMessage());
            }
        }
    }

    private static void refuseWhenCancelled(RecoveryPointId id, ProgressListener listener) throws ConsistencyException {
        if (listener.cancelled()) {
            throw new ConsistencyException(new ConsistencyError.Cancelled(id));
        }
    }

    private static void say(ProgressListener listener, String phase) {
        listener.progress(new Operation.Progress(phase, 0, 0, ""));
    }

    /** Agents that cannot be asked are looked through when they connect again: their snapshots carry the id. */
    @Override
    public void undo(RecoveryPointId id) throws ConsistencyException {
        here.undo(id);
        for (var agent : agents.connected()) {
            agent.tell(new AgentCommand.UndoPoint(id), UNDO_LIMIT);
        }
    }

    @Override
    public void sweepFreezes() {
        here.sweepFreezes();
    }
}
