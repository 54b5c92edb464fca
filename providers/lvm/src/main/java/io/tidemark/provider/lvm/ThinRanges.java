package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Chunks of a pool: what differs in one byte is named whole. */
final class ThinRanges implements ChangedRanges {
    private final String source;
    private final int chunkBytes;
    private final Iterator<BlockRange> ranges;

    ThinRanges(String source, int chunkBytes, List<BlockRange> ranges) {
        this.source = source;
        this.chunkBytes = chunkBytes;
        this.ranges = ranges.iterator();
    }

    @Override
    public int granularityBytes() {
        return chunkBytes;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return source;
    }

    @Override
    public Optional<BlockRange> next() {
        return ranges.hasNext() ? Optional.of(ranges.next()) : Optional.empty();
    }

    @Override
    public void close() {}
}
