package io.tidemark.provider.memory;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Ranges found beforehand. */
final class MemoryRanges implements ChangedRanges {
    private final List<BlockRange> ranges;
    private int nextIndex;

    private MemoryRanges(List<BlockRange> ranges) {
        this.ranges = ranges;
    }

    /** What differs between two images, block by block; past the smaller one's end everything does. */
    static MemoryRanges between(BlockMap left, BlockMap right) {
        long smaller = Math.min(left.sizeBytes(), right.sizeBytes());
        long larger = Math.max(left.sizeBytes(), right.sizeBytes());
        var ranges = new ArrayList<BlockRange>();
        left.forEachDifference(right, block -> {
            long offset = block * BlockMap.BLOCK_BYTES;
            add(ranges, offset, Math.min(offset + BlockMap.BLOCK_BYTES, larger));
        });
        ranges.removeIf(range -> range.offsetBytes() >= smaller);
        if (larger > smaller) {
            add(ranges, smaller - smaller % BlockMap.BLOCK_BYTES, larger);
        }
        return new MemoryRanges(ranges);
    }

    private static void add(List<BlockRange> ranges, long offset, long end) {
        if (!ranges.isEmpty() && ranges.getLast().endBytes() >= offset) {
            long start = ranges.removeLast().offsetBytes();
            ranges.add(new BlockRange(start, end - start));
        } else {
            ranges.add(new BlockRange(offset, end - offset));
        }
    }

    @Override
    public int granularityBytes() {
        return BlockMap.BLOCK_BYTES;
    }

    @Override
    public Confidence confidence() {
        return Confidence.EXACT;
    }

    @Override
    public String source() {
        return "memory";
    }

    @Override
    public Optional<BlockRange> next() {
        return nextIndex < ranges.size() ? Optional.of(ranges.get(nextIndex++)) : Optional.empty();
    }

    @Override
    public void close() {
        nextIndex = ranges.size();
    }
}
