package io.tidemark.block;

/**
 * How an image falls into blocks, and blocks into spans: what one thread hashes at a time.
 *
 * @param sizeBytes of the image; at most {@link #MAXIMUM_IMAGE_BYTES}
 * @param blockBytes a power of two; the last block may be short
 */
public record ImageGeometry(long sizeBytes, int blockBytes) {
    public static final int MINIMUM_BLOCK_BYTES = 512;
    public static final int MAXIMUM_BLOCK_BYTES = 16 << 20;

    /** 64 PiB: far above any volume, and low enough that no product of sizes here leaves a {@code long}. */
    public static final long MAXIMUM_IMAGE_BYTES = 1L << 56;

    /** Large enough that starting a span costs nothing, small enough that two threads end together. */
    private static final int SPAN_BYTES = 32 << 20;

    public ImageGeometry {
        if (sizeBytes < 0 || sizeBytes > MAXIMUM_IMAGE_BYTES) {
            throw new IllegalArgumentException(
                    "image size is not within 0 to %d bytes: %d".formatted(MAXIMUM_IMAGE_BYTES, sizeBytes));
        }
        if (!validBlockBytes(blockBytes)) {
            throw new IllegalArgumentException("block size is not a power of two from %d to %d bytes: %d"
                    .formatted(MINIMUM_BLOCK_BYTES, MAXIMUM_BLOCK_BYTES, blockBytes));
        }
    }

    public static boolean validBlockBytes(long blockBytes) {
        return blockBytes >= MINIMUM_BLOCK_BYTES && blockBytes <= MAXIMUM_BLOCK_BYTES && Long.bitCount(blockBytes) == 1;
    }

    public long blockCount() {
        return Math.ceilDiv(sizeBytes, blockBytes);
    }

    /** Length of one block: less than {@link #blockBytes} for the last of an image of uneven size. */
    public int lengthBytes(long block) {
        return (int) Math.min(blockBytes, sizeBytes - block * blockBytes);
    }

    /** Bytes from the start of {@code firstBlock} to the end of the last of so many blocks. */
    public long lengthBytes(long firstBlock, long count) {
        return Math.min(count * blockBytes, sizeBytes - firstBlock * blockBytes);
    }

    /** Blocks of every span but the last. */
    public int spanBlocks() {
        return Math.max(1, SPAN_BYTES / blockBytes);
    }

    public long spanCount() {
        return Math.ceilDiv(blockCount(), spanBlocks());
    }

    /** Blocks of one span; 0 for a span after the last. */
    public int spanBlocks(long span) {
        return Math.clamp(blockCount() - span * spanBlocks(), 0, spanBlocks());
    }
}
