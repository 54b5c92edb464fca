package io.tidemark.block;

import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;

/** Tells which blocks of two images differ, for who does not need the bytes of those that do not. */
@FunctionalInterface
public interface BlockComparison {
    /**
     * @param offsetBytes a multiple of {@link ChangedRuns#BLOCK_BYTES}
     * @param lengthBytes at least 1, in whole blocks unless both images end there
     * @param differingBits direct; a bit for each block from its position on, which does not move
     * @return how many differ
     */
    long differing(long offsetBytes, int lengthBytes, ByteBuffer differingBits) throws ProviderException;
}
