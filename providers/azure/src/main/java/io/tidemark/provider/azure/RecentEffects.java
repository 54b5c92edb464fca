package io.tidemark.provider.azure;

import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What this process knows to have done, laid over what Azure lists, for Resource Manager's answers may come of a copy
 * that is behind: what was made may not be seen yet, what was deleted may be seen still. And what it does not know:
 * creations whose answer was lost, and those of the process before.
 */
final class RecentEffects {
    /** As for Amazon's; no figure of Azure's is published. */
    static final Duration VISIBLE_WITHIN = Duration.ofMinutes(10);

    private final InstantSource clock;
    private final Instant begun;
    private final Map<String, Made> made = new HashMap<>();
    private final Map<String, Instant> deleted = new HashMap<>();
    private final Map<SnapshotId, Instant> uncertain = new HashMap<>();
    private final Map<SnapshotId, Instant> gone = new HashMap<>();

    private final Map<String, MadeCollection> collections = new HashMap<>();

    /** What was changed of the tags of what has the id. */
    private final Map<String, Tagged> tagged = new HashMap<>();

    /** @param changes by the tag's key; empty: it was removed */
    private record Tagged(Map<String, Optional<String>> changes, Instant at) {}

    private record MadeCollection(CloudCollection collection, Instant at) {}

    private record Made(CloudSnapshot snapshot, Instant at) {}

    RecentEffects(InstantSource clock) {
        this.clock = clock;
        this.begun = clock.instant();
    }

    /** Also of one whose tags were changed. */
    synchronized void made(CloudSnapshot snapshot) {
        deleted.remove(snapshot.id());
        made.put(snapshot.id(), new Made(snapshot, clock.instant()));
    }

    synchronized void deleted(String id) {
        made.remove(id);
        tagged.remove(id);
        collections.remove(id);
        deleted.put(id, clock.instant());
    }

    /** Also of one whose tags were changed. */
    synchronized void made(CloudCollection collection) {
        deleted.remove(collection.id());
        collections.put(collection.id(), new MadeCollection(collection, clock.instant()));
    }

    /** Tags were changed, and Azure has shown it; not every later look needs to. */
    synchronized void tagged(String id, Map<String, String> before, Map<String, String> after) {
        forgetOld();
        var known = tagged.get(id);
        var changes = new HashMap<String, Optional<String>>(known == null ? Map.of() : known.changes());
        before.keySet().stream()
                .filter(each -> !after.containsKey(each))
                .forEach(each -> changes.put(each, Optional.empty()));
        after.forEach((key, value) -> {
            if (!value.equals(before.get(key))) {
                changes.put(key, Optional.of(value));
            }
        });
        tagged.put(id, new Tagged(changes, clock.instant()));
    }

    /** What was changed here laid over what was read; what others have changed stays. */
    synchronized Map<String, String> tags(String id, Map<String, String> read) {
        forgetOld();
        var known = tagged.get(id);
        if (known == null) {
            return read;
        }
        var tags = new HashMap<>(read);
        known.changes()
                .forEach((key, value) -> value.ifPresentOrElse(each -> tags.put(key, each), () -> tags.remove(key)));
        return tags;
    }

    synchronized Optional<CloudCollection> knownCollection(String id) {
        forgetOld();
        return Optional.ofNullable(collections.get(id)).map(MadeCollection::collection);
    }

    synchronized List<CloudCollection> ontoCollections(List<CloudCollection> listed) {
        forgetOld();
        var all = new LinkedHashMap<String, CloudCollection>();
        listed.forEach(each -> all.put(each.id(), each.withTags(tags(each.id(), each.tags()))));
        collections.forEach((id, each) -> all.putIfAbsent(id, each.collection()));
        deleted.keySet().forEach(all::remove);
        return List.copyOf(all.values());
    }

    synchronized Optional<CloudSnapshot> known(String id) {
        forgetOld();
        return Optional.ofNullable(made.get(id)).map(Made::snapshot);
    }

    synchronized boolean isDeleted(String id) {
        forgetOld();
        return deleted.containsKey(id);
    }

    /** Its creation was asked for and no answer came. */
    synchronized void uncertain(SnapshotId snapshot) {
        gone.remove(snapshot);
        uncertain.put(snapshot, clock.instant());
    }

    synchronized void certain(SnapshotId snapshot) {
        gone.remove(snapshot);
        uncertain.remove(snapshot);
    }

    /** It was deleted. */
    synchronized void gone(SnapshotId snapshot) {
        uncertain.remove(snapshot);
        gone.put(snapshot, clock.instant());
    }

    /** Until when one that is not seen may still appear; empty: it does not exist. */
    synchronized Optional<Instant> mayAppearUntil(SnapshotId snapshot) {
        forgetOld();
        var since = uncertain.get(snapshot);
        if (since == null && (gone.containsKey(snapshot) || !clock.instant().isBefore(begun.plus(VISIBLE_WITHIN)))) {
            return Optional.empty();
        }
        return Optional.of((since == null ? begun : since).plus(VISIBLE_WITHIN));
    }

    synchronized List<CloudSnapshot> onto(List<CloudSnapshot> listed) {
        forgetOld();
        var all = new LinkedHashMap<String, CloudSnapshot>();
        listed.forEach(each -> all.put(each.id(), each));
        made.forEach((id, each) -> all.putIfAbsent(id, each.snapshot()));
        deleted.keySet().forEach(all::remove);
        return List.copyOf(all.values());
    }

    private void forgetOld() {
        var before = clock.instant().minus(VISIBLE_WITHIN);
        made.values().removeIf(each -> each.at().isBefore(before));
        collections.values().removeIf(each -> each.at().isBefore(before));
        tagged.values().removeIf(each -> each.at().isBefore(before));
        deleted.values().removeIf(at -> at.isBefore(before));
        uncertain.values().removeIf(at -> at.isBefore(before));
        gone.values().removeIf(at -> at.isBefore(before));
    }
}
