package io.tidemark.provider.image;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Ranges of an image under the names of the SPI; joins what touches, and lets go of its snapshots when closed. */
final class ImageRanges implements ChangedRanges {
    private final String source;
    private final Confidence confidence;
    private final Path image;
    private final RangeSource ranges;
    private final Runnable onClose;
    private Optional<BlockRange> ahead = Optional.empty();
    private boolean closed;

    /** @param onClose run once */
    ImageRanges(String source, Confidence confidence, Path image, RangeSource ranges, Runnable onClose) {
        this.source = source;
        this.confidence = confidence;
        this.image = image;
        this.ranges = ranges;
        this.onClose = onClose;
    }

    @Override
    public int granularityBytes() {
        return BlockSet.BLOCK_BYTES;
    }

    @Override
    public Confidence confidence() {
        return confidence;
    }

    @Override
    public String source() {
        return source;
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        if (closed) {
            return Optional.empty();
        }
        try {
            var range = ahead.isPresent() ? ahead : ranges.next();
            ahead = range.isPresent() ? ranges.next() : Optional.empty();
            while (range.isPresent()
                    && ahead.isPresent()
                    && ahead.get().offsetBytes() <= range.get().endBytes()) {
                long start = range.get().offsetBytes();
                long end = Math.max(range.get().endBytes(), ahead.get().endBytes());
                range = Optional.of(new BlockRange(start, end - start));
                ahead = ranges.next();
            }
            return range;
        } catch (IOException e) {
            throw Failures.of("finding changed ranges of " + image, image, e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.run();
        }
    }
}
