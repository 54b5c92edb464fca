package io.tidemark.provider.azure;

import io.tidemark.provider.azure.AzureNames.Place;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** Finds our snapshots: one by its name, all by their tags. */
final class AzureSnapshots {
    static final Comparator<SnapshotId> ORDER =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureLists lists;
    private final RecentEffects recent;
    private final AzureConfig config;
    private final AzurePoints points;
    /**
     * What the last list with more than a page has heard; of one that is not kept another is asked for with each page.
     */
    private Optional<NavigableMap<SnapshotId, Snapshot>> heard = Optional.empty();

    AzureSnapshots(
            DiskCalls calls,
            Attempts attempts,
            AzureLists lists,
            RecentEffects recent,
            AzureConfig config,
            AzurePoints points) {
        this.calls = calls;
        this.attempts = attempts;
        this.lists = lists;
        this.recent = recent;
        this.config = config;
        this.points = points;
    }

    /** Where it is, or would be: beside its disk; of a disk that an id cannot name, in the first group. */
    String group(VolumeId volume) {
        return AzureNames.isTold(volume) ? AzureNames.placeOf(config, volume).group() : config.resourceGroup();
    }

    /** Of a disk that an id can name. */
    String diskId(VolumeId volume) {
        var place = AzureNames.placeOf(config, volume);
        return AzureNames.armId(config, place.group(), "disks", place.name());
    }

    String name(SnapshotId snapshot) {
        return AzureNames.snapshotName(config, snapshot);
    }

    String armId(SnapshotId snapshot) {
        return AzureNames.armId(config, group(snapshot.volume()), "snapshots", name(snapshot));
    }

    /** Where a copy from another region is, or would be. */
    Place copyPlace(SnapshotId snapshot) {
        return new Place(config.resourceGroup(), AzureNames.copyName(config, snapshot));
    }

    /**
     * Taken here, or copied here.
     *
     * @throws ProviderException Conflict where what has its name is not ours
     */
    Optional<CloudSnapshot> find(SnapshotId snapshot) throws ProviderException {
        var taken = find(snapshot, new Place(group(snapshot.volume()), name(snapshot)));
        return taken.isPresent() ? taken : find(snapshot, copyPlace(snapshot));
    }

    private String armId(Place place) {
        return AzureNames.armId(config, place.group(), "snapshots", place.name());
    }

    private Optional<CloudSnapshot> find(SnapshotId snapshot, Place place) throws ProviderException {
        var id = armId(place);
        if (recent.isDeleted(id)) {
            return Optional.empty();
        }
        var found = attempts.until(() -> calls.snapshot(place.group(), place.name()));
        if (found.isEmpty()) {
            return recent.known(id);
        }
        if (idOf(found.get()).filter(snapshot::equals).isEmpty()) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "%s is not in %s with the tags of installation %s: it is not ours"
                            .formatted(id, config.location(), config.installation())));
        }
        return found.map(each -> each.withTags(recent.tags(id, each.tags())));
    }

    /** Azure lists in an order of its own, so the first page hears all there are. */
    SnapshotPage page(SnapshotQuery query) throws ProviderException {
        if (query.volume().isPresent() && query.recoveryPoint().isPresent()) {
            var id = new SnapshotId(query.volume().get(), query.recoveryPoint().get());
            return SnapshotPage.of(query, named(id).stream());
        }
        var known = query.cursor().isPresent() ? heard() : Optional.<NavigableMap<SnapshotId, Snapshot>>empty();
        if (known.isPresent()) {
            return SnapshotPage.of(query, known.get().values().stream());
        }
        var all = byId(recent.onto(lists.all(calls::snapshots)));
        points.members(lists.of(config.resourceGroup(), points.calls()::collections))
                .forEach(all::putIfAbsent);
        var page = SnapshotPage.of(query, all.values().stream());
        if (page.nextCursor().isPresent()) {
            keep(all);
        }
        return page;
    }

    private Optional<Snapshot> named(SnapshotId id) throws ProviderException {
        var single = find(id);
        if (single.isPresent()) {
            return Optional.of(snapshot(id, single.get()));
        }
        return points.find(id.recoveryPoint())
                .flatMap(each -> points.listed(each).stream()
                        .filter(member -> member.id().equals(id))
                        .findFirst());
    }

    private synchronized Optional<NavigableMap<SnapshotId, Snapshot>> heard() {
        return heard;
    }

    private synchronized void keep(NavigableMap<SnapshotId, Snapshot> all) {
        heard = Optional.of(all);
    }

    private NavigableMap<SnapshotId, Snapshot> byId(List<CloudSnapshot> listed) {
        var all = new TreeMap<SnapshotId, Snapshot>(ORDER);
        for (var each : listed) {
            // What was taken here comes before a copy of the same name, as it is found first.
            idOf(each)
                    .ifPresent(
                            id -> all.merge(id, snapshot(id, each), (known, other) -> each.isCopy() ? known : other));
        }
        return all;
    }

    static Snapshot snapshot(SnapshotId id, CloudSnapshot cloud) {
        return new Snapshot(id, cloud.sizeBytes(), cloud.createdAt());
    }

    /**
     * None where it lacks our tags, or has them, and not the name that goes with them: somebody has copied them. What
     * lies in another region is of the instance there, of the same installation and groups.
     */
    Optional<SnapshotId> idOf(CloudSnapshot snapshot) {
        boolean isHere = snapshot.location().equals(config.location());
        if (!isHere || !config.installation().equals(snapshot.tags().get(AzureNames.INSTALLATION))) {
            return Optional.empty();
        }
        try {
            var recoveryPoint = new RecoveryPointId(snapshot.tags().getOrDefault(AzureNames.RECOVERY_POINT, ""));
            var volume = VolumeId.of(config.name(), snapshot.tags().getOrDefault(AzureNames.VOLUME, ""));
            var id = new SnapshotId(volume, recoveryPoint);
            boolean isNamed =
                    armId(id).equals(snapshot.id()) || armId(copyPlace(id)).equals(snapshot.id());
            return isNamed ? Optional.of(id) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
