package io.tidemark.simulation.live;

import io.tidemark.replication.live.Digests;
import io.tidemark.replication.live.DirtyBitmap;

/** A block's digest is its content. */
record CellDigests(Cells cells, int lengthBytes) implements Digests {
    @Override
    public int count() {
        return lengthBytes / DirtyBitmap.BLOCK_BYTES;
    }

    @Override
    public boolean isSame(int block, Digests other) {
        var values = ((CellDigests) other).cells().values();
        return cells.values().getOrDefault(block, 0L).equals(values.getOrDefault(block, 0L));
    }
}
