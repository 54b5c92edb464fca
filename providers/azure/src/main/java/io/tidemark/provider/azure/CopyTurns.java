package io.tidemark.provider.azure;

import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Whose copy goes next: of a disk's snapshots one at a time, in the order in which they were asked for, of all together
 * as many as Azure allows ("Copy an incremental snapshot to a new region", restrictions). Nobody is blocked: who waits
 * comes back and asks again. Safe for several threads.
 */
final class CopyTurns {
    /** Who has not asked for so long does not wait any more, and is not at it any more; asked is every 15 s. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(3);
    /** Those who come beyond it keep no order. */
    private static final int WAITING_MAXIMUM = 10_000;

    private final int places;
    private final InstantSource clock;
    private final Map<VolumeId, SnapshotId> under = new HashMap<>();
    /** When each was asked for last. */
    private final Map<SnapshotId, Instant> asked = new LinkedHashMap<>();

    CopyTurns(int places, InstantSource clock) {
        this.places = places;
        this.clock = clock;
    }

    /** @return whether it is its turn; until {@link #left} */
    synchronized boolean enter(SnapshotId copy) {
        var now = clock.instant();
        asked.values().removeIf(last -> last.plus(FORGOTTEN_AFTER).isBefore(now));
        under.values().removeIf(each -> !asked.containsKey(each));
        if (asked.size() < WAITING_MAXIMUM || asked.containsKey(copy)) {
            asked.put(copy, now);
        }
        if (copy.equals(under.get(copy.volume()))) {
            return true;
        }
        if (!isNext(copy)) {
            return false;
        }
        under.put(copy.volume(), copy);
        return true;
    }

    private boolean isNext(SnapshotId copy) {
        int left = places - under.size();
        Set<VolumeId> waiting = new HashSet<>();
        for (var each : asked.keySet()) {
            if (waiting.size() >= left) {
                return false;
            }
            boolean isFirstOfVolume = !under.containsKey(each.volume()) && waiting.add(each.volume());
            if (each.equals(copy)) {
                return isFirstOfVolume;
            }
        }
        return false;
    }

    /** It is being copied still. */
    synchronized void goesOn(SnapshotId copy) {
        asked.put(copy, clock.instant());
        under.putIfAbsent(copy.volume(), copy);
    }

    /** Azure is at another of its disk: it waits where it stood. */
    synchronized void refused(SnapshotId copy) {
        under.remove(copy.volume(), copy);
    }

    /** It is at its end, or was given up. */
    synchronized void left(SnapshotId copy) {
        asked.remove(copy);
        under.remove(copy.volume(), copy);
    }
}
