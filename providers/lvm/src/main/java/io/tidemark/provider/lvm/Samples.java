package io.tidemark.provider.lvm;

import io.tidemark.provider.lvm.PoolForecast.Sample;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How full pools and stores were when they were looked at. Guarded by itself. */
final class Samples {
    /** Recovery points every few minutes: some hours, over which a filling rate is worth something. */
    private static final int MAXIMUM = 128;

    private static final Duration LIFE = Duration.ofHours(24);

    private final InstantSource clock;
    private final Map<String, Deque<Sample>> byName = new HashMap<>();

    Samples(InstantSource clock) {
        this.clock = clock;
    }

    synchronized void add(String name, long usedDataBytes, long usedMetadataBytes) {
        var now = clock.instant();
        var oldest = now.minus(LIFE);
        byName.computeIfAbsent(name, _ -> new ArrayDeque<>())
                .addLast(new Sample(now, usedDataBytes, usedMetadataBytes));
        for (var each : byName.values()) {
            while (each.size() > MAXIMUM
                    || (!each.isEmpty() && each.getFirst().at().isBefore(oldest))) {
                each.removeFirst();
            }
        }
        // Snapshots go: what was not looked at for a day is none any more.
        byName.values().removeIf(Deque::isEmpty);
    }

    synchronized List<Sample> of(String name) {
        return List.copyOf(byName.getOrDefault(name, new ArrayDeque<>()));
    }
}
