package io.tidemark.nativeblock;

/**
 * A non-empty run of bytes of a file: {@code [offsetBytes, offsetBytes + lengthBytes)}.
 *
 * @param lengthBytes at least 1
 */
public record FileRange(long offsetBytes, long lengthBytes) {
    public FileRange {
        if (offsetBytes < 0 || lengthBytes < 1 || lengthBytes > Long.MAX_VALUE - offsetBytes) {
            throw new IllegalArgumentException("range is empty, negative or ends past 2^63: offset %d, length %d"
                    .formatted(offsetBytes, lengthBytes));
        }
    }

    /** First byte after the range. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
