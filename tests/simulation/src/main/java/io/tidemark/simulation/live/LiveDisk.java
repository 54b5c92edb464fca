package io.tidemark.simulation.live;

import io.tidemark.replication.live.DirtyBitmap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A volume on a disk with a cache: reads see what was written, a power cut keeps of each block any version since it was last
 * durable.
 */
final class LiveDisk {
    private final TreeMap<Long, Long> current = new TreeMap<>();
    private final TreeMap<Long, Long> durable = new TreeMap<>();
    private final TreeMap<Long, List<Long>> cached = new TreeMap<>();
    private Map<Long, Integer> flushing = Map.of();

    long at(long block) {
        return current.getOrDefault(block, 0L);
    }

    Map<Long, Long> content() {
        var content = new TreeMap<>(current);
        content.values().removeIf(value -> value == 0);
        return content;
    }

    Cells read(long offset, int length) {
        long first = offset / DirtyBitmap.BLOCK_BYTES;
        var values = new TreeMap<Integer, Long>();
        current.subMap(first, first + length / DirtyBitmap.BLOCK_BYTES)
                .forEach((block, value) -> values.put((int) (block - first), value));
        return new Cells(values);
    }

    void write(long offset, int length, Cells data) {
        long first = offset / DirtyBitmap.BLOCK_BYTES;
        int blocks = length / DirtyBitmap.BLOCK_BYTES;
        // Of a run as long as a resync's only what was ever written here or there.
        var touched = new TreeSet<>(current.subMap(first, first + blocks).keySet());
        data.values().keySet().forEach(place -> touched.add(first + place));
        for (long block : touched) {
            put(block, data.values().getOrDefault((int) (block - first), 0L));
        }
    }

    /** A part of a write, as a power cut leaves it. */
    void tear(long offset, int length, Cells data, Random random) {
        long first = offset / DirtyBitmap.BLOCK_BYTES;
        for (int place = 0; place < length / DirtyBitmap.BLOCK_BYTES; place++) {
            boolean isKnown = data.values().containsKey(place) || current.containsKey(first + place);
            if (isKnown && random.nextBoolean()) {
                put(first + place, data.values().getOrDefault(place, 0L));
            }
            if (place > 8) {
                return;
            }
        }
    }

    private void put(long block, long value) {
        current.put(block, value);
        cached.computeIfAbsent(block, none -> new ArrayList<>()).add(value);
    }

    /** From here on the block reads as another, after a power cut too. */
    void decay(long block, long value) {
        current.put(block, value);
        durable.put(block, value);
    }

    void flushBegins() {
        var sizes = new TreeMap<Long, Integer>();
        cached.forEach((block, versions) -> sizes.put(block, versions.size()));
        flushing = sizes;
    }

    void flushEnds() {
        flushing.forEach((block, size) -> {
            var versions = Objects.requireNonNull(cached.get(block));
            durable.put(block, versions.get(size - 1));
            versions.subList(0, size).clear();
            if (versions.isEmpty()) {
                cached.remove(block);
            }
        });
        flushing = Map.of();
    }

    void powerCut(Random random) {
        cached.forEach((block, versions) -> {
            int kept = random.nextInt(versions.size() + 1);
            if (kept > 0) {
                durable.put(block, versions.get(kept - 1));
            }
        });
        cached.clear();
        flushing = Map.of();
        current.clear();
        current.putAll(durable);
    }
}
