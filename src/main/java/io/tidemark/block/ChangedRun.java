package io.tidemark.block;

import java.nio.ByteBuffer;

/**
 * Neighbouring blocks that differ from what the other side has.
 *
 * @param lengthBytes a multiple of 4 KiB except at the end of the image
 * @param zero whether every byte is zero; then {@code data} is empty and the run may be of any length
 * @param data the bytes, from position to limit; direct, and good only until the next run is asked for
 */
public record ChangedRun(long offsetBytes, long lengthBytes, boolean zero, ByteBuffer data) {
    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0).asReadOnlyBuffer();

    static ChangedRun ofZeros(long offsetBytes, long lengthBytes) {
        return new ChangedRun(offsetBytes, lengthBytes, true, NOTHING);
    }

    /** First byte after the run. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
