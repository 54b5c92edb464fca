package io.tidemark.provider.lvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A store on a disk, written as the kernel does. */
final class StoreOnDisk implements ExceptionStore.Bytes {
    private static final int CHUNK_BYTES = 4096;
    private static final int ENTRIES = 256;

    final ByteBuffer content;
    private int exceptions;
    /** Reads before the kernel gives the snapshot up; -1: it does not. */
    int validReads = -1;

    StoreOnDisk(int chunks) {
        content = ByteBuffer.allocate(chunks * CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        content.putInt(0, 0x70416e53).putInt(4, 1).putInt(8, 1).putInt(12, CHUNK_BYTES / 512);
    }

    StoreOnDisk add(long chunk) {
        int area = exceptions / ENTRIES;
        int at = exceptions % ENTRIES;
        int table = 1 + area * (ENTRIES + 1);
        content.putLong(table * CHUNK_BYTES + at * 16, chunk);
        content.putLong(table * CHUNK_BYTES + at * 16 + 8, table + 1 + at);
        exceptions++;
        return this;
    }

    @Override
    public long sizeBytes() {
        return content.capacity();
    }

    @Override
    public ByteBuffer read(long offsetBytes, int lengthBytes) {
        if (validReads == 0) {
            content.putInt(4, 0);
        }
        validReads--;
        var copy = ByteBuffer.allocate(lengthBytes);
        copy.put(0, content, Math.toIntExact(offsetBytes), lengthBytes);
        return copy;
    }
}
