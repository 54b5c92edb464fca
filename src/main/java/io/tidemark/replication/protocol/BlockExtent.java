package io.tidemark.replication.protocol;

/**
 * Where some sent bytes belong on the volume.
 *
 * @param lengthBytes at most 1 GiB
 * @param zero whether the range becomes zeros; then it has no bytes in the frame
 */
public record BlockExtent(long offsetBytes, int lengthBytes, boolean zero) {
    /** Fits the 31 bits of the wire with room to spare, and is a multiple of every block size. */
    public static final int LENGTH_BYTES_MAXIMUM = 1 << 30;

    public BlockExtent {
        if (offsetBytes < 0 || lengthBytes < 1 || lengthBytes > LENGTH_BYTES_MAXIMUM) {
            throw new IllegalArgumentException("no extent: offset %d, length %d".formatted(offsetBytes, lengthBytes));
        }
    }

    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
