package io.tidemark.live;

import io.tidemark.replication.live.DirtyBitmap;
import java.io.IOException;

/** Whether a volume's dirty bitmap, which is all in memory, has room in this process. */
final class BitmapRoom {
    /** 64 TiB, a bitmap of 2 GiB: a peer names a size before any of its bytes are there. */
    static final long SIZE_MAXIMUM_BYTES = 64L << 40;

    private static final int BITS_A_BYTE = 8;

    private BitmapRoom() {}

    /** What the heap may still take. */
    static long leftBytes() {
        var runtime = Runtime.getRuntime();
        return runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
    }

    /** @throws IOException where it would take more than half of what is left */
    static void refuseWithout(long sizeBytes, long leftBytes) throws IOException {
        if (sizeBytes > SIZE_MAXIMUM_BYTES) {
            throw new IOException("a live volume of %d bytes, %d at most".formatted(sizeBytes, SIZE_MAXIMUM_BYTES));
        }
        long bytes = Math.ceilDiv(Math.ceilDiv(sizeBytes, DirtyBitmap.BLOCK_BYTES), BITS_A_BYTE);
        if (bytes > leftBytes / 2) {
            throw new IOException(
                    "the dirty bitmap of a volume of %d bytes takes %d, and %d are left of the heap: give the process more (-Xmx)"
                            .formatted(sizeBytes, bytes, leftBytes));
        }
    }
}
