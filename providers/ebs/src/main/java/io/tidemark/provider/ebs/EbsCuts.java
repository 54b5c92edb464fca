package io.tidemark.provider.ebs;

import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Cuts of Amazon's own volumes and of chains together: the first by {@link EbsCutting}, the second on this host. */
final class EbsCuts {
    /** A record of a few hundred bytes is written and synced. */
    private static final Duration SEAL = Duration.ofMillis(20);

    /** Of recovery points that were prepared and never cut. */
    private static final int PLANS_MAXIMUM = 1_000;

    private final EbsCutting cutting;
    private final Optional<ChainVolumes> chains;
    private final SnapshotFinder finder;
    private final LongSupplier nanos;
    private final Map<RecoveryPointId, Plan> plans = new LinkedHashMap<>();

    /** @param existing of its chains' snapshots those that there were */
    private record Plan(CutRequest request, Map<VolumeId, Snapshot> existing) {}

    EbsCuts(EbsCutting cutting, Optional<ChainVolumes> chains, SnapshotFinder finder, LongSupplier nanos) {
        this.cutting = cutting;
        this.chains = chains;
        this.finder = finder;
        this.nanos = nanos;
    }

    private Optional<Chain> chain(VolumeId volume) throws ProviderException {
        return chains.isPresent() ? chains.get().find(volume) : Optional.empty();
    }

    private List<VolumeId> clouds(List<VolumeId> asked) throws ProviderException {
        var clouds = new ArrayList<VolumeId>();
        for (var each : asked) {
            if (chain(each).isEmpty()) {
                clouds.add(each);
            }
        }
        return clouds;
    }

    CutForecast forecast(List<VolumeId> asked) throws ProviderException {
        var clouds = clouds(asked);
        var notes = new ArrayList<String>();
        var duration = Duration.ZERO;
        if (!clouds.isEmpty()) {
            var forecast = cutting.forecast(clouds);
            if (clouds.size() == asked.size()) {
                return forecast;
            }
            duration = forecast.duration();
            notes.addAll(forecast.notes());
        }
        for (var each : asked) {
            if (chain(each).isPresent()) {
                duration = duration.plus(SEAL);
                notes.add(each + ": sealed on this host, uploaded to Amazon afterwards");
            }
        }
        return new CutForecast(duration, asked.size() == 1, notes);
    }

    /** Looks, so that the cut of a chain, while file systems are frozen, asks Amazon nothing. */
    void prepare(CutRequest request) throws ProviderException {
        var clouds = clouds(request);
        if (clouds.isPresent()) {
            cutting.prepare(clouds.get());
            if (clouds.get().equals(request)) {
                return;
            }
        }
        var existing = new HashMap<VolumeId, Snapshot>();
        for (var each : request.volumes()) {
            var chain = chain(each);
            if (chain.isPresent()) {
                existing(chain.get(), request.recoveryPoint()).ifPresent(snapshot -> existing.put(each, snapshot));
                chain.get().flush();
            }
        }
        synchronized (plans) {
            plans.put(request.recoveryPoint(), new Plan(request, existing));
            if (plans.size() > PLANS_MAXIMUM) {
                plans.remove(plans.keySet().iterator().next());
            }
        }
    }

    /** What of the request is of Amazon's own volumes. */
    private Optional<CutRequest> clouds(CutRequest request) throws ProviderException {
        var volumes = clouds(request.volumes());
        return volumes.isEmpty() ? Optional.empty() : Optional.of(new CutRequest(request.recoveryPoint(), volumes));
    }

    /** Amazon's own volumes first, which may fail: a chain's cut is a file that is renamed. */
    Cut cut(CutRequest request) throws ProviderException {
        var clouds = clouds(request);
        if (clouds.isPresent() && clouds.get().equals(request)) {
            return cutting.cut(request);
        }
        Optional<Plan> plan;
        synchronized (plans) {
            plan = Optional.ofNullable(plans.remove(request.recoveryPoint()))
                    .filter(each -> each.request().equals(request));
        }
        var members = new ArrayList<Cut.Member>();
        if (clouds.isPresent()) {
            members.addAll(cutting.cut(clouds.get()).members());
        }
        for (var each : request.volumes()) {
            var chain = chain(each);
            if (chain.isPresent()) {
                long started = nanos.getAsLong();
                var existing = plan.isPresent()
                        ? Optional.ofNullable(plan.get().existing().get(each))
                        : existing(chain.get(), request.recoveryPoint());
                var snapshot = existing.isPresent()
                        ? existing.get()
                        : chains.orElseThrow().cut(chain.get(), request.recoveryPoint());
                members.add(new Cut.Member(snapshot, started, nanos.getAsLong()));
            }
        }
        return new Cut(members.size() == 1, members);
    }

    /** Here, or at Amazon already. */
    private Optional<Snapshot> existing(Chain chain, RecoveryPointId point) throws ProviderException {
        var id = new SnapshotId(chain.id(), point);
        var sealed =
                chain.snapshots().stream().filter(each -> each.id().equals(id)).findFirst();
        if (sealed.isPresent() || chain.record().baseNumber() == 0) {
            return sealed;
        }
        var uploaded = finder.all(id);
        if (uploaded.isEmpty()) {
            return Optional.empty();
        }
        var last = SnapshotFinder.last(uploaded);
        return Optional.of(new Snapshot(id, last.sizeBytes(), last.startedAt()));
    }
}
