package io.tidemark.provider.gce;

import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What this process knows to have done, laid over what Google lists: a list may lack what was made a moment ago, and
 * name what is gone. And what this process does not know: creations whose answer was lost.
 */
final class RecentSnapshots {
    /** Google publishes no bound; as long as for Amazon, and longer than any operation waits to be begun. */
    static final Duration VISIBLE_WITHIN = Duration.ofMinutes(10);

    private final InstantSource clock;
    private final Instant begun;
    private final Map<SnapshotId, Made> made = new HashMap<>();
    private final Map<SnapshotId, Instant> uncertain = new HashMap<>();
    private final Map<SnapshotId, Instant> gone = new HashMap<>();

    private record Made(CloudSnapshot snapshot, Instant at) {}

    RecentSnapshots(InstantSource clock) {
        this.clock = clock;
        this.begun = clock.instant();
    }

    /** It was seen. */
    synchronized void made(SnapshotId id, CloudSnapshot snapshot) {
        made.put(id, new Made(snapshot, clock.instant()));
        uncertain.remove(id);
        gone.remove(id);
    }

    /** Its creation was asked for, and what became of it is not known. */
    synchronized void uncertain(SnapshotId id) {
        uncertain.put(id, clock.instant());
        gone.remove(id);
    }

    /** Google has taken on its deletion, and has ended it. */
    synchronized void gone(SnapshotId id) {
        made.remove(id);
        uncertain.remove(id);
        gone.put(id, clock.instant());
    }

    /** Made by this process a moment ago: who does not know it yet will. */
    synchronized boolean isMade(SnapshotId id) {
        forgetOld();
        return made.containsKey(id);
    }

    synchronized boolean isGone(SnapshotId id) {
        forgetOld();
        return gone.containsKey(id);
    }

    /** Until when one that is not seen may still appear; the process before may have asked for it too. */
    synchronized Instant mayAppearUntil(SnapshotId id) {
        forgetOld();
        return uncertain.getOrDefault(id, begun).plus(VISIBLE_WITHIN);
    }

    synchronized Map<SnapshotId, CloudSnapshot> onto(Map<SnapshotId, CloudSnapshot> listed) {
        forgetOld();
        var all = new LinkedHashMap<>(listed);
        made.forEach((id, each) -> all.putIfAbsent(id, each.snapshot()));
        gone.keySet().forEach(all::remove);
        return all;
    }

    private void forgetOld() {
        var before = clock.instant().minus(VISIBLE_WITHIN);
        made.values().removeIf(each -> each.at().isBefore(before));
        uncertain.values().removeIf(at -> at.isBefore(before));
        gone.values().removeIf(at -> at.isBefore(before));
    }
}
