package io.tidemark.block;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.util.Optional;

/** Ranges changed one by one, neighbours joined where they should be. Looks one range ahead. */
abstract class RangeMapping implements ChangedRanges {
    final ChangedRanges source;
    private final int granularityBytes;
    private Optional<BlockRange> ahead = Optional.empty();

    RangeMapping(ChangedRanges source, int granularityBytes) {
        this.source = source;
        this.granularityBytes = granularityBytes;
    }

    abstract Optional<BlockRange> read() throws ProviderException;

    /** @param second begins at or after the first one's beginning */
    abstract boolean joins(BlockRange first, BlockRange second);

    @Override
    public final Optional<BlockRange> next() throws ProviderException {
        var current = ahead.isPresent() ? ahead : read();
        ahead = Optional.empty();
        while (current.isPresent()) {
            var following = read();
            if (following.isEmpty() || !joins(current.get(), following.get())) {
                ahead = following;
                return current;
            }
            long end = Math.max(current.get().endBytes(), following.get().endBytes());
            long from = current.get().offsetBytes();
            current = Optional.of(new BlockRange(from, end - from));
        }
        return current;
    }

    @Override
    public final int granularityBytes() {
        return granularityBytes;
    }

    @Override
    public final Confidence confidence() {
        return source.confidence();
    }

    @Override
    public final String source() {
        return source.source();
    }

    @Override
    public final void close() throws ProviderException {
        source.close();
    }
}
