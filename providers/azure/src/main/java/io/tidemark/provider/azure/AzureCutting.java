package io.tidemark.provider.azure;

import io.tidemark.provider.azure.AzurePoints.Together;
import io.tidemark.provider.azure.DiskCalls.Made;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.cloud.CutRates;
import io.tidemark.provider.cloud.PreparedCuts;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Cuts: an incremental snapshot a disk, made by its name, so that asking again for what was not answered makes no
 * second one. No document says that the content is fixed when the creation is answered, so the cut is at its end when
 * the creation is.
 */
final class AzureCutting {
    /** What a creation takes to its end; for the forecast alone. */
    private static final Duration CREATION = Duration.ofSeconds(5);
    /** Between two looks at a creation that goes on. */
    private static final Duration PAUSE_FIRST = Duration.ofMillis(500);

    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(8);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final ArmGate gate;
    private final AzureVolumes volumes;
    private final AzureSnapshots snapshots;
    private final AzurePoints points;
    private final AzureUploads uploads;
    private final RecentEffects recent;
    private final AzureConfig config;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final CutRates rates;
    private final PreparedCuts<Plan> plans = new PreparedCuts<>();

    private record Plan(
            CutRequest request,
            Map<VolumeId, CloudDisk> disks,
            Map<SnapshotId, CloudSnapshot> existing,
            Optional<Together> together,
            Optional<CloudCollection> collection) {
        /** What need not be made. */
        Optional<CloudSnapshot> whole(SnapshotId id) {
            return Optional.ofNullable(existing.get(id))
                    .filter(each -> !each.state().equals(CloudSnapshot.FAILED));
        }
    }

    AzureCutting(
            Arm arm,
            DiskCalls calls,
            Attempts attempts,
            AzureVolumes volumes,
            AzureSnapshots snapshots,
            AzurePoints points,
            AzureUploads uploads,
            RecentEffects recent,
            AzureConfig config,
            InstantSource clock,
            LongSupplier nanos) {
        this.calls = calls;
        this.attempts = attempts;
        this.gate = arm.gate();
        this.volumes = volumes;
        this.snapshots = snapshots;
        this.points = points;
        this.uploads = uploads;
        this.recent = recent;
        this.config = config;
        this.clock = clock;
        this.nanos = nanos;
        this.rates = config.rates(nanos);
    }

    CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        var notes = new ArrayList<String>();
        var found = find(asked);
        var verdict = points.verdict(found);
        for (var each : found.entrySet()) {
            notes.add(verdict.together()
                    .map(together -> "%s: a restore point of machine %s"
                            .formatted(each.getKey(), together.machine().id()))
                    .orElseGet(() -> "%s: an incremental snapshot of %s, one disk after the other: %s"
                            .formatted(each.getKey(), each.getValue().id(), verdict.reason())));
        }
        boolean atomic = asked.size() == 1 || verdict.together().isPresent();
        return new CutForecast(atomic ? CREATION : CREATION.multipliedBy(asked.size()), atomic, notes);
    }

    /** Looks, and ends uploads, so that the cut itself is nothing but the creations. */
    void prepare(CutRequest request) throws ProviderException {
        boolean isPrepared = false;
        points.begun(request.recoveryPoint());
        try {
            planned(request);
            isPrepared = true;
        } finally {
            if (!isPrepared) {
                points.ended(request.recoveryPoint());
            }
        }
    }

    private void planned(CutRequest request) throws ProviderException {
        var looked = withoutUploads(request);
        if (looked.together().isPresent()
                && looked.existing().isEmpty()
                && looked.collection().isEmpty()) {
            request.volumes().forEach(each -> recent.uncertain(new SnapshotId(each, request.recoveryPoint())));
            points.prepare(request.recoveryPoint(), looked.together().get(), looked.disks());
            looked = plan(request);
        }
        var plan = looked;
        if (plan.together().isEmpty()) {
            rates.allow(plan.disks().keySet().stream()
                    .filter(each -> !plan.existing().containsKey(new SnapshotId(each, request.recoveryPoint())))
                    .toList());
        }
        plans.keep(request, plan);
    }

    Cut cut(CutRequest request) throws ProviderException {
        points.begun(request.recoveryPoint());
        try {
            return carriedOut(request);
        } finally {
            points.ended(request.recoveryPoint());
        }
    }

    private Cut carriedOut(CutRequest request) throws ProviderException {
        var prepared = plans.take(request);
        var plan = prepared.isPresent() ? prepared.get() : withoutUploads(request);
        // Writers are held from here on.
        var deadline = new CutDeadline(request.recoveryPoint().toString(), attempts, gate, clock);
        if (plan.collection().isPresent()
                && !plan.collection().get().members(config).isEmpty()) {
            return again(request, plan.collection().get());
        }
        if (plan.together().isPresent() && plan.existing().isEmpty()) {
            return together(plan, plan.together().get(), deadline);
        }
        var members = new ArrayList<Cut.Member>();
        for (var each : plan.disks().entrySet()) {
            var id = new SnapshotId(each.getKey(), request.recoveryPoint());
            members.add(member(id, each.getValue(), plan.whole(id), deadline));
        }
        return new Cut(members.size() == 1, members);
    }

    private Cut together(Plan plan, Together together, CutDeadline deadline) throws ProviderException {
        var of = plan.request().recoveryPoint();
        if (plan.collection().isEmpty()) {
            points.prepare(of, together, plan.disks());
        }
        plan.disks().keySet().forEach(each -> recent.uncertain(new SnapshotId(each, of)));
        long started = nanos.getAsLong();
        var cut = points.cut(of, together, plan.disks(), deadline);
        long finished = nanos.getAsLong();
        cut.forEach(each -> recent.certain(each.id()));
        return new Cut(
                true,
                cut.stream()
                        .map(each -> new Cut.Member(each, started, finished))
                        .toList());
    }

    /** An earlier request has cut them together. */
    private Cut again(CutRequest request, CloudCollection collection) throws ProviderException {
        var known = collection.members(config).values();
        var members = new ArrayList<Cut.Member>();
        for (var volume : request.volumes()) {
            var id = new SnapshotId(volume, request.recoveryPoint());
            var member = known.stream().filter(each -> each.id().equals(id)).findFirst();
            members.add(new Cut.Member(
                    member.orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                            id.toString(), "%s was cut without it".formatted(request.recoveryPoint())))),
                    0,
                    0));
        }
        return new Cut(true, members);
    }

    /** Nothing bounds how long the end of an upload takes as a cut is bounded, so it comes first. */
    private Plan withoutUploads(CutRequest request) throws ProviderException {
        var plan = plan(request);
        boolean isOther = false;
        for (var each : plan.disks().entrySet()) {
            boolean isMade = plan.whole(new SnapshotId(each.getKey(), request.recoveryPoint()))
                    .isPresent();
            if (each.getValue().isUploading() && !isMade) {
                uploads.finish(each.getKey(), each.getValue());
                isOther = true;
            }
        }
        return isOther ? plan(request) : plan;
    }

    private Plan plan(CutRequest request) throws ProviderException {
        var found = find(request.volumes());
        var existing = new LinkedHashMap<SnapshotId, CloudSnapshot>();
        for (var volume : found.keySet()) {
            var id = new SnapshotId(volume, request.recoveryPoint());
            snapshots.find(id).ifPresent(each -> existing.put(id, each));
        }
        var together = points.verdict(found).together();
        var collection =
                together.isPresent() ? points.find(request.recoveryPoint()) : Optional.<CloudCollection>empty();
        return new Plan(request, found, existing, together, collection);
    }

    private Map<VolumeId, CloudDisk> find(List<VolumeId> asked) throws ProviderException {
        var found = new LinkedHashMap<VolumeId, CloudDisk>();
        for (var each : asked) {
            found.put(each, volumes.find(each));
        }
        return found;
    }

    private Cut.Member member(SnapshotId id, CloudDisk disk, Optional<CloudSnapshot> existing, CutDeadline deadline)
            throws ProviderException {
        if (existing.isPresent() && !existing.get().source().equals(disk.id())) {
            throw new ProviderException(new ProviderError.Conflict(
                    id.toString(),
                    "%s is of %s".formatted(existing.get().id(), existing.get().source())));
        }
        long started = nanos.getAsLong();
        var whole = ended(id, existing.isPresent() ? existing : created(id, disk, deadline), deadline);
        long finished = nanos.getAsLong();
        return new Cut.Member(
                AzureSnapshots.snapshot(id, whole),
                existing.isPresent() ? 0 : started,
                existing.isPresent() ? 0 : finished);
    }

    /** Asked for again where no answer came: the name makes it one. What may have been made is kept in mind. */
    private Optional<CloudSnapshot> created(SnapshotId id, CloudDisk disk, CutDeadline deadline)
            throws ProviderException {
        AzureUploads.refuseUploading(id.volume(), disk);
        var group = snapshots.group(id.volume());
        var name = snapshots.name(id);
        var tags = AzureNames.tagsOf(config, id);
        if (disk.isOf(config.installation()) && disk.tags().containsKey(AzureNames.SIZE)) {
            tags.put(AzureNames.SIZE, String.valueOf(disk.sizeBytes()));
        }
        recent.uncertain(id);
        rates.begun(List.of(id.volume()));
        try {
            Made<CloudSnapshot> made =
                    deadline.ask(() -> calls.createSnapshot(group, name, disk.location(), disk.id(), tags));
            made.told().ifPresent(recent::made);
            return made.told();
        } catch (ProviderException e) {
            rates.failed(List.of(id.volume()), e);
            throw e;
        }
    }

    /** The end of a creation, as the snapshot itself tells it. */
    private CloudSnapshot ended(SnapshotId id, Optional<CloudSnapshot> begun, CutDeadline deadline)
            throws ProviderException {
        var told = begun;
        for (var pause = PAUSE_FIRST;
                ;
                pause = pause.multipliedBy(2).compareTo(PAUSE_MAXIMUM) < 0 ? pause.multipliedBy(2) : PAUSE_MAXIMUM) {
            var state = told.map(CloudSnapshot::state).orElse("");
            if (state.equals(CloudSnapshot.SUCCEEDED)) {
                recent.made(told.orElseThrow());
                recent.certain(id);
                return told.orElseThrow();
            }
            if (state.equals(CloudSnapshot.FAILED)) {
                throw new ProviderException(
                        new ProviderError.Unexpected("the creation of " + id, "it ended as Failed at Azure"));
            }
            deadline.pause(pause);
            told = deadline.ask(() -> calls.snapshot(snapshots.group(id.volume()), snapshots.name(id)))
                    .or(() -> begun);
        }
    }
}
