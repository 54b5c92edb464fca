package io.tidemark.agent;

import io.tidemark.agent.RecoveryPointSurvey.ProviderCut;
import io.tidemark.consistency.AchievedConsistency;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.consistency.attestation.Attestation;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.consistency.attestation.Statement;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.Cut;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes recovery points of volumes on this host: freezes applications, then file systems; cuts; asks every freeze
 * whether it held; thaws in reverse; and records what was achieved, not what was intended. One at a time: two frozen
 * windows at once would lengthen each other.
 */
public final class LocalRecoveryPointTaker implements RecoveryPointTaker {
    private static final Logger LOG = LoggerFactory.getLogger(LocalRecoveryPointTaker.class);

    /**
     * Writing out ends when a round was as short as this: what was dirtied meanwhile is then written in about that
     * time too, inside the freeze.
     */
    private static final Duration SHORT_ROUND = Duration.ofMillis(25);
    /** A writer that dirties faster than the storage writes would keep it going for ever. */
    private static final int FLUSH_ROUNDS_MAXIMUM = 6;

    /** Of the freeze limit that a round may take at most: freezing writes out as much once more, and the cut comes too. */
    private static final int WRITE_OUT_PART = 4;

    /** Among the evidence: what the plan warned of, a line each. */
    private static final String WARNINGS = "plan_warnings";

    private final RecoveryPointPlanner planner;
    private final Quiescers quiescers;
    private final FileSystems fileSystems;
    private final SnapshotRemoval removal;
    private final HostIdentity host;
    private final SigningKey key;
    private final InstantSource clock;
    private final Moments moments;
    private final Turn turn = new Turn();

    public LocalRecoveryPointTaker(
            Providers providers,
            Quiescers quiescers,
            FileSystems fileSystems,
            HostIdentity host,
            SigningKey key,
            InstantSource clock,
            Moments moments) {
        this.planner = new RecoveryPointPlanner(providers, quiescers, fileSystems);
        this.quiescers = quiescers;
        this.fileSystems = fileSystems;
        this.removal = new SnapshotRemoval(providers);
        this.host = host;
        this.key = key;
        this.clock = clock;
        this.moments = moments;
    }

    @Override
    public RecoveryPointPlan plan(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException {
        return planner.survey(id, group).plan();
    }

    /** Looks again, because a plan may be old: mounts and forecasts of now may refuse what the plan allowed. */
    @Override
    public RecoveryPoint take(RecoveryPointPlan plan, ProgressListener listener) throws ConsistencyException {
        return take(plan, listener, Rendezvous.ALONE);
    }

    /** As {@link #take(RecoveryPointPlan, ProgressListener)}, together with other hosts. */
    RecoveryPoint take(RecoveryPointPlan plan, ProgressListener listener, Rendezvous rendezvous)
            throws ConsistencyException {
        turn.take(plan.recoveryPoint(), listener);
        try {
            var survey = planner.survey(plan.recoveryPoint(), plan.group());
            FrozenWindowRehearsal.run(fileSystems);
            moments.reached(Moment.RECOVERY_POINT_PLANNED);
            return takeOrUndo(survey, listener, rendezvous);
        } finally {
            turn.end();
        }
    }

    private RecoveryPoint takeOrUndo(RecoveryPointSurvey survey, ProgressListener listener, Rendezvous rendezvous)
            throws ConsistencyException {
        var id = survey.plan().recoveryPoint();
        boolean taken = false;
        try {
            var point = record(survey, freezeCutThaw(survey, listener, rendezvous), rendezvous.order());
            taken = true;
            LOG.info(
                    "recovery_point_taken id={} group={} consistency={} freezeMillis={} volumes={}",
                    id,
                    point.group(),
                    point.consistency(),
                    point.certificate().freezeWindowNanos().orElse(0) / 1_000_000,
                    point.members().size());
            return point;
        } catch (ProviderException e) {
            throw new ConsistencyException(RecoveryPointPlanner.ofProvider(e.error()), e);
        } finally {
            if (!taken) {
                undoAfterFailure(id);
            }
        }
    }

    private void undoAfterFailure(RecoveryPointId id) {
        try {
            undo(id);
        } catch (ConsistencyException e) {
            // The failure that led here is the one to report; the id is known and can be undone again.
            LOG.warn("recovery_point_not_undone id={} error={}", id, e.getMessage());
        }
    }

    /**
     * @param applications thawed last, so their freezes enclose everything else
     * @param lowered why file systems were not frozen although it was planned
     */
    private record Taken(
            List<Cut> cuts, Frozen.Release fileSystems, Frozen.Release applications, Optional<String> lowered) {}

    private Taken freezeCutThaw(RecoveryPointSurvey survey, ProgressListener listener, Rendezvous rendezvous)
            throws ConsistencyException, ProviderException {
        var plan = survey.plan();
        var id = plan.recoveryPoint();
        var limit = plan.group().freezeLimit();
        try (var armed = fileSystems.arm(id, survey.toFreeze(), limit);
                var applications = new FrozenApplications()) {
            boolean freezes = !survey.toFreeze().isEmpty();
            if (freezes) {
                moments.reached(Moment.GUARD_ARMED);
            }
            for (var quiescer : survey.quiescers()) {
                say(listener, "freeze " + quiescer.kind());
                applications.freeze(quiescer, id, limit);
                moments.reached(Moment.DATABASE_FROZEN);
            }
            rendezvous.prepared();
            say(listener, "write out");
            var lowered = lowerWhenTooLong(writeOut(armed, survey.cuts()), survey);
            moments.reached(Moment.WRITTEN_OUT);
            rendezvous.ready();
            Turn.refuseWhenCancelled(id, listener);
            say(listener, "cut");
            applications.hold(limit);
            if (applications.any()) {
                moments.reached(Moment.DATABASE_HELD);
            }
            var window = lowered.isEmpty()
                    ? FrozenWindow.pass(armed, freezes, survey.cuts(), rendezvous, moments)
                    : FrozenWindow.pass(FileSystems.Armed.NOTHING, false, survey.cuts(), rendezvous, moments);
            var released = applications.askAndThaw();
            moments.reached(Moment.THAWED);
            return new Taken(window.cuts(), window.release(), released, lowered);
        }
    }

    /** Chosen before anything is held: a freeze that does not fit expires, and its writers would have waited for nothing. */
    private static Optional<String> lowerWhenTooLong(Duration round, RecoveryPointSurvey survey)
            throws ConsistencyException {
        var group = survey.plan().group();
        if (survey.toFreeze().isEmpty() || round.compareTo(group.freezeLimit().dividedBy(WRITE_OUT_PART)) <= 0) {
            return Optional.empty();
        }
        var tooLong = new ConsistencyError.WriteOutTooLong(round, group.freezeLimit());
        if (survey.copiedIsFrozen() || group.requireConsistency() != Consistency.CRASH) {
            throw new ConsistencyException(tooLong);
        }
        return Optional.of(tooLong.message() + "; file systems were not frozen");
    }

    /**
     * Repeats until a round is short: what a round takes to write is what the writers dirty meanwhile, and less.
     *
     * @return how long the file systems took in the last round
     */
    private static Duration writeOut(FileSystems.Armed armed, List<ProviderCut> cuts)
            throws ConsistencyException, ProviderException {
        var flushed = Duration.ZERO;
        for (int round = 0; round < FLUSH_ROUNDS_MAXIMUM; round++) {
            long started = System.nanoTime();
            armed.flush();
            flushed = Duration.ofNanos(System.nanoTime() - started);
            for (var cut : cuts) {
                cut.provider().prepare(cut.request());
            }
            if (System.nanoTime() - started < SHORT_ROUND.toNanos()) {
                break;
            }
        }
        return flushed;
    }

    private RecoveryPoint record(RecoveryPointSurvey survey, Taken taken, Optional<Certificate.Order> order)
            throws ConsistencyException {
        var group = survey.plan().group();
        List<Certificate.Freeze> freezes = new ArrayList<>(taken.applications().freezes());
        freezes.addAll(taken.fileSystems().freezes());
        List<Certificate.CutTimes> times = new ArrayList<>();
        List<RecoveryPoint.Member> members = new ArrayList<>();
        for (var cut : taken.cuts()) {
            for (var member : cut.members()) {
                var snapshot = member.snapshot();
                times.add(new Certificate.CutTimes(snapshot.id(), member.startedNanos(), member.finishedNanos()));
                members.add(new RecoveryPoint.Member(snapshot.id().volume(), snapshot.id(), snapshot.sizeBytes()));
            }
        }
        boolean atomic = taken.cuts().size() == 1 && taken.cuts().getFirst().atomic();
        var bare = new Certificate(host.host(), host.bootId(), freezes, times, atomic, List.of());
        var wanted = planner.wanted(group, survey.volumes(), mountedBeforeAndAfter(survey));
        var verdict = AchievedConsistency.decide(bare, wanted);
        var reasons = new ArrayList<String>();
        taken.lowered().ifPresent(reasons::add);
        reasons.addAll(verdict.reasons());
        refuseTorn(survey, bare, wanted);
        if (!verdict.consistency().atLeast(group.requireConsistency())) {
            throw new ConsistencyException(new ConsistencyError.NotAchieved(
                    group.requireConsistency(),
                    Optional.of(verdict.consistency()),
                    String.join("; ", verdict.reasons())));
        }
        var point = new RecoveryPoint(
                survey.plan().recoveryPoint(),
                group.id(),
                clock.instant(),
                verdict.consistency(),
                new Certificate(host.host(), host.bootId(), freezes, times, atomic, reasons, order),
                members,
                evidence(survey, taken, reasons),
                Optional.empty(),
                Optional.empty());
        return point.attested(Attestation.sign(Statement.of(point, wanted), key));
    }

    /** What nobody could check is signed with the rest: where an application's data lies, for one. */
    private static Map<String, String> evidence(RecoveryPointSurvey survey, Taken taken, List<String> reasons) {
        var evidence = new HashMap<>(taken.applications().evidence());
        var warnings = new ArrayList<>(survey.plan().warnings());
        // Some foretold what the certificate says itself.
        warnings.removeAll(reasons);
        if (!warnings.isEmpty()) {
            evidence.put(WARNINGS, String.join("\n", warnings));
        }
        return evidence;
    }

    private static void refuseTorn(
            RecoveryPointSurvey survey, Certificate certificate, AchievedConsistency.Wanted wanted)
            throws ConsistencyException {
        var copied = new HashMap<>(wanted.mountPoints());
        copied.keySet().retainAll(survey.copied());
        var torn = AchievedConsistency.torn(certificate, copied);
        if (!torn.isEmpty()) {
            throw new ConsistencyException(new ConsistencyError.NotAchieved(
                    survey.plan().group().requireConsistency(), Optional.empty(), String.join("; ", torn)));
        }
    }

    /** A file system that was mounted while we were at it was not frozen, and must count. */
    private List<MountedVolume> mountedBeforeAndAfter(RecoveryPointSurvey survey) throws ConsistencyException {
        var all = new ArrayList<>(survey.mounted());
        for (var now : fileSystems.mountedFrom(planner.volumes(survey.plan().group()))) {
            if (all.stream().noneMatch(before -> before.device().equals(now.device()))) {
                all.add(now);
            }
        }
        return all;
    }

    private static void say(ProgressListener listener, String phase) {
        listener.progress(new Operation.Progress(phase, 0, 0, ""));
    }

    @Override
    public void undo(RecoveryPointId id) throws ConsistencyException {
        undo(id, volume -> true);
    }

    /** As {@link #undo(RecoveryPointId)}, of some volumes alone. */
    public void undo(RecoveryPointId id, Predicate<VolumeId> volumes) throws ConsistencyException {
        removal.removeAll(id, volumes);
    }

    @Override
    public void sweepFreezes() {
        // An application may need its file system in order to thaw.
        fileSystems.sweep();
        quiescers.sweep();
    }

    /**
     * Names of the settings of a kind of application that name files with secrets.
     *
     * @throws ConsistencyException UnknownQuiescer
     */
    public Set<String> secretSettings(String kind) throws ConsistencyException {
        return quiescers.explain(new QuiescerSpec(kind, Map.of())).settings().stream()
                .filter(Explanation.Setting::isSecret)
                .map(Explanation.Setting::name)
                .collect(Collectors.toUnmodifiableSet());
    }
}
