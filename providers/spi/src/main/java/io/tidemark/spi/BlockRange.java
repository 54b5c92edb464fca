package io.tidemark.spi;

/**
 * A non-empty run of bytes on a volume: {@code [offsetBytes, offsetBytes + lengthBytes)}.
 *
 * @param offsetBytes first byte, from the start of the volume
 * @param lengthBytes number of bytes, at least 1
 */
public record BlockRange(long offsetBytes, long lengthBytes) {

    public BlockRange {
        if (offsetBytes < 0) {
            throw new IllegalArgumentException("offsetBytes is negative: " + offsetBytes);
        }
        if (lengthBytes < 1) {
            throw new IllegalArgumentException("lengthBytes is not positive: " + lengthBytes);
        }
        if (offsetBytes > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException(
                    "range ends past 2^63: offset %d, length %d".formatted(offsetBytes, lengthBytes));
        }
    }

    /** First byte after the range. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }

    public boolean overlaps(BlockRange other) {
        return offsetBytes < other.endBytes() && other.offsetBytes < endBytes();
    }
}
