package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** Finds our snapshots: one by its name, all by their labels. */
final class SnapshotFinder {
    private static final Comparator<SnapshotId> ORDER =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);
    private static final Duration NOT_SEEN_YET = Duration.ofSeconds(2);
    /** Lists that are read page by page at once; of one that is not kept another is asked for with each page. */
    private static final int HEARD_MAXIMUM = 4;

    private final GceCalls calls;
    private final Attempts attempts;
    private final RecentSnapshots recent;
    private final GceConfig config;
    /** What lists with more than a page have heard, by what was asked for; the last one of each. */
    private final Map<String, NavigableMap<SnapshotId, Snapshot>> heard = new LinkedHashMap<>();

    SnapshotFinder(GceCalls calls, Attempts attempts, RecentSnapshots recent, GceConfig config) {
        this.calls = calls;
        this.attempts = attempts;
        this.recent = recent;
        this.config = config;
    }

    String nameOf(SnapshotId id) {
        return GceNames.snapshotOf(config.installation(), id);
    }

    /**
     * By its name.
     *
     * @throws ProviderException Conflict where one of that name is not ours: it is neither used nor touched
     */
    Optional<CloudSnapshot> lookUp(SnapshotId id) throws ProviderException {
        var found = attempts.until(() -> calls.snapshot(nameOf(id)));
        if (found.isPresent()) {
            requireOurs(id, found.get());
        }
        return found;
    }

    void requireOurs(SnapshotId id, CloudSnapshot found) throws ProviderException {
        if (!idOf(found).filter(id::equals).isPresent()) {
            throw new ProviderException(new ProviderError.Conflict(
                    id.toString(),
                    "snapshot %s of the project has its name and not its labels; it is not ours"
                            .formatted(found.name())));
        }
    }

    /** @throws ProviderException SnapshotNotFound; Busy while Google does not know yet what it has made */
    CloudSnapshot one(SnapshotId id) throws ProviderException {
        return attempts.until(() -> {
            var found = lookUp(id);
            if (found.isEmpty() && recent.isMade(id)) {
                throw new ProviderException(
                        new ProviderError.Busy(id.toString(), "Google, which does not show it yet", NOT_SEEN_YET));
            }
            return found.orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(id)));
        });
    }

    /**
     * Google lists in an order of its own, so the first page hears all there are; further ones are of what was heard.
     */
    SnapshotPage page(SnapshotQuery query, Map<SnapshotId, Snapshot> instants) throws ProviderException {
        String filter = filterOf(query);
        var kept = query.cursor().isPresent() ? heard(filter) : Optional.<NavigableMap<SnapshotId, Snapshot>>empty();
        NavigableMap<SnapshotId, Snapshot> all;
        if (kept.isPresent()) {
            all = kept.get();
        } else {
            all = new TreeMap<>(ORDER);
            all.putAll(instants);
            list(filter).forEach((id, each) -> all.put(id, new Snapshot(id, each.sizeBytes(), each.createdAt())));
        }
        var page = SnapshotPage.of(query, all.values().stream());
        if (page.nextCursor().isPresent() && kept.isEmpty()) {
            keep(filter, all);
        }
        return page;
    }

    private Optional<NavigableMap<SnapshotId, Snapshot>> heard(String filter) {
        synchronized (heard) {
            return Optional.ofNullable(heard.get(filter));
        }
    }

    private void keep(String filter, NavigableMap<SnapshotId, Snapshot> all) {
        synchronized (heard) {
            heard.remove(filter);
            heard.put(filter, all);
            if (heard.size() > HEARD_MAXIMUM) {
                heard.remove(heard.keySet().iterator().next());
            }
        }
    }

    private String filterOf(SnapshotQuery query) {
        var wanted = new LinkedHashMap<String, String>();
        wanted.put(GceNames.INSTALLATION, config.installation());
        query.recoveryPoint().ifPresent(each -> wanted.put(GceNames.RECOVERY_POINT, each.value()));
        // Of a long name the first part narrows; the rest is compared here.
        query.volume().ifPresent(each -> {
            var labels = new LinkedHashMap<String, String>();
            GceNames.putVolume(labels, each);
            wanted.put(GceNames.VOLUME, labels.getOrDefault(GceNames.VOLUME, ""));
        });
        var filter = new StringBuilder();
        wanted.forEach((key, value) ->
                filter.append(filter.isEmpty() ? "" : " AND ").append("(labels.%s = \"%s\")".formatted(key, value)));
        return filter.toString();
    }

    private Map<SnapshotId, CloudSnapshot> list(String filter) throws ProviderException {
        var listed = GceLists.all("snapshots.list", token -> attempts.until(() -> calls.snapshots(filter, token)));
        var found = new LinkedHashMap<SnapshotId, CloudSnapshot>();
        for (var each : listed) {
            if (!each.status().equals("DELETING") && isHere(each)) {
                idOf(each).ifPresent(id -> found.put(id, each));
            }
        }
        return recent.onto(found);
    }

    /** Of a disk in one of our places: another provider of the same project and installation has the others. */
    private boolean isHere(CloudSnapshot snapshot) {
        return config.locations().stream()
                .anyMatch(each -> each.name().equals(snapshot.labels().get(GceNames.LOCATION)));
    }

    /** Empty where it is not ours, or somebody has put labels of ours on what is not. */
    Optional<SnapshotId> idOf(CloudSnapshot snapshot) {
        var labels = snapshot.labels();
        var volume = GceNames.volumeIn(labels);
        if (!config.installation().equals(labels.get(GceNames.INSTALLATION)) || volume.isEmpty()) {
            return Optional.empty();
        }
        try {
            var recoveryPoint = new RecoveryPointId(labels.getOrDefault(GceNames.RECOVERY_POINT, ""));
            var id = new SnapshotId(VolumeId.of(config.name(), volume.get()), recoveryPoint);
            return nameOf(id).equals(snapshot.name()) ? Optional.of(id) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
