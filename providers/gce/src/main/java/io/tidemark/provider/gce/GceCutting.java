package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Snapshot;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * Cuts all disks of a consistency group at one instant, others one after the other. A snapshot's name is made of what
 * it is of, so that asking again makes no second one; its content is fixed when its upload begins, and the cut waits
 * for that.
 */
final class GceCutting {
    /**
     * What a snapshot takes until its content is fixed: not published; some seconds were reported, for the forecast
     * alone.
     */
    private static final Duration CUT = Duration.ofSeconds(5);

    private final GceCalls calls;
    /** While file systems are frozen: what is asked again, the cut's own end bounds. */
    private final Attempts once;

    private final GceVolumes volumes;
    private final SnapshotFinder finder;
    private final SnapshotFinder frozen;
    private final RecentSnapshots recent;
    private final GceConfig config;
    private final GceWaiting waiting;
    private final GceGroups groups;
    private final CutRates rates;
    private final CutRates ratesOfInstants;
    private final PreparedCuts<Plan> plans = new PreparedCuts<>();

    /**
     * @param together empty: one after the other
     * @param existing cut before
     * @param whole they are all, and of one instant
     */
    private record Plan(
            CutRequest request,
            Map<VolumeId, CloudDisk> disks,
            Optional<GceGroups.Together> together,
            Map<SnapshotId, io.tidemark.spi.Snapshot> existing,
            boolean whole) {}

    GceCutting(
            GceCalls calls,
            Attempts attempts,
            GceVolumes volumes,
            SnapshotFinder finder,
            RecentSnapshots recent,
            GceConfig config,
            GceWaiting waiting,
            GceGroups groups) {
        this.calls = calls;
        this.once = attempts.once();
        this.frozen = new SnapshotFinder(calls, once, recent, config);
        this.volumes = volumes;
        this.finder = finder;
        this.recent = recent;
        this.config = config;
        this.waiting = waiting;
        this.groups = groups;
        this.rates = config.rates(GceLimits.CUTS_OF_DISK, waiting.nanos());
        this.ratesOfInstants = config.rates(GceLimits.INSTANTS_OF_DISK, waiting.nanos());
    }

    CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        var found = find(asked);
        var together = groups.together(found);
        var notes = new ArrayList<String>();
        for (var each : found.keySet()) {
            notes.add("%s: %s"
                    .formatted(
                            each,
                            together.map(one -> "instantSnapshotGroups.insert of " + GceAnswers.lastOf(one.policy()))
                                    .orElse("snapshots.insert, one disk after the other")));
        }
        var duration = together.isPresent() ? CUT : CUT.multipliedBy(asked.size());
        return new CutForecast(duration, asked.size() == 1 || together.isPresent(), notes);
    }

    /** Looks, so that the cut itself is nothing but the calls that make. */
    void prepare(CutRequest request) throws ProviderException {
        var plan = plan(request);
        rates(plan).allow(missing(plan));
        plans.keep(request, plan);
    }

    /** One end for all of it: file systems are frozen meanwhile. */
    Cut cut(CutRequest request) throws ProviderException {
        long end = waiting.end();
        var prepared = plans.take(request);
        var plan = prepared.isPresent() ? prepared.get() : plan(request);
        return carriedOut(plan, end);
    }

    /** Instants have a rate of their own. */
    private CutRates rates(Plan plan) {
        return plan.together().isPresent() && plan.existing().isEmpty() ? ratesOfInstants : rates;
    }

    private static List<VolumeId> missing(Plan plan) {
        var of = plan.request().recoveryPoint();
        return plan.disks().keySet().stream()
                .filter(each -> !plan.existing().containsKey(new SnapshotId(each, of)))
                .toList();
    }

    private Cut carriedOut(Plan plan, long end) throws ProviderException {
        var request = plan.request();
        if (plan.together().isPresent() && plan.existing().isEmpty()) {
            return new Cut(true, together(plan, plan.together().get(), end));
        }
        var begun = new LinkedHashMap<SnapshotId, Begun>();
        for (var each : plan.disks().entrySet()) {
            var id = new SnapshotId(each.getKey(), request.recoveryPoint());
            if (!plan.existing().containsKey(id)) {
                begun.put(id, begin(id, each.getValue(), end));
            }
        }
        var members = new ArrayList<Cut.Member>();
        for (var volume : plan.disks().keySet()) {
            var id = new SnapshotId(volume, request.recoveryPoint());
            var one = begun.get(id);
            members.add(
                    one == null
                            ? new Cut.Member(
                                    Objects.requireNonNull(plan.existing().get(id)), 0, 0)
                            : ended(id, one, end));
        }
        return new Cut(request.volumes().size() == 1 || plan.whole(), members);
    }

    private Plan plan(CutRequest request) throws ProviderException {
        var found = find(request.volumes());
        var together = groups.together(found);
        var existing = new LinkedHashMap<SnapshotId, io.tidemark.spi.Snapshot>();
        for (var volume : found.keySet()) {
            var id = new SnapshotId(volume, request.recoveryPoint());
            finder.lookUp(id)
                    .filter(CloudSnapshot::isFixed)
                    .ifPresent(each ->
                            existing.put(id, new io.tidemark.spi.Snapshot(id, each.sizeBytes(), each.createdAt())));
        }
        var instants = together.isPresent()
                ? groups.instants(together.get(), request.recoveryPoint())
                : Map.<SnapshotId, io.tidemark.spi.Snapshot>of();
        boolean whole = found.keySet().stream()
                .allMatch(each -> instants.containsKey(new SnapshotId(each, request.recoveryPoint())));
        // A group that is not whole yet is waited for by asking for it again; beside snapshots it is no more.
        if (whole || !existing.isEmpty()) {
            instants.forEach(existing::putIfAbsent);
        }
        return new Plan(request, found, together, existing, whole);
    }

    /** The instants are what is cut; snapshots of the project are made of them afterwards. */
    private List<Cut.Member> together(Plan plan, GceGroups.Together together, long end) throws ProviderException {
        var recoveryPoint = plan.request().recoveryPoint();
        var ids = plan.request().volumes().stream()
                .map(each -> new SnapshotId(each, recoveryPoint))
                .toList();
        long started = waiting.nanos().getAsLong();
        ids.forEach(recent::uncertain);
        var requestId = UUID.randomUUID();
        var counted = List.copyOf(plan.request().volumes());
        ratesOfInstants.begun(counted);
        var begun = answered(
                ratesOfInstants,
                counted,
                () -> waiting.until(
                        end,
                        recoveryPoint.toString(),
                        () -> Optional.of(groups.begin(recoveryPoint, together, requestId))));
        var taken = waiting.until(end, recoveryPoint.toString(), () -> {
            if (begun.isPresent()) {
                var place = together.location();
                var operation =
                        once.until(() -> calls.operation(place, begun.get().name()));
                if (operation.isPresent() && !operation.get().errorCode().isEmpty()) {
                    throw refused(
                            ratesOfInstants,
                            counted,
                            "instantSnapshotGroups.insert of " + recoveryPoint,
                            operation.get());
                }
            }
            return groups.taken(recoveryPoint, together, ids.size());
        });
        long finished = waiting.nanos().getAsLong();
        var members = new ArrayList<Cut.Member>();
        for (var id : ids) {
            var disk = plan.disks().get(id.volume());
            var member = disk == null ? null : taken.get(disk.name());
            if (member == null) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "instantSnapshotGroups.insert of " + recoveryPoint, "it took %s".formatted(taken.keySet())));
            }
            var made = new io.tidemark.spi.Snapshot(id, member.sizeBytes(), member.createdAt());
            members.add(new Cut.Member(made, started, finished));
        }
        return members;
    }

    private Map<VolumeId, CloudDisk> find(List<VolumeId> asked) throws ProviderException {
        var found = new LinkedHashMap<VolumeId, CloudDisk>();
        for (var each : asked) {
            found.put(each, volumes.find(each));
        }
        return found;
    }

    /** @param operation empty: one of that name is there */
    private record Begun(long startedNanos, Optional<CloudOperation> operation) {}

    private Begun begin(SnapshotId id, CloudDisk disk, long end) throws ProviderException {
        long started = waiting.nanos().getAsLong();
        var wanted = Snapshot.newBuilder()
                .setName(finder.nameOf(id))
                .setSourceDisk(disk.link())
                .putAllLabels(GceNames.labelsOf(config.installation(), id, disk.location()));
        if (config.isArchive()) {
            wanted.setSnapshotType(config.snapshotType());
        }
        if (config.guestFlush()) {
            wanted.setGuestFlush(true);
        }
        config.storageLocation().ifPresent(wanted::addStorageLocations);
        var counted = List.of(id.volume());
        rates.begun(counted);
        var begun = answered(rates, counted, () -> insert(id, wanted.build(), end));
        if (begun.isPresent()) {
            refuseFailed(id, begun.get());
        }
        recent.uncertain(id);
        return new Begun(started, begun);
    }

    private Cut.Member ended(SnapshotId id, Begun begun, long end) throws ProviderException {
        var fixed = fixed(id, begun.operation(), end);
        long finished = waiting.nanos().getAsLong();
        return new Cut.Member(
                new io.tidemark.spi.Snapshot(id, fixed.sizeBytes(), fixed.createdAt()), begun.startedNanos(), finished);
    }

    /** What is asked again carries the same request id, and is not done twice. */
    private Optional<CloudOperation> insert(SnapshotId id, Snapshot wanted, long end) throws ProviderException {
        var requestId = UUID.randomUUID();
        return waiting.until(end, id.toString(), () -> {
            try {
                return Optional.of(once.until(() -> calls.insertSnapshot(wanted, requestId)));
            } catch (ProviderException e) {
                // Whatever the last attempt says: this one may have been done.
                if (e.error() instanceof ProviderError.Unreachable) {
                    recent.uncertain(id);
                }
                throw e;
            }
        });
    }

    private void refuseFailed(SnapshotId id, CloudOperation operation) throws ProviderException {
        if (operation.done() && !operation.errorCode().isEmpty()) {
            throw refused(rates, List.of(id.volume()), "snapshots.insert for " + id, operation);
        }
    }

    private static ProviderException refused(
            CutRates of, List<VolumeId> counted, String asked, CloudOperation operation) {
        var failure = GceFailures.exception(asked, operation);
        of.failed(counted, failure);
        return failure;
    }

    private static <T> T answered(CutRates of, List<VolumeId> counted, Attempts.Call<T> call) throws ProviderException {
        try {
            return call.ask();
        } catch (ProviderException e) {
            of.failed(counted, e);
            throw e;
        }
    }

    private CloudSnapshot fixed(SnapshotId id, Optional<CloudOperation> begun, long end) throws ProviderException {
        return waiting.until(end, id.toString(), () -> {
            var found = frozen.lookUp(id);
            if (found.isPresent() && found.get().isFixed()) {
                recent.made(id, found.get());
                return found;
            }
            if (found.isPresent() && !found.get().status().equals("CREATING")) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "snapshots.insert for " + id,
                        "snapshot %s is %s"
                                .formatted(found.get().name(), found.get().status())));
            }
            // While it is CREATING its own status will tell.
            if (found.isEmpty() && begun.isPresent()) {
                var operation = once.until(() -> calls.operation(begun.get().name()));
                if (operation.isPresent()) {
                    refuseFailed(id, operation.get());
                }
            }
            return Optional.empty();
        });
    }
}
