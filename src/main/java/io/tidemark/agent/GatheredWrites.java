package io.tidemark.agent;

import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;

/**
 * Joins writes that follow each other into large ones, in a buffer that lies as {@link VolumeWriter#write} likes it:
 * a first copy comes in frames of 256 KiB, and a storage that is written past the page cache wants more at once. What
 * is gathered is written when the next write does not follow it, when the buffer is full, and by {@link #write};
 * until then a reader of the volume does not see it. One thread.
 */
final class GatheredWrites {
    /** Enough for several requests of a disk at once: the kernel splits it at about 1 MiB. */
    static final int GATHERED_BYTES_MAXIMUM = 4 << 20;

    private static final int PAGE_BYTES = 4 << 10;

    private final ByteBuffer gathered =
            ByteBuffer.allocateDirect(GATHERED_BYTES_MAXIMUM + PAGE_BYTES).alignedSlice(PAGE_BYTES);
    private long offsetBytes;

    /** Takes some bytes of a buffer, which it leaves as it was, and writes what cannot wait for them. */
    void add(VolumeWriter volume, long atBytes, ByteBuffer bytes, int firstByte, int lengthBytes)
            throws ProviderException {
        int from = firstByte;
        int end = firstByte + lengthBytes;
        long at = atBytes;
        if (at != offsetBytes + gathered.position()) {
            write(volume);
        }
        while (from < end) {
            if (gathered.position() == 0) {
                offsetBytes = at;
            }
            int length = Math.min(end - from, GATHERED_BYTES_MAXIMUM - gathered.position());
            gathered.put(gathered.position(), bytes, from, length).position(gathered.position() + length);
            from += length;
            at += length;
            if (gathered.position() == GATHERED_BYTES_MAXIMUM) {
                write(volume);
            }
        }
    }

    /** Writes what is gathered; nothing is left, also when that fails. */
    void write(VolumeWriter volume) throws ProviderException {
        int length = gathered.position();
        gathered.clear();
        if (length > 0) {
            volume.write(offsetBytes, gathered.slice(0, length));
        }
    }
}
