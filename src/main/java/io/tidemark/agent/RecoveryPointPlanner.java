package io.tidemark.agent;

import io.tidemark.agent.RecoveryPointSurvey.ProviderCut;
import io.tidemark.consistency.AchievedConsistency;
import io.tidemark.consistency.AchievedConsistency.Application;
import io.tidemark.consistency.AchievedConsistency.Wanted;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks at volumes, mounts and applications, and decides what can be reached. Changes nothing. */
final class RecoveryPointPlanner {
    /**
     * What freezing and thawing one file system takes beside the cut, for the estimate alone: ext4 took 35-80 ms to
     * freeze after one sync and 3-60 ms to thaw on two cores with 2,000 writes/s.
     */
    private static final Duration FREEZE_AND_THAW_ESTIMATE = Duration.ofMillis(80);

    private final Providers providers;
    private final Quiescers quiescers;
    private final FileSystems fileSystems;

    RecoveryPointPlanner(Providers providers, Quiescers quiescers, FileSystems fileSystems) {
        this.providers = providers;
        this.quiescers = quiescers;
        this.fileSystems = fileSystems;
    }

    RecoveryPointSurvey survey(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException {
        var volumes = volumes(group);
        var cuts = cuts(id, volumes);
        var forecasts = forecasts(cuts);
        var warnings = new ArrayList<String>();
        var mounted = fileSystems.mountedFrom(volumes);
        var toFreeze = toFreeze(group, volumes, mounted, warnings);
        var copied = copied(cuts, forecasts);
        toFreeze = withinLimit(group, toFreeze, forecasts, copied, warnings);
        refuseCopyWithoutFreeze(mounted, toFreeze, copied);
        var applications = new ArrayList<Quiescer>();
        for (var spec : group.quiescers()) {
            var quiescer = quiescers.create(spec);
            if (usable(quiescer, volumes, warnings)) {
                applications.add(quiescer);
            }
        }
        boolean atomic = cuts.size() == 1 && forecasts.getFirst().atomic();
        var expected = AchievedConsistency.decide(
                asIfAllHeld(id, volumes, toFreeze, applications, atomic), wanted(group, volumes, mounted));
        expected.reasons().stream().filter(reason -> !warnings.contains(reason)).forEach(warnings::add);
        if (!expected.consistency().atLeast(group.requireConsistency())) {
            throw new ConsistencyException(new ConsistencyError.NotAchievable(
                    group.requireConsistency(), expected.consistency(), String.join("; ", warnings)));
        }
        var plan = new RecoveryPointPlan(
                id,
                group,
                steps(group, applications, toFreeze, cuts, forecasts),
                expected.consistency(),
                expectedFreeze(toFreeze, forecasts),
                toFreeze.stream().map(fs -> fs.mountPoint().toString()).toList(),
                warnings);
        return new RecoveryPointSurvey(plan, volumes, cuts, applications, mounted, toFreeze, copied);
    }

    /** What would have to be frozen for the most that the group can reach. */
    Wanted wanted(ConsistencyGroup group, List<Volume> volumes, List<MountedVolume> mounted)
            throws ConsistencyException {
        Map<VolumeId, List<String>> mountPoints = new LinkedHashMap<>();
        var files = new HashSet<VolumeId>();
        for (var volume : volumes) {
            if (volume.can(Capability.FILES)) {
                files.add(volume.id());
                continue;
            }
            mountPoints.put(
                    volume.id(),
                    mounted.stream()
                            .filter(fileSystem -> fileSystem.volume().equals(volume.id()))
                            .map(fileSystem -> fileSystem.mountPoint().toString())
                            .toList());
        }
        var applications = new ArrayList<Application>();
        for (var spec : group.quiescers()) {
            var quiescer = quiescers.create(spec);
            applications.add(new Application(quiescer.kind(), quiescer.subject()));
        }
        return new Wanted(mountPoints, files, applications);
    }

    List<Volume> volumes(ConsistencyGroup group) throws ConsistencyException {
        var volumes = new ArrayList<Volume>();
        for (var id : group.volumes()) {
            try {
                volumes.add(providers.of(id).volume(id));
            } catch (ProviderException e) {
                throw new ConsistencyException(ofProvider(e.error()), e);
            }
        }
        return volumes;
    }

    static ConsistencyError ofProvider(ProviderError error) {
        return error instanceof ProviderError.VolumeNotFound(VolumeId volume)
                ? new ConsistencyError.VolumeUnknown(volume)
                : new ConsistencyError.Storage(error);
    }

    private List<ProviderCut> cuts(RecoveryPointId id, List<Volume> volumes) throws ConsistencyException {
        var byProvider = new LinkedHashMap<String, List<VolumeId>>();
        for (var volume : volumes) {
            byProvider
                    .computeIfAbsent(volume.id().provider(), name -> new ArrayList<>())
                    .add(volume.id());
        }
        var cuts = new ArrayList<ProviderCut>();
        for (var members : byProvider.values()) {
            try {
                cuts.add(new ProviderCut(providers.of(members.getFirst()), new CutRequest(id, members)));
            } catch (ProviderException e) {
                throw new ConsistencyException(ofProvider(e.error()), e);
            }
        }
        return cuts;
    }

    private static List<CutForecast> forecasts(List<ProviderCut> cuts) throws ConsistencyException {
        var forecasts = new ArrayList<CutForecast>();
        for (var cut : cuts) {
            try {
                forecasts.add(cut.provider().forecast(cut.request().volumes()));
            } catch (ProviderException e) {
                throw new ConsistencyException(ofProvider(e.error()), e);
            }
        }
        return forecasts;
    }

    private List<MountedVolume> toFreeze(
            ConsistencyGroup group, List<Volume> volumes, List<MountedVolume> mounted, List<String> warnings)
            throws ConsistencyException {
        if (!group.freezeFileSystems()) {
            warnings.add("the group does not freeze file systems");
            return List.of();
        }
        var unavailable = fileSystems.unavailableReason();
        if (unavailable.isPresent()) {
            warnings.add("file systems cannot be frozen on this host: " + unavailable.get());
            return List.of();
        }
        fileSystems.refuseWhatWeStandOn(mounted, volumes);
        return mounted;
    }

    /** A cut that is predicted to outlast the limit expires every freeze: lower consistency, or refuse a torn copy. */
    private static List<MountedVolume> withinLimit(
            ConsistencyGroup group,
            List<MountedVolume> toFreeze,
            List<CutForecast> forecasts,
            Set<VolumeId> copied,
            List<String> warnings)
            throws ConsistencyException {
        var predicted = cutDuration(forecasts);
        if (toFreeze.isEmpty() || predicted.compareTo(group.freezeLimit()) <= 0) {
            return toFreeze;
        }
        var tooLong = new ConsistencyError.CutTooLong(predicted, group.freezeLimit(), notes(forecasts));
        boolean torn = toFreeze.stream().anyMatch(fileSystem -> copied.contains(fileSystem.volume()));
        if (torn || group.requireConsistency() != Consistency.CRASH) {
            throw new ConsistencyException(tooLong);
        }
        warnings.add(tooLong.message() + "; file systems are not frozen");
        return List.of();
    }

    /** Volumes that the storage copies while they are written, unless their file systems are held. */
    private static Set<VolumeId> copied(List<ProviderCut> cuts, List<CutForecast> forecasts) {
        var copied = new HashSet<VolumeId>();
        for (int index = 0; index < cuts.size(); index++) {
            var volumes = cuts.get(index).request().volumes();
            if (volumes.size() == 1 && !forecasts.get(index).atomic()) {
                copied.addAll(volumes);
            }
        }
        return copied;
    }

    private static void refuseCopyWithoutFreeze(
            List<MountedVolume> mounted, List<MountedVolume> toFreeze, Set<VolumeId> copied)
            throws ConsistencyException {
        for (var fileSystem : mounted) {
            if (copied.contains(fileSystem.volume()) && !toFreeze.contains(fileSystem)) {
                throw new ConsistencyException(new ConsistencyError.FreezeFailed(
                        Certificate.FILE_SYSTEM,
                        fileSystem.mountPoint().toString(),
                        "volume %s is copied, which is of one instant only while its file systems are frozen"
                                .formatted(fileSystem.volume())));
            }
        }
    }

    private static boolean usable(Quiescer quiescer, List<Volume> volumes, List<String> warnings)
            throws ConsistencyException {
        try {
            warnings.addAll(quiescer.check(volumes).warnings());
            return true;
        } catch (ConsistencyException e) {
            if (e.error() instanceof ConsistencyError.FreezeFailed) {
                warnings.add(e.error().message());
                return false;
            }
            throw e;
        }
    }

    /** The certificate of a run in which everything goes as planned. */
    private static Certificate asIfAllHeld(
            RecoveryPointId id,
            List<Volume> volumes,
            List<MountedVolume> toFreeze,
            List<Quiescer> applications,
            boolean atomic) {
        var freezes = new ArrayList<Certificate.Freeze>();
        for (var application : applications) {
            freezes.add(held(application.kind(), application.subject()));
        }
        for (var fileSystem : toFreeze) {
            freezes.add(held(Certificate.FILE_SYSTEM, fileSystem.mountPoint().toString()));
        }
        var cuts = volumes.stream()
                .map(volume -> new Certificate.CutTimes(new SnapshotId(volume.id(), id), 2, 3))
                .toList();
        return new Certificate("", "", freezes, cuts, atomic, List.of());
    }

    private static Certificate.Freeze held(String kind, String subject) {
        return new Certificate.Freeze(kind, subject, 0, 1, 4, 5, true, Map.of());
    }

    private static List<String> steps(
            ConsistencyGroup group,
            List<Quiescer> applications,
            List<MountedVolume> toFreeze,
            List<ProviderCut> cuts,
            List<CutForecast> forecasts) {
        var steps = new ArrayList<String>();
        if (!toFreeze.isEmpty()) {
            steps.add("arm the thaw guard with a limit of %d ms"
                    .formatted(group.freezeLimit().toMillis()));
        }
        for (var application : applications) {
            steps.add("freeze %s %s".formatted(application.kind(), application.subject()));
        }
        steps.add("write out what is dirty");
        for (var application : applications) {
            steps.add("hold the writers of %s %s, where it needs that"
                    .formatted(application.kind(), application.subject()));
        }
        for (var fileSystem : toFreeze) {
            steps.add("freeze file system %s (%s, volume %s)"
                    .formatted(fileSystem.mountPoint(), fileSystem.type(), fileSystem.volume()));
        }
        for (int index = 0; index < cuts.size(); index++) {
            steps.add("cut %s together, predicted %d ms: %s"
                    .formatted(
                            cuts.get(index).request().volumes(),
                            forecasts.get(index).duration().toMillis(),
                            String.join("; ", forecasts.get(index).notes())));
        }
        if (!toFreeze.isEmpty() || !applications.isEmpty()) {
            steps.add("ask every freeze whether it held, thaw in reverse order");
        }
        return steps;
    }

    private static Duration expectedFreeze(List<MountedVolume> toFreeze, List<CutForecast> forecasts) {
        return toFreeze.isEmpty()
                ? Duration.ZERO
                : cutDuration(forecasts).plus(FREEZE_AND_THAW_ESTIMATE.multipliedBy(toFreeze.size()));
    }

    private static Duration cutDuration(List<CutForecast> forecasts) {
        return forecasts.stream().map(CutForecast::duration).reduce(Duration.ZERO, Duration::plus);
    }

    private static String notes(List<CutForecast> forecasts) {
        return String.join(
                "; ", forecasts.stream().flatMap(f -> f.notes().stream()).toList());
    }
}
