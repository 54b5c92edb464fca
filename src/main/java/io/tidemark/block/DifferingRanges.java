package io.tidemark.block;

import io.tidemark.spi.BlockRange;
import java.util.ArrayList;
import java.util.List;

/** Collects blocks that differ, told in ascending order: all of them counted, the first ranges kept. */
public final class DifferingRanges {
    private final int blockBytes;
    private final long longerBytes;
    private final int maximumRanges;
    private final List<BlockRange> ranges = new ArrayList<>();
    private long differingBlocks;
    private long runFirst = -1;
    private long runEnd = -1;

    /**
     * @param longerBytes size of the longer image: no range goes past it
     * @param maximumRanges how many to keep
     */
    public DifferingRanges(int blockBytes, long longerBytes, int maximumRanges) {
        this.blockBytes = blockBytes;
        this.longerBytes = longerBytes;
        this.maximumRanges = maximumRanges;
    }

    /** So many blocks from one on differ; none of them was told before. */
    public void add(long block, long count) {
        differingBlocks += count;
        if (block != runEnd) {
            endRun();
            runFirst = block;
        }
        runEnd = block + count;
    }

    public long differingBlocks() {
        return differingBlocks;
    }

    /** The first differing ranges, merged; nothing may be told afterwards. */
    public List<BlockRange> ranges() {
        endRun();
        return List.copyOf(ranges);
    }

    private void endRun() {
        if (runFirst >= 0 && ranges.size() < maximumRanges) {
            long offset = runFirst * blockBytes;
            ranges.add(new BlockRange(offset, Math.min(runEnd * blockBytes, longerBytes) - offset));
        }
        runFirst = -1;
        runEnd = -1;
    }
}
