package io.tidemark.export;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A set of block numbers. Takes 8 bytes a chunk of {@value #CHUNK_BLOCKS} blocks, 32 KiB where some but not all of the
 * chunk are in it: of a TiB in blocks of 4 KiB at most 32 MiB. One thread changes it at a time; others may read.
 *
 * <p>Not final: a test comes between two looks at it.
 */
class BlockSet {
    static final int CHUNK_BLOCKS = 1 << 18;

    private static final int CHUNK_WORDS = CHUNK_BLOCKS / Long.SIZE;

    /** Stands for a chunk that is wholly in the set. */
    private static final AtomicLongArray ALL = new AtomicLongArray(0);

    private final AtomicReferenceArray<AtomicLongArray> chunks;
    private final long blockCount;
    private final AtomicLong size = new AtomicLong();

    BlockSet(long blockCount) {
        this.blockCount = blockCount;
        this.chunks = new AtomicReferenceArray<>(Math.toIntExact(Math.ceilDiv(blockCount, (long) CHUNK_BLOCKS)));
    }

    /** How many are in it. */
    long size() {
        return size.get();
    }

    boolean contains(long block) {
        var chunk = chunks.get((int) (block / CHUNK_BLOCKS));
        if (chunk == null || chunk == ALL) {
            return chunk == ALL;
        }
        int bit = (int) (block % CHUNK_BLOCKS);
        return (chunk.get(bit / Long.SIZE) & 1L << bit) != 0;
    }

    /**
     * The first block at or after {@code from} that is not as wanted, at most {@code end}. {@code from} itself where that
     * has changed since the caller looked.
     *
     * @param in whether blocks of the run are in the set
     */
    long runEnd(long from, long end, boolean in) {
        long at = from;
        while (at < end) {
            var chunk = chunks.get((int) (at / CHUNK_BLOCKS));
            long chunkEnd = Math.min(end, (at / CHUNK_BLOCKS + 1) * CHUNK_BLOCKS);
            if (chunk == null || chunk == ALL) {
                if ((chunk == ALL) != in) {
                    return at;
                }
                at = chunkEnd;
                continue;
            }
            int bit = (int) (at % CHUNK_BLOCKS);
            long word = chunk.get(bit / Long.SIZE);
            long differing = (in ? ~word : word) >>> bit;
            if (differing != 0) {
                return Math.min(chunkEnd, at + Long.numberOfTrailingZeros(differing));
            }
            at = Math.min(chunkEnd, at + Long.SIZE - bit % Long.SIZE);
        }
        return end;
    }

    /** How many of {@code [from, end)} are not in it. */
    long missing(long from, long end) {
        long missing = 0;
        for (long at = from; at < end; ) {
            boolean in = contains(at);
            long next = runEnd(at, end, in);
            missing += in ? 0 : next - at;
            at = next;
        }
        return missing;
    }

    void add(long from, long end) {
        set(from, end, true);
    }

    void remove(long from, long end) {
        set(from, end, false);
    }

    private void set(long from, long end, boolean in) {
        for (long at = from; at < end; ) {
            int number = (int) (at / CHUNK_BLOCKS);
            long chunkStart = (long) number * CHUNK_BLOCKS;
            long chunkEnd = Math.min(blockCount, chunkStart + CHUNK_BLOCKS);
            long until = Math.min(end, chunkEnd);
            if (at == chunkStart && until == chunkEnd) {
                long missing = missing(at, until);
                chunks.set(number, in ? ALL : null);
                size.addAndGet(in ? missing : missing - (until - at));
            } else {
                setSome(number, at, until, in);
            }
            at = until;
        }
    }

    private void setSome(int number, long from, long end, boolean in) {
        var chunk = chunks.get(number);
        if (chunk == (in ? ALL : null)) {
            return;
        }
        if (chunk == null || chunk == ALL) {
            var words = new long[CHUNK_WORDS];
            if (chunk == ALL) {
                Arrays.fill(words, -1L);
            }
            chunk = new AtomicLongArray(words);
        }
        long changed = 0;
        for (long block = from; block < end; block++) {
            int bit = (int) (block % CHUNK_BLOCKS);
            long word = chunk.get(bit / Long.SIZE);
            long wanted = in ? word | 1L << bit : word & ~(1L << bit);
            if (wanted != word) {
                chunk.set(bit / Long.SIZE, wanted);
                changed++;
            }
        }
        chunks.set(number, chunk);
        size.addAndGet(in ? changed : -changed);
    }
}
