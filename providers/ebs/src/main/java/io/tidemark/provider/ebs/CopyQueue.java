package io.tidemark.provider.ebs;

import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Who may copy into the region now: as many at once as Amazon allows, the others in the order in which they came. Nobody is
 * blocked: who waits comes back and asks again. Safe for several threads.
 */
final class CopyQueue {
    /** Who has not asked for so long does not wait any more; asked is every 15 s. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(3);
    /** How often all copies under way are asked for, where there is no place. */
    private static final Duration COUNT_EVERY = Duration.ofSeconds(15);
    /** Those who come beyond it keep no order. */
    private static final int WAITING_MAXIMUM = 10_000;

    private final int places;
    private final InstantSource clock;
    private final Set<SnapshotId> under = new HashSet<>();
    private final Map<SnapshotId, Instant> waiting = new LinkedHashMap<>();
    private Instant counted = Instant.MIN;

    CopyQueue(int places, InstantSource clock) {
        this.places = places;
        this.clock = clock;
    }

    int places() {
        return places;
    }

    /** Whether it would help to ask Amazon what is under way: some may have ended that nobody follows any more. */
    synchronized boolean isCountWanted() {
        boolean first = counted.equals(Instant.MIN);
        return first || (under.size() >= places && !clock.instant().isBefore(counted.plus(COUNT_EVERY)));
    }

    synchronized void counted(Collection<SnapshotId> underWay) {
        counted = clock.instant();
        under.clear();
        under.addAll(underWay);
    }

    /** @return whether it has a place now; until {@link #left} */
    synchronized boolean enter(SnapshotId copy) {
        var now = clock.instant();
        if (under.contains(copy)) {
            return true;
        }
        waiting.values().removeIf(asked -> asked.plus(FORGOTTEN_AFTER).isBefore(now));
        if (waiting.size() < WAITING_MAXIMUM || waiting.containsKey(copy)) {
            waiting.put(copy, now);
        }
        boolean isFirst = waiting.keySet().stream()
                .limit(Math.max(0, places - under.size()))
                .anyMatch(copy::equals);
        if (isFirst) {
            waiting.remove(copy);
            under.add(copy);
        }
        return isFirst;
    }

    /** It is at its end. */
    synchronized void left(SnapshotId copy) {
        under.remove(copy);
        waiting.remove(copy);
    }

    /** It has no place after all, and waits on. */
    synchronized void refused(SnapshotId copy) {
        under.remove(copy);
        waiting.put(copy, clock.instant());
    }
}
