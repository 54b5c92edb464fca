package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.cloud.CutRates;
import io.tidemark.provider.cloud.PreparedCuts;
import io.tidemark.provider.ebs.Ec2Calls.Uncertain;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Cuts: one call for all volumes where they are of one instance, else one a volume. A snapshot's content is that of the time
 * when the call is answered; Amazon copies it afterwards. EC2 knows no token for these calls, so what an earlier call
 * made is looked for before, and where an answer was lost, after.
 */
final class EbsCutting {
    /** What a call takes (measured by others: aws-ebs-csi-driver), for the forecast alone. */
    private static final Duration CALL = Duration.ofSeconds(1);
    /** CreateSnapshots leaves out no more (model, {@code ExcludeDataVolumeIds}). */
    private static final int LEFT_OUT_MAXIMUM = 40;

    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final EbsVolumes volumes;
    private final SnapshotFinder finder;
    private final RecentEffects recent;
    private final EbsConfig config;
    private final LongSupplier nanos;
    private final CutRates rates;
    private final PreparedCuts<Plan> plans = new PreparedCuts<>();

    /** @param together of one instance, with the data volumes of it that are left out; empty: one call a volume */
    private record Plan(
            CutRequest request,
            Map<VolumeId, CloudVolume> volumes,
            Map<SnapshotId, List<CloudSnapshot>> existing,
            Optional<Together> together) {}

    private record Together(String instance, boolean withBoot, List<String> leftOut) {}

    EbsCutting(
            Ec2Calls ec2,
            Attempts attempts,
            EbsVolumes volumes,
            SnapshotFinder finder,
            RecentEffects recent,
            EbsConfig config,
            LongSupplier nanos) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.volumes = volumes;
        this.finder = finder;
        this.recent = recent;
        this.config = config;
        this.nanos = nanos;
        this.rates = config.rates(nanos);
    }

    CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        var found = find(asked);
        var together = together(found);
        var notes = new ArrayList<String>();
        for (var each : found.entrySet()) {
            notes.add("%s: %s"
                    .formatted(
                            each.getKey(),
                            together.map(one -> "CreateSnapshots of instance " + one.instance())
                                    .orElse("CreateSnapshot, one volume after the other")));
        }
        var duration = together.isPresent() ? CALL : CALL.multipliedBy(asked.size());
        return new CutForecast(duration, asked.size() == 1 || together.isPresent(), notes);
    }

    /** Looks, so that the cut itself is nothing but the call. */
    void prepare(CutRequest request) throws ProviderException {
        var plan = plan(request);
        var missing = missing(plan);
        rates.allow(missing);
        if (config.keepsRates()) {
            refuseUnfinished(plan, missing);
        }
        plans.keep(request, plan);
    }

    Cut cut(CutRequest request) throws ProviderException {
        var prepared = plans.take(request);
        boolean settled = false;
        for (var volume : request.volumes()) {
            settled |= settle(new SnapshotId(volume, request.recoveryPoint()));
        }
        var plan = prepared.isPresent() && !settled ? prepared.get() : plan(request);
        return carriedOut(plan);
    }

    /** Amazon refuses a snapshot of a volume of which it still copies so many. */
    private void refuseUnfinished(Plan plan, List<VolumeId> missing) throws ProviderException {
        for (var each : missing) {
            var cloud = Objects.requireNonNull(plan.volumes().get(each));
            var asked = Map.of("volume-id", cloud.id(), "status", "pending");
            int pending = attempts.until(() -> ec2.snapshots(asked, Optional.empty()))
                    .items()
                    .size();
            if (pending >= EbsLimits.UNFINISHED_OF_VOLUME.count()) {
                throw new ProviderException(new ProviderError.Busy(
                        each.toString(),
                        "Amazon, which still copies %d snapshots of it, and allows no more (%s)"
                                .formatted(pending, EbsLimits.UNFINISHED_OF_VOLUME.source()),
                        ASK_AGAIN));
            }
        }
    }

    private static List<VolumeId> missing(Plan plan) {
        var of = plan.request().recoveryPoint();
        return plan.volumes().keySet().stream()
                .filter(each -> !plan.existing().containsKey(new SnapshotId(each, of)))
                .toList();
    }

    private Cut carriedOut(Plan plan) throws ProviderException {
        if (plan.together().isPresent() && plan.existing().isEmpty()) {
            return new Cut(true, together(plan, plan.together().get()));
        }
        var members = new ArrayList<Cut.Member>();
        for (var each : plan.volumes().entrySet()) {
            members.add(single(plan, each.getKey(), each.getValue()));
        }
        return new Cut(plan.request().volumes().size() == 1, members);
    }

    private Plan plan(CutRequest request) throws ProviderException {
        var found = find(request.volumes());
        var existing = new LinkedHashMap<SnapshotId, List<CloudSnapshot>>();
        finder.ofRecoveryPoint(request.recoveryPoint()).forEach((id, each) -> {
            if (found.containsKey(id.volume())) {
                existing.put(id, each);
            }
        });
        return new Plan(request, found, existing, together(found));
    }

    private Map<VolumeId, CloudVolume> find(List<VolumeId> asked) throws ProviderException {
        var found = new LinkedHashMap<VolumeId, CloudVolume>();
        for (var each : asked) {
            found.put(each, volumes.find(each));
        }
        return found;
    }

    private Cut.Member single(Plan plan, VolumeId volume, CloudVolume cloud) throws ProviderException {
        var id = new SnapshotId(volume, plan.request().recoveryPoint());
        var existing = plan.existing().get(id);
        if (existing != null) {
            var last = SnapshotFinder.last(existing);
            return new Cut.Member(new Snapshot(id, last.sizeBytes(), last.startedAt()), 0, 0);
        }
        var tags = EbsNames.tagsOf(config.installation(), id);
        return created(List.of(id), () -> List.of(ec2.createSnapshot(cloud.id(), tags)))
                .getFirst();
    }

    private List<Cut.Member> together(Plan plan, Together one) throws ProviderException {
        var ids = new LinkedHashMap<String, SnapshotId>();
        plan.volumes()
                .forEach((volume, cloud) -> ids.put(
                        cloud.id(), new SnapshotId(volume, plan.request().recoveryPoint())));
        var tags =
                EbsNames.tagsOf(config.installation(), ids.values().iterator().next());
        // Which volume it is of EC2 tells itself; a tag is the same on all that one call makes.
        tags.remove(EbsNames.VOLUME);
        return created(
                List.copyOf(ids.values()),
                () -> ec2.createSnapshots(one.instance(), one.withBoot(), one.leftOut(), tags));
    }

    private interface Creation {
        List<CloudSnapshot> call() throws ProviderException, Uncertain;
    }

    /** What the call made, in order of the ids; where its answer was lost, what is to be seen of it. */
    private List<Cut.Member> created(List<SnapshotId> ids, Creation creation) throws ProviderException {
        long started = nanos.getAsLong();
        var counted = ids.stream().map(SnapshotId::volume).toList();
        rates.begun(counted);
        var made = new LinkedHashMap<SnapshotId, CloudSnapshot>();
        try {
            for (var each : creation.call()) {
                recent.made(each);
                finder.idOf(each).filter(ids::contains).ifPresentOrElse(id -> made.put(id, each), () -> {
                    // A volume that was attached after the plan was made.
                    recent.unasked(each.id());
                });
            }
        } catch (ProviderException e) {
            rates.failed(counted, e);
            throw e;
        } catch (Uncertain e) {
            made.putAll(seen(ids));
            if (!made.keySet().containsAll(ids)) {
                throw e.failure();
            }
        }
        long finished = nanos.getAsLong();
        var members = new ArrayList<Cut.Member>();
        for (var id : ids) {
            var one = made.get(id);
            if (one == null) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "CreateSnapshots", "it made %s, asked for %s".formatted(made.keySet(), ids)));
            }
            members.add(new Cut.Member(new Snapshot(id, one.sizeBytes(), one.startedAt()), started, finished));
        }
        return members;
    }

    /** None of them existed before, so what is seen was made by the request whose answer is missing. */
    private Map<SnapshotId, CloudSnapshot> seen(List<SnapshotId> ids) throws ProviderException {
        ids.forEach(recent::uncertain);
        var seen = new LinkedHashMap<SnapshotId, CloudSnapshot>();
        finder.ofRecoveryPointNow(ids.getFirst().recoveryPoint()).forEach((id, found) -> {
            if (ids.contains(id)) {
                recent.certain(id);
                found.forEach(recent::made);
                seen.put(id, SnapshotFinder.last(found));
            }
        });
        return seen;
    }

    /**
     * Refuses while an earlier request may have made one that is not seen yet.
     *
     * @return whether it is seen now, and was perhaps not when the cut was prepared
     */
    private boolean settle(SnapshotId id) throws ProviderException {
        var still = recent.mayAppearFor(id);
        if (still.isEmpty()) {
            return false;
        }
        var found = finder.all(id);
        if (found.isEmpty()) {
            var pause = still.get().compareTo(ASK_AGAIN) < 0 ? still.get() : ASK_AGAIN;
            throw new ProviderException(
                    new ProviderError.Busy(id.toString(), "an earlier request whose answer was lost", pause));
        }
        found.forEach(recent::made);
        recent.certain(id);
        return true;
    }

    /** Where all are attached to one instance, and so many of its others can be left out. */
    private Optional<Together> together(Map<VolumeId, CloudVolume> found) throws ProviderException {
        var wanted = found.values().stream().map(CloudVolume::id).toList();
        var instances = found.values().stream()
                .map(each -> each.attachments().size() == 1
                        ? each.attachments().getFirst().instance()
                        : "")
                .distinct()
                .toList();
        boolean named = found.keySet().stream().allMatch(EbsNames::isCloudVolume);
        if (wanted.size() < 2 || instances.size() != 1 || instances.getFirst().isEmpty() || !named) {
            return Optional.empty();
        }
        var instance = instances.getFirst();
        var boot = attempts.until(() -> ec2.rootDevice(instance)).orElse("");
        boolean withBoot = false;
        var leftOut = new ArrayList<String>();
        for (var each : volumes.attachedTo(instance)) {
            boolean isBoot = each.attachments().stream()
                    .anyMatch(
                            at -> at.instance().equals(instance) && at.device().equals(boot));
            boolean isWanted = wanted.contains(each.id());
            withBoot |= isBoot && isWanted;
            if (!isBoot && !isWanted) {
                leftOut.add(each.id());
            }
        }
        return leftOut.size() > LEFT_OUT_MAXIMUM
                ? Optional.empty()
                : Optional.of(new Together(instance, withBoot, leftOut));
    }
}
