package io.tidemark.agent.remote;

import io.tidemark.agent.HostTake;
import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.SteppedTake;
import io.tidemark.agent.Turn;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.HostsVerdict;
import io.tidemark.consistency.attestation.Statement;
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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes recovery points of groups over several hosts: all are frozen before the first is cut, all are cut before the first
 * is thawed. Groups of this host alone are taken as ever. One group over hosts at a time: two that wait for each other's
 * hosts would wait for ever.
 */
public final class HostsTaker implements RecoveryPointTaker {
    private static final Logger LOG = LoggerFactory.getLogger(HostsTaker.class);
    private static final Duration PLAN_LIMIT = Duration.ofSeconds(60);
    private static final Duration UNDO_LIMIT = Duration.ofSeconds(90);

    private final LocalRecoveryPointTaker here;
    private final ConnectedAgents agents;
    private final String ownKey;
    private final RandomGenerator random;
    private final Turn turn = new Turn();

    /**
     * @param ownKey fingerprint of the key that this host signs with
     * @param random must be unpredictable: see {@link SteppedTake}
     */
    public HostsTaker(LocalRecoveryPointTaker here, ConnectedAgents agents, String ownKey, RandomGenerator random) {
        this.here = here;
        this.agents = agents;
        this.ownKey = ownKey;
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
        // A host alone waits for nobody.
        boolean several = parts.byHost().size() > 1;
        if (several) {
            turn.take(id, listener);
        }
        boolean taken = false;
        Map<String, HostTake> takes = new LinkedHashMap<>();
        try {
            for (var part : parts.byHost().entrySet()) {
                takes.put(part.getKey(), begin(part.getKey(), id, part.getValue()));
            }
            var point = together(plan, parts, takes, listener);
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
            if (several) {
                turn.end();
            }
        }
    }

    private HostTake begin(String host, RecoveryPointId id, ConsistencyGroup part) throws ConsistencyException {
        return isHere(host)
                ? new SteppedTake(here, id, part, host, random)
                : new RemoteTake(agents.connected(host), id, part);
    }

    private RecoveryPoint together(
            RecoveryPointPlan plan, GroupParts parts, Map<String, HostTake> takes, ProgressListener listener)
            throws ConsistencyException {
        var id = plan.recoveryPoint();
        AtEveryHost.Step<Boolean> prepare = take -> {
            take.prepare();
            return true;
        };
        AtEveryHost.Step<Boolean> writeOut = take -> {
            take.writeOut();
            return true;
        };
        say(listener, "prepare");
        var unused = AtEveryHost.ask(id, takes, prepare, listener);
        say(listener, "write out");
        unused = AtEveryHost.ask(id, takes, writeOut, listener);
        say(listener, "cut");
        // From here on nobody asks whether it was cancelled: writers wait, and are let go soon.
        var frozen = AtEveryHost.ask(id, takes, HostTake::freeze, ProgressListener.NONE);
        var cut = AtEveryHost.ask(id, takes, take -> take.cut(frozen), ProgressListener.NONE);
        var points = AtEveryHost.ask(id, takes, take -> take.finish(cut), ProgressListener.NONE);
        var hosts = points.entrySet().stream()
                .map(entry -> new RecoveryPoint.OfHost(entry.getKey(), entry.getValue()))
                .toList();
        for (var host : hosts) {
            refuseOther(id, parts, host);
        }
        return judged(plan.group(), hosts);
    }

    /** What a host answers is what it signed, with its own key, and is about what it was asked for. */
    private void refuseOther(RecoveryPointId id, GroupParts parts, RecoveryPoint.OfHost host)
            throws ConsistencyException {
        var point = host.point();
        var asked = Objects.requireNonNull(parts.byHost().get(host.agent()));
        var volumes = point.members().stream().map(RecoveryPoint.Member::volume).collect(Collectors.toSet());
        boolean right = point.id().equals(id)
                && point.group().equals(asked.id())
                && volumes.equals(Set.copyOf(asked.volumes()));
        try {
            var signed = Attestation.open(point.attestation().orElse(""));
            var key = isHere(host.agent())
                    ? ownKey
                    : agents.connected(host.agent()).fingerprint();
            right = right
                    && signed.signer().equals(key)
                    && Statement.of(point, signed.statement().wanted()).equals(signed.statement());
        } catch (IOException e) {
            right = false;
        }
        if (!right) {
            throw new ConsistencyException(new ConsistencyError.NotTogether(
                    "%s: its answer is not what it was asked for, or not what it has signed".formatted(host.agent())));
        }
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
        } catch (IOException | IllegalArgumentException e) {
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

    private static void say(ProgressListener listener, String phase) {
        listener.progress(new Operation.Progress(phase, 0, 0, ""));
    }

    /** Agents that cannot be asked are looked through when they connect again: their snapshots carry the id. */
    @Override
    public void undo(RecoveryPointId id) throws ConsistencyException {
        ConsistencyException first = null;
        try {
            here.undo(id);
        } catch (ConsistencyException e) {
            first = e;
        }
        for (var agent : agents.connected()) {
            try {
                agent.tell(new AgentCommand.UndoPoint(id), UNDO_LIMIT);
            } catch (ConsistencyException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    @Override
    public void sweepFreezes() {
        here.sweepFreezes();
    }
}
