package io.tidemark.provider.fakecloud;

import java.util.Arrays;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Content of a volume: 512 KiB blocks, those never written absent. A block's array is never changed once it is here, so
 * that snapshots share it: two contents hold the same array where neither was written since they parted.
 *
 * <p>Guarded by the lock of the account.
 */
public final class SparseBlocks {
    public static final int BLOCK_BYTES = 512 << 10;
    private static final NavigableMap<Integer, byte[]> EMPTY = Collections.emptyNavigableMap();
    private static final byte[] ZEROES = new byte[BLOCK_BYTES];

    private NavigableMap<Integer, byte[]> blocks = EMPTY;
    private boolean shared = true;

    /** A content that begins as another one was when it was frozen. */
    public static SparseBlocks of(NavigableMap<Integer, byte[]> frozen) {
        var blocks = new SparseBlocks();
        blocks.blocks = frozen;
        return blocks;
    }

    /** The content as it is now, which never changes again. */
    public NavigableMap<Integer, byte[]> freeze() {
        shared = true;
        return Collections.unmodifiableNavigableMap(blocks);
    }

    public void write(long offsetBytes, byte[] bytes) {
        if (shared) {
            blocks = new TreeMap<>(blocks);
            shared = false;
        }
        int done = 0;
        while (done < bytes.length) {
            long at = offsetBytes + done;
            int index = (int) (at / BLOCK_BYTES);
            int within = (int) (at % BLOCK_BYTES);
            int length = Math.min(BLOCK_BYTES - within, bytes.length - done);
            byte[] block = Arrays.copyOf(blocks.getOrDefault(index, ZEROES), BLOCK_BYTES);
            System.arraycopy(bytes, done, block, within, length);
            blocks.put(index, block);
            done += length;
        }
    }

    public static byte[] read(NavigableMap<Integer, byte[]> blocks, long offsetBytes, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        int done = 0;
        while (done < lengthBytes) {
            long at = offsetBytes + done;
            int within = (int) (at % BLOCK_BYTES);
            int length = Math.min(BLOCK_BYTES - within, lengthBytes - done);
            byte[] block = blocks.getOrDefault((int) (at / BLOCK_BYTES), ZEROES);
            System.arraycopy(block, within, bytes, done, length);
            done += length;
        }
        return bytes;
    }

    public byte[] read(long offsetBytes, int lengthBytes) {
        return read(blocks, offsetBytes, lengthBytes);
    }
}
