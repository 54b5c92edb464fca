package io.tidemark.provider.devices;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * How full pools and stores were when they were looked at, for a rate over the last {@link #WINDOW}; where they are looked
 * at less often, over the time since the look before the last. In memory: a new process begins anew. Guarded by itself.
 */
public final class FillRates {
    /** A day has in it what is written by day and by night; and a bulk load is forgotten after it. */
    static final Duration WINDOW = Duration.ofHours(24);

    /** Looks that are kept of a window: what lies closer together is one, of which nothing that came in is lost. */
    private static final int LOOKS_MAXIMUM = 128;

    private static final Duration APART = WINDOW.dividedBy(LOOKS_MAXIMUM);

    /** A snapshot's store goes with it. Of what is looked at once a week a rate is known still. */
    private static final Duration FORGOTTEN = Duration.ofDays(8);

    private final InstantSource clock;
    private final Map<String, Deque<Look>> byName = new HashMap<>();

    public FillRates(InstantSource clock) {
        this.clock = clock;
    }

    /** @param cameInBytes since the first look of all, so that looks in between can go */
    private record Look(Instant at, long usedBytes, long cameInBytes) {}

    /**
     * Notes what is seen now.
     *
     * @param sizeBytes as it is now: what was enlarged since has that room
     * @return what follows from it
     */
    public synchronized FillForecast seen(String name, long sizeBytes, long usedBytes) {
        var now = clock.instant();
        byName.values().removeIf(each -> each.getLast().at().isBefore(now.minus(FORGOTTEN)));
        var looks = byName.computeIfAbsent(name, _ -> new ArrayDeque<>());
        if (!looks.isEmpty() && now.isBefore(looks.getLast().at())) {
            // The clock was put back: how much time has passed nobody knows.
            looks.clear();
        }
        long cameInBytes = looks.isEmpty() ? 0 : cameIn(looks.getLast(), usedBytes);
        dropLastIfClose(looks);
        looks.addLast(new Look(now, usedBytes, cameInBytes));
        dropBefore(looks, now.minus(WINDOW));
        var first = looks.getFirst();
        return new FillForecast(
                Math.max(0, sizeBytes - usedBytes),
                cameInBytes - first.cameInBytes(),
                Duration.between(first.at(), now));
    }

    private static long cameIn(Look last, long usedBytes) {
        long sum = last.cameInBytes() + Math.max(0, usedBytes - last.usedBytes());
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    private static void dropLastIfClose(Deque<Look> looks) {
        if (looks.size() >= 2) {
            var last = looks.removeLast();
            if (Duration.between(looks.getLast().at(), last.at()).compareTo(APART) >= 0) {
                looks.addLast(last);
            }
        }
    }

    /** The newest look before the window stays: the rate is of all of the window then, and never of less than one look. */
    private static void dropBefore(Deque<Look> looks, Instant oldest) {
        while (looks.size() > 2) {
            var first = looks.removeFirst();
            if (looks.getFirst().at().isAfter(oldest)) {
                looks.addFirst(first);
                return;
            }
        }
    }
}
