package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
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

/** Finds our snapshots by their tags. */
final class SnapshotFinder {
    private static final Comparator<SnapshotId> ORDER =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);
    /** As many pages of 1,000 as an account may have snapshots, 100,000, ten times over. */
    private static final int PAGES_MAXIMUM = 1_000;

    /** Lists that are read page by page at once; of one that is not kept another is asked for with each page. */
    private static final int HEARD_MAXIMUM = 4;

    private static final String VOLUME_ID = "volume-id";

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final RecentEffects recent;
    private final EbsConfig config;
    private final Optional<Chains> chains;
    /** What lists with more than a page have heard, by what was asked for; the last one of each. */
    private final Map<Map<String, String>, NavigableMap<SnapshotId, Snapshot>> heard = new LinkedHashMap<>();

    /** @param chains whose snapshots on this host are listed too, and whose uploads are not */
    SnapshotFinder(Ec2Calls ec2, Attempts attempts, RecentEffects recent, EbsConfig config, Optional<Chains> chains) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.recent = recent;
        this.config = config;
        this.chains = chains;
    }

    /** All that carry its tags: none, one, or more than one where an answer was lost and what it told of seen late. */
    List<CloudSnapshot> all(SnapshotId snapshot) throws ProviderException {
        return ofRecoveryPoint(snapshot.recoveryPoint()).getOrDefault(snapshot, List.of());
    }

    /** @throws ProviderException SnapshotNotFound */
    CloudSnapshot one(SnapshotId snapshot) throws ProviderException {
        var found = all(snapshot);
        if (found.isEmpty()) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
        return last(found);
    }

    /**
     * Of several with the same tags the one that counts: the last, which is the one whose answer was heard. Of a
     * chain's uploads one that is complete, for another is what is left of an attempt.
     */
    static CloudSnapshot last(List<CloudSnapshot> found) {
        return found.stream()
                .max(Comparator.comparing(SnapshotFinder::isWholeUpload)
                        .thenComparing(CloudSnapshot::startedAt)
                        .thenComparing(CloudSnapshot::id))
                .orElseThrow();
    }

    private static boolean isWholeUpload(CloudSnapshot snapshot) {
        return snapshot.chainNumber().isPresent() && snapshot.state().equals("completed");
    }

    /** As Amazon has it, uploads of chains too. */
    List<CloudSnapshot> everythingOf(RecoveryPointId recoveryPoint) throws ProviderException {
        return list(Map.of("tag:" + EbsNames.RECOVERY_POINT, recoveryPoint.value()), attempts);
    }

    Map<SnapshotId, List<CloudSnapshot>> ofRecoveryPoint(RecoveryPointId recoveryPoint) throws ProviderException {
        return byId(list(Map.of("tag:" + EbsNames.RECOVERY_POINT, recoveryPoint.value()), attempts));
    }

    /** As {@link #ofRecoveryPoint}, asked once: while writers are held nothing is waited for twice. */
    Map<SnapshotId, List<CloudSnapshot>> ofRecoveryPointNow(RecoveryPointId recoveryPoint) throws ProviderException {
        return byId(list(Map.of("tag:" + EbsNames.RECOVERY_POINT, recoveryPoint.value()), attempts.once()));
    }

    /**
     * EC2 lists in an order of its own, so the first page hears all there are. Further pages are of what was heard then, or
     * of a new list where that is no longer known.
     */
    SnapshotPage page(SnapshotQuery query) throws ProviderException {
        var filters = narrowed(query);
        var listed = query.cursor().isPresent() ? heard(filters) : Optional.<NavigableMap<SnapshotId, Snapshot>>empty();
        if (listed.isPresent()) {
            var rest = listed.get().tailMap(SnapshotId.parse(query.cursor().orElseThrow()), false);
            return SnapshotPage.of(query, rest.values().stream());
        }
        // Before Amazon is asked: what leaves this host for there meanwhile may be in neither afterwards.
        var staged = chains.map(Chains::snapshots).orElse(List.of());
        var all = snapshots(byId(list(filters, attempts)));
        if (query.volume().isPresent() && filters.containsKey(VOLUME_ID)) {
            // EC2 gives a copy a volume id that means nothing: of which volume it is says its tag.
            var tagged = new LinkedHashMap<>(filters);
            tagged.put("tag:" + EbsNames.VOLUME, tagged.remove(VOLUME_ID));
            all.putAll(snapshots(byId(list(tagged, attempts))));
        }
        staged.forEach(each -> all.put(each.id(), each));
        var page = SnapshotPage.of(query, all.values().stream());
        if (page.nextCursor().isPresent()) {
            keep(filters, all);
        }
        return page;
    }

    private Optional<NavigableMap<SnapshotId, Snapshot>> heard(Map<String, String> filters) {
        synchronized (heard) {
            return Optional.ofNullable(heard.get(filters));
        }
    }

    private void keep(Map<String, String> filters, NavigableMap<SnapshotId, Snapshot> all) {
        synchronized (heard) {
            heard.remove(filters);
            heard.put(filters, all);
            if (heard.size() > HEARD_MAXIMUM) {
                heard.remove(heard.keySet().iterator().next());
            }
        }
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
                filters.put(VOLUME_ID, each.name());
            } else {
                filters.put("tag:" + EbsNames.VOLUME, each.name());
            }
        });
        return filters;
    }

    private List<CloudSnapshot> list(Map<String, String> narrowing, Attempts tries) throws ProviderException {
        var filters = new LinkedHashMap<>(narrowing);
        filters.put("tag:" + EbsNames.INSTALLATION, config.installation());
        var all = new ArrayList<CloudSnapshot>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < PAGES_MAXIMUM; page++) {
            var token = next;
            Page<CloudSnapshot> answer = tries.until(() -> ec2.snapshots(filters, token));
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
            if (chains.isPresent() && !chains.get().counts(each)) {
                continue;
            }
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
            var last = last(each);
            all.put(id, new Snapshot(id, last.sizeBytes(), last.startedAt()));
        });
        return all;
    }
}
