package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.Ec2Calls.Page;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Finds our snapshots by their tags. EC2 lists in an order of its own, so a listing of all is heard to its end at its first
 * page and its further pages come of what was heard then.
 */
final class SnapshotFinder {
    private static final Comparator<SnapshotId> ORDER =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);
    /** As many pages of 1,000 as an account may have snapshots, 100,000, ten times over. */
    private static final int PAGES_MAXIMUM = 1_000;

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final RecentEffects recent;
    private final EbsConfig config;
    private NavigableMap<SnapshotId, Snapshot> heard = new TreeMap<>(ORDER);

    SnapshotFinder(Ec2Calls ec2, Attempts attempts, RecentEffects recent, EbsConfig config) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.recent = recent;
        this.config = config;
    }

    /** All that carry its tags: none, one, or more than one where an answer was lost and what it told of seen late. */
    List<CloudSnapshot> all(SnapshotId snapshot) throws ProviderException {
        return ofRecoveryPoint(snapshot.recoveryPoint()).getOrDefault(snapshot, List.of());
    }

    /** The one that counts: of several the last, which is the one whose answer was heard. */
    CloudSnapshot one(SnapshotId snapshot) throws ProviderException {
        return all(snapshot).stream()
                .max(Comparator.comparing(CloudSnapshot::startedAt).thenComparing(CloudSnapshot::id))
                .orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(snapshot)));
    }

    Map<SnapshotId, List<CloudSnapshot>> ofRecoveryPoint(RecoveryPointId recoveryPoint) throws ProviderException {
        return byId(list(Map.of("tag:" + EbsNames.RECOVERY_POINT, recoveryPoint.value())));
    }

    synchronized SnapshotPage page(SnapshotQuery query) throws ProviderException {
        if (query.cursor().isEmpty()) {
            heard = snapshots(byId(list(narrowed(query))));
        }
        return SnapshotPage.of(query, heard.values().stream());
    }

    static Set<HoldOwner> holdsOf(CloudSnapshot snapshot) {
        var owners = new TreeSet<HoldOwner>(Comparator.comparing(HoldOwner::value));
        for (var key : snapshot.tags().keySet()) {
            if (key.startsWith(EbsNames.HOLD)) {
                owners.add(new HoldOwner(key.substring(EbsNames.HOLD.length())));
            }
        }
        return owners;
    }

    private static Map<String, String> narrowed(SnapshotQuery query) {
        var filters = new LinkedHashMap<String, String>();
        query.recoveryPoint().ifPresent(each -> filters.put("tag:" + EbsNames.RECOVERY_POINT, each.value()));
        query.volume().ifPresent(each -> {
            if (EbsNames.isCloudVolume(each)) {
                filters.put("volume-id", each.name());
            } else {
                filters.put("tag:" + EbsNames.VOLUME, each.name());
            }
        });
        return filters;
    }

    private List<CloudSnapshot> list(Map<String, String> narrowing) throws ProviderException {
        var filters = new LinkedHashMap<>(narrowing);
        filters.put("tag:" + EbsNames.INSTALLATION, config.installation());
        var all = new ArrayList<CloudSnapshot>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < PAGES_MAXIMUM; page++) {
            var token = next;
            Page<CloudSnapshot> answer = attempts.until(() -> ec2.snapshots(filters, token));
            all.addAll(answer.items());
            next = answer.next();
            if (next.isEmpty()) {
                return recent.onto(all, narrowing);
            }
        }
        throw new ProviderException(new ProviderError.Unexpected(
                "DescribeSnapshots", "%d pages and none the last".formatted(PAGES_MAXIMUM)));
    }

    private Map<SnapshotId, List<CloudSnapshot>> byId(List<CloudSnapshot> listed) {
        var found = new TreeMap<SnapshotId, List<CloudSnapshot>>(ORDER);
        for (var each : listed) {
            idOf(each)
                    .ifPresent(id ->
                            found.computeIfAbsent(id, key -> new ArrayList<>()).add(each));
        }
        return found;
    }

    /** None where somebody has put tags of ours on what is not. */
    Optional<SnapshotId> idOf(CloudSnapshot snapshot) {
        try {
            var recoveryPoint = new RecoveryPointId(snapshot.tags().getOrDefault(EbsNames.RECOVERY_POINT, ""));
            var volume = snapshot.tags().getOrDefault(EbsNames.VOLUME, snapshot.volume());
            return Optional.of(new SnapshotId(VolumeId.of(config.name(), volume), recoveryPoint));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static NavigableMap<SnapshotId, Snapshot> snapshots(Map<SnapshotId, List<CloudSnapshot>> found) {
        var all = new TreeMap<SnapshotId, Snapshot>(ORDER);
        found.forEach((id, each) -> {
            var last = each.stream()
                    .max(Comparator.comparing(CloudSnapshot::startedAt).thenComparing(CloudSnapshot::id))
                    .orElseThrow();
            all.put(id, new Snapshot(id, last.sizeBytes(), last.startedAt()));
        });
        return all;
    }
}
