package io.tidemark.simulation.live;

import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.Payload;
import java.util.Map;
import java.util.TreeMap;

/**
 * Content of some blocks of 4 KiB: each has the number of the write that it is of, 0 where nothing was written.
 *
 * @param values of those that are not 0, by their place from the first
 */
record Cells(Map<Integer, Long> values) implements Payload {
    Cells {
        values = Map.copyOf(values);
    }

    /** As many blocks of one write. */
    static Cells of(long write, int blocks) {
        var values = new TreeMap<Integer, Long>();
        for (int block = 0; block < blocks; block++) {
            values.put(block, write);
        }
        return new Cells(values);
    }

    @Override
    public Cells slice(int from, int length) {
        int first = from / DirtyBitmap.BLOCK_BYTES;
        int end = (from + length) / DirtyBitmap.BLOCK_BYTES;
        var part = new TreeMap<Integer, Long>();
        values.forEach((block, value) -> {
            if (block >= first && block < end) {
                part.put(block - first, value);
            }
        });
        return new Cells(part);
    }
}
