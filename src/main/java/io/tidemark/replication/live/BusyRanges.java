package io.tidemark.replication.live;

import java.util.TreeMap;

/** Ranges of the volume that the disk is at work on, none of which overlaps another. */
final class BusyRanges {
    private final TreeMap<Long, Integer> lengths = new TreeMap<>();

    void add(long offset, int length) {
        lengths.put(offset, length);
    }

    void remove(long offset) {
        lengths.remove(offset);
    }

    boolean overlap(long offset, int length) {
        var last = lengths.isEmpty() ? null : lengths.lowerEntry(offset + length);
        return last != null && last.getKey() + last.getValue() > offset;
    }
}
