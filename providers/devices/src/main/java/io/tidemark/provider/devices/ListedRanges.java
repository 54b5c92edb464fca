package io.tidemark.provider.devices;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Ranges of whole granules of the storage: what differs in one byte is named whole, and what was written anew as it was, too. */
public final class ListedRanges implements ChangedRanges {
    private final String source;
    private final int blockBytes;
    private final Iterator<BlockRange> ranges;

    public ListedRanges(String source, int blockBytes, List<BlockRange> ranges) {
        this.source = source;
        this.blockBytes = blockBytes;
        this.ranges = ranges.iterator();
    }

    @Override
    public int granularityBytes() {
        return blockBytes;
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
