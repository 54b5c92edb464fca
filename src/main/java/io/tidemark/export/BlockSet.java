package io.tidemark.export;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A set of block numbers. Takes 12 bytes a chunk of {@value #CHUNK_BLOCKS} blocks, 32 KiB where some but not all of the
 * chunk are in it: of a TiB in blocks of 4 KiB at most 32 MiB. One thread changes it at a time; others may read. A
 * change for which there is no memory may be made in part.
 *
 * <p>Not final: a test comes between two looks at it.
 */
class BlockSet {
    static final int CHUNK_BLOCKS = 1 << 18;

    /** Heap of a chunk of which some but not all are in the set. */
    static final int CHUNK_BYTES = CHUNK_BLOCKS / Byte.SIZE;

    private static final int CHUNK_WORDS = CHUNK_BLOCKS / Long.SIZE;
    /** Of a chunk's reference, and of how many of its blocks are in the set. */
    private static final int ENTRY_BYTES = Long.BYTES + Integer.BYTES;

    /** Stands for a chunk that is wholly in the set. */
    private static final AtomicLongArray ALL = new AtomicLongArray(0);

    private final AtomicReferenceArray<AtomicLongArray> chunks;
    /** Of each chunk, how many of its blocks are in the set; for who changes it. */
    private final int[] counts;

    private final long blockCount;
    private final SetMemory.Share memory;
    private final AtomicLong size = new AtomicLong();

    /** @param memory closed by who gives it */
    BlockSet(long blockCount, SetMemory.Share memory) throws OutOfSpaceException {
        this.blockCount = blockCount;
        this.memory = memory;
        long chunkCount = Math.ceilDiv(blockCount, (long) CHUNK_BLOCKS);
        memory.take(chunkCount * ENTRY_BYTES);
        this.chunks = new AtomicReferenceArray<>(Math.toIntExact(chunkCount));
        this.counts = new int[Math.toIntExact(chunkCount)];
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
     * The first block at or after {@code from} that is not as wanted, at most {@code end}. {@code from} itself where
     * that has changed since the caller looked.
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

    void add(long from, long end) throws OutOfSpaceException {
        set(from, end, true);
    }

    void remove(long from, long end) throws OutOfSpaceException {
        set(from, end, false);
    }

    private void set(long from, long end, boolean in) throws OutOfSpaceException {
        for (long at = from; at < end; ) {
            int number = (int) (at / CHUNK_BLOCKS);
            long until = Math.min(end, (long) number * CHUNK_BLOCKS + blocksOf(number));
            if (until - at == blocksOf(number)) {
                setAll(number, in);
            } else {
                setSome(number, at, until, in);
            }
            at = until;
        }
    }

    /** How many blocks the chunk has: the last may have fewer than the others. */
    private int blocksOf(int number) {
        return (int) Math.min(CHUNK_BLOCKS, blockCount - (long) number * CHUNK_BLOCKS);
    }

    private void setAll(int number, boolean in) {
        var before = chunks.getAndSet(number, in ? ALL : null);
        if (before != null && before != ALL) {
            memory.giveBack(CHUNK_BYTES);
        }
        count(number, (in ? blocksOf(number) : 0) - counts[number]);
    }

    private void count(int number, int more) {
        counts[number] += more;
        size.addAndGet(more);
    }

    private void setSome(int number, long from, long end, boolean in) throws OutOfSpaceException {
        var chunk = chunks.get(number);
        if (chunk == (in ? ALL : null)) {
            return;
        }
        if (chunk == null || chunk == ALL) {
            memory.take(CHUNK_BYTES);
            var words = new long[CHUNK_WORDS];
            if (chunk == ALL) {
                Arrays.fill(words, -1L);
            }
            chunk = new AtomicLongArray(words);
        }
        int changed = 0;
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
        count(number, in ? changed : -changed);
        if (counts[number] == (in ? blocksOf(number) : 0)) {
            setAll(number, in);
        }
    }
}
