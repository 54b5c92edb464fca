package io.tidemark.provider.ebs;

import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What this process knows to have done, laid over what EC2 lists: its lists are eventually consistent ("Ensuring
 * idempotency", "Eventual consistency" in the EC2 developer guide), so what was made may not be seen yet, what was deleted
 * may be seen still, and a tag may be missing. And what this process does not know: creations whose answer was lost.
 */
final class RecentEffects {
    /** Longer than any delay that was reported; coldsnap saw 2 minutes (issue 43). */
    static final Duration VISIBLE_WITHIN = Duration.ofMinutes(10);

    private final InstantSource clock;
    private final Map<String, Made> made = new HashMap<>();
    private final Map<String, Instant> deleted = new HashMap<>();
    private final Map<String, Tagged> tags = new HashMap<>();
    private final Map<SnapshotId, Instant> uncertain = new HashMap<>();

    private final Map<String, MadeVolume> volumes = new HashMap<>();
    private final Map<SnapshotId, Instant> gone = new HashMap<>();
    private final Instant begun;
    private final Set<String> unasked = new TreeSet<>();

    private record MadeVolume(CloudVolume volume, Instant at) {}

    private record Made(CloudSnapshot snapshot, Instant at) {}

    /** @param values by key; none: taken off */
    private record Tagged(Map<String, Optional<String>> values, Instant at) {}

    RecentEffects(InstantSource clock) {
        this.clock = clock;
        this.begun = clock.instant();
    }

    synchronized void made(CloudSnapshot snapshot) {
        made.put(snapshot.id(), new Made(snapshot, clock.instant()));
    }

    synchronized void deleted(String snapshot) {
        deleted.put(snapshot, clock.instant());
    }

    /** It is asked back out of the recycle bin: what lists show of it counts again. */
    synchronized void undeleted(String snapshot) {
        deleted.remove(snapshot);
    }

    synchronized void tagged(String snapshot, String key, Optional<String> value) {
        var values = new HashMap<>(
                tags.getOrDefault(snapshot, new Tagged(Map.of(), Instant.EPOCH)).values());
        values.put(key, value);
        tags.put(snapshot, new Tagged(values, clock.instant()));
    }

    /** Whether this process made it a short while ago: who does not know it yet will. */
    synchronized boolean isMade(String snapshot) {
        forgetOld();
        return made.containsKey(snapshot);
    }

    /** One that was made though nobody asked for it; to be deleted. */
    synchronized void unasked(String snapshot) {
        unasked.add(snapshot);
    }

    /** Those that are to be deleted; told once. */
    synchronized List<String> takeUnasked() {
        var taken = List.copyOf(unasked);
        unasked.clear();
        return taken;
    }

    synchronized void made(CloudVolume volume) {
        volumes.put(volume.id(), new MadeVolume(volume, clock.instant()));
    }

    synchronized void deletedVolume(String volume) {
        volumes.remove(volume);
        deleted.put(volume, clock.instant());
    }

    synchronized List<CloudVolume> ontoVolumes(List<CloudVolume> listed) {
        forgetOld();
        var all = new LinkedHashMap<String, CloudVolume>();
        listed.forEach(each -> all.put(each.id(), each));
        volumes.forEach((id, each) -> all.putIfAbsent(id, each.volume()));
        deleted.keySet().forEach(all::remove);
        return List.copyOf(all.values());
    }

    /** Its creation was asked for and no answer came. */
    synchronized void uncertain(SnapshotId snapshot) {
        uncertain.put(snapshot, clock.instant());
    }

    /** It was seen after all. */
    synchronized void certain(SnapshotId snapshot) {
        uncertain.remove(snapshot);
    }

    /** All that carried its tags was deleted. */
    synchronized void gone(SnapshotId snapshot) {
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

    /** How long one whose creation was not answered may still appear; empty: there is none such. */
    synchronized Optional<Duration> mayAppearFor(SnapshotId snapshot) {
        forgetOld();
        return Optional.ofNullable(uncertain.get(snapshot))
                .map(since -> Duration.between(clock.instant(), since.plus(VISIBLE_WITHIN)));
    }

    /** @param filters that the list was asked for by, without the installation */
    synchronized List<CloudSnapshot> onto(List<CloudSnapshot> listed, Map<String, String> filters) {
        forgetOld();
        var all = new LinkedHashMap<String, CloudSnapshot>();
        listed.forEach(each -> all.put(each.id(), each));
        made.forEach((id, each) -> {
            if (matches(each.snapshot(), filters)) {
                all.putIfAbsent(id, each.snapshot());
            }
        });
        deleted.keySet().forEach(all::remove);
        var found = new ArrayList<CloudSnapshot>();
        for (var each : all.values()) {
            var known = tags.get(each.id());
            found.add(known == null ? each : withTags(each, known.values()));
        }
        return found;
    }

    private static boolean matches(CloudSnapshot snapshot, Map<String, String> filters) {
        return filters.entrySet().stream().allMatch(filter -> {
            var key = filter.getKey();
            return key.equals("volume-id")
                    ? snapshot.volume().equals(filter.getValue())
                    : filter.getValue().equals(snapshot.tags().get(key.substring("tag:".length())));
        });
    }

    private static CloudSnapshot withTags(CloudSnapshot snapshot, Map<String, Optional<String>> known) {
        var tags = new LinkedHashMap<>(snapshot.tags());
        known.forEach((key, value) -> value.ifPresentOrElse(each -> tags.put(key, each), () -> tags.remove(key)));
        return new CloudSnapshot(
                snapshot.id(),
                snapshot.volume(),
                snapshot.sizeBytes(),
                snapshot.state(),
                snapshot.progress(),
                snapshot.message(),
                snapshot.tier(),
                snapshot.startedAt(),
                tags);
    }

    private void forgetOld() {
        var before = clock.instant().minus(VISIBLE_WITHIN);
        made.values().removeIf(each -> each.at().isBefore(before));
        volumes.values().removeIf(each -> each.at().isBefore(before));
        deleted.values().removeIf(at -> at.isBefore(before));
        tags.values().removeIf(each -> each.at().isBefore(before));
        gone.values().removeIf(at -> at.isBefore(before));
        uncertain.values().removeIf(at -> at.isBefore(before));
    }
}
