package io.tidemark.block;

/**
 * Neighbouring blocks that a delta writes.
 *
 * @param zero whether all of them hold nothing but zero bytes
 */
public record DeltaExtent(long firstBlock, int blockCount, boolean zero) {
    public DeltaExtent {
        if (firstBlock < 0 || blockCount < 1) {
            throw new IllegalArgumentException("extent of %d blocks from block %d".formatted(blockCount, firstBlock));
        }
    }

    /** First block after it. */
    public long endBlock() {
        return firstBlock + blockCount;
    }
}
