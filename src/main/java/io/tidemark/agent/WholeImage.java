package io.tidemark.agent;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import java.util.Optional;

/** One range: the storage does not say what changed. */
final class WholeImage implements ChangedRanges {
    /** What every provider calls it when it names everything. */
    static final String SOURCE = "full";

    private final long sizeBytes;
    private boolean given;

    WholeImage(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    @Override
    public int granularityBytes() {
        return 4 << 10;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return SOURCE;
    }

    @Override
    public Optional<BlockRange> next() {
        if (given || sizeBytes == 0) {
            return Optional.empty();
        }
        given = true;
        return Optional.of(new BlockRange(0, sizeBytes));
    }

    @Override
    public void close() {}
}
