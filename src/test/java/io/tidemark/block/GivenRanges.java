package io.tidemark.block;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A changed-range source that names what it was told to. */
final class GivenRanges implements ChangedRanges {
    private final ArrayDeque<BlockRange> left;
    private boolean closed;

    private GivenRanges(List<BlockRange> ranges) {
        this.left = new ArrayDeque<>(ranges);
    }

    static GivenRanges of(List<BlockRange> ranges) {
        return new GivenRanges(ranges);
    }

    /** All that a source names, to its end. */
    static List<BlockRange> all(ChangedRanges ranges) throws ProviderException {
        var all = new ArrayList<BlockRange>();
        for (var range = ranges.next(); range.isPresent(); range = ranges.next()) {
            all.add(range.get());
        }
        return all;
    }

    boolean closed() {
        return closed;
    }

    @Override
    public int granularityBytes() {
        return 512;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return "test";
    }

    @Override
    public Optional<BlockRange> next() {
        return Optional.ofNullable(left.poll());
    }

    @Override
    public void close() {
        closed = true;
    }
}
