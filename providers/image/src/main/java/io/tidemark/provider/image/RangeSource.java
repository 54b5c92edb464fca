package io.tidemark.provider.image;

import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.util.Optional;

/** Where ranges come from, one after the other. */
@FunctionalInterface
interface RangeSource {
    /** The next range, or empty at the end and ever after. */
    Optional<BlockRange> next() throws IOException;
}
