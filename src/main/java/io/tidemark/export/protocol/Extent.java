package io.tidemark.export.protocol;

/**
 * A run of one kind, for {@code BLOCK_STATUS}.
 *
 * @param zero whether it reads as zeros without anything stored: NBD_STATE_HOLE and NBD_STATE_ZERO
 */
public record Extent(long lengthBytes, boolean zero) {
    int flags() {
        return zero ? 3 : 0;
    }
}
