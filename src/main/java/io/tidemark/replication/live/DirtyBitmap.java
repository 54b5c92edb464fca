package io.tidemark.replication.live;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Which blocks of 4 KiB a peer may lack: DRBD's quick-sync bitmap, one for each peer. Takes 4 KiB of memory for each 127.5
 * MiB of the volume that has a dirty block in it. Of one thread.
 *
 * <p>It is kept in pages of {@link #PAGE_BYTES}: magic (4, big-endian), CRC-32C of the rest (4), number of the page (4), zero
 * (4), then bits, the lowest block in the lowest bit of the first byte. A page that does not hold, for it was torn, is
 * read as all dirty: that costs a resync of its blocks, and loses nothing.
 */
public final class DirtyBitmap {
    public static final int BLOCK_BYTES = 4_096;
    public static final int PAGE_BYTES = 4_096;

    private static final int MAGIC = 0x544D4442;
    private static final int HEADER_BYTES = 16;
    private static final int CHECKED_FROM = 8;
    private static final int PAGE_WORDS = (PAGE_BYTES - HEADER_BYTES) / Long.BYTES;
    /** Blocks of a page. */
    static final int PAGE_BLOCKS = PAGE_WORDS * Long.SIZE;

    /** Of a volume: 256 TiB, in two million pages. */
    public static final long SIZE_MAXIMUM_BYTES = 1L << 48;

    /** None where nothing of a page is dirty. */
    private final long[] @Nullable [] pages;

    private final TreeSet<Integer> changed = new TreeSet<>();
    private final long sizeBytes;
    private final long blocks;
    private long dirty;

    /**
     * Blocks that are dirty, one after the other.
     *
     * @param first number of the first
     * @param count at least 1
     */
    public record Run(long first, int count) {
        /** Bytes from the start of the volume. */
        long offset() {
            return first * BLOCK_BYTES;
        }

        /** Its bytes, without those that would lie behind the volume's end. */
        long bytes(long sizeBytes) {
            return Math.min((long) count * BLOCK_BYTES, sizeBytes - offset());
        }

        boolean overlaps(Run other) {
            return first < other.first + other.count && other.first < first + count;
        }

        boolean contains(Run other) {
            return first <= other.first && other.first + other.count <= first + count;
        }
    }

    /**
     * One in which nothing is dirty.
     *
     * @param sizeBytes of the volume; its last block may be a part
     */
    public DirtyBitmap(long sizeBytes) {
        if (sizeBytes < 0 || sizeBytes > SIZE_MAXIMUM_BYTES) {
            throw new IllegalArgumentException(
                    "a volume has 0 to %d bytes, not %d".formatted(SIZE_MAXIMUM_BYTES, sizeBytes));
        }
        this.sizeBytes = sizeBytes;
        blocks = Math.ceilDiv(sizeBytes, BLOCK_BYTES);
        pages = new long[pageCount(sizeBytes)][];
    }

    /** Pages that the bitmap of a volume of this size is kept in. */
    public static int pageCount(long sizeBytes) {
        return (int) Math.ceilDiv(Math.ceilDiv(sizeBytes, BLOCK_BYTES), PAGE_BLOCKS);
    }

    public long dirtyBlocks() {
        return dirty;
    }

    /** Every block that has a byte of the range becomes dirty. */
    public void mark(long offsetBytes, long lengthBytes) {
        check(offsetBytes, lengthBytes);
        change(offsetBytes / BLOCK_BYTES, Math.ceilDiv(offsetBytes + lengthBytes, BLOCK_BYTES), true);
    }

    /** Every block that lies wholly in the range becomes clean; so does the volume's last, of which there may be a part. */
    public void clear(long offsetBytes, long lengthBytes) {
        check(offsetBytes, lengthBytes);
        long end = offsetBytes + lengthBytes;
        change(Math.ceilDiv(offsetBytes, BLOCK_BYTES), end == sizeBytes ? blocks : end / BLOCK_BYTES, false);
    }

    private void check(long offsetBytes, long lengthBytes) {
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > sizeBytes - lengthBytes) {
            throw new IllegalArgumentException(
                    "%d bytes at %d are not in a volume of %d".formatted(lengthBytes, offsetBytes, sizeBytes));
        }
    }

    /** A word at a time. */
    private void change(long first, long end, boolean toDirty) {
        for (long block = first; block < end; ) {
            int page = (int) (block / PAGE_BLOCKS);
            int inPage = (int) (block % PAGE_BLOCKS);
            int from = inPage % Long.SIZE;
            int count = (int) Math.min(Long.SIZE - from, end - block);
            long mask = (count == Long.SIZE ? -1L : (1L << count) - 1) << from;
            changeWord(page, inPage / Long.SIZE, mask, toDirty);
            block += count;
        }
    }

    private void changeWord(int page, int word, long mask, boolean toDirty) {
        var words = pages[page];
        if (words == null) {
            if (!toDirty) {
                return;
            }
            words = new long[PAGE_WORDS];
            pages[page] = words;
        }
        long before = words[word];
        long after = toDirty ? before | mask : before & ~mask;
        if (before != after) {
            words[word] = after;
            dirty += Long.bitCount(after) - Long.bitCount(before);
            changed.add(page);
        }
    }

    public boolean isDirty(long block) {
        var words = pages[(int) (block / PAGE_BLOCKS)];
        int inPage = (int) (block % PAGE_BLOCKS);
        return words != null && (words[inPage / Long.SIZE] >>> inPage % Long.SIZE & 1) != 0;
    }

    /**
     * The first dirty blocks from one on.
     *
     * @param most of one run, at least 1
     * @return empty where none is dirty from there to the end
     */
    public Optional<Run> next(long from, int most) {
        long first = nextDirty(from);
        if (first == blocks) {
            return Optional.empty();
        }
        int count = 1;
        while (count < most && first + count < blocks && isDirty(first + count)) {
            count++;
        }
        return Optional.of(new Run(first, count));
    }

    /** The first dirty runs, in order, as many as that at most. */
    List<Run> runs(int most) {
        var runs = new ArrayList<Run>();
        for (var run = next(0, Integer.MAX_VALUE);
                run.isPresent() && runs.size() < most;
                run = next(run.get().first() + run.get().count(), Integer.MAX_VALUE)) {
            runs.add(run.get());
        }
        return runs;
    }

    private long nextDirty(long from) {
        long block = from;
        while (block < blocks) {
            var words = pages[(int) (block / PAGE_BLOCKS)];
            int inPage = (int) (block % PAGE_BLOCKS);
            if (words == null) {
                block += PAGE_BLOCKS - inPage;
                continue;
            }
            long rest = words[inPage / Long.SIZE] >>> inPage % Long.SIZE;
            if (rest != 0) {
                return block + Long.numberOfTrailingZeros(rest);
            }
            block += Long.SIZE - inPage % Long.SIZE;
        }
        return blocks;
    }

    /** All that is dirty in the other becomes dirty in this: both are of one volume. */
    public void add(DirtyBitmap other) {
        if (other.sizeBytes != sizeBytes) {
            throw new IllegalArgumentException(
                    "a bitmap of %d bytes and one of %d".formatted(sizeBytes, other.sizeBytes));
        }
        for (int page = 0; page < pages.length; page++) {
            var words = other.pages[page];
            for (int word = 0; words != null && word < PAGE_WORDS; word++) {
                if (words[word] != 0) {
                    changeWord(page, word, words[word], true);
                }
            }
        }
    }

    /** Pages that differ from what was last {@link #written}. */
    public SortedSet<Integer> changedPages() {
        return Collections.unmodifiableSortedSet(changed);
    }

    /** Those of them that have a block of the range; its end may lie behind the volume's. */
    SortedSet<Integer> changedPagesOf(long offsetBytes, long lengthBytes) {
        int first = (int) (offsetBytes / BLOCK_BYTES / PAGE_BLOCKS);
        int last = (int) ((offsetBytes + lengthBytes - 1) / BLOCK_BYTES / PAGE_BLOCKS);
        return Collections.unmodifiableSortedSet(changed.subSet(first, last + 1));
    }

    /** A page's bytes as they are to be kept now. */
    public byte[] page(int page) {
        var bytes = ByteBuffer.allocate(PAGE_BYTES);
        bytes.putInt(MAGIC).putInt(0).putInt(page).putInt(0).order(ByteOrder.LITTLE_ENDIAN);
        var words = pages[page];
        for (int word = 0; words != null && word < PAGE_WORDS; word++) {
            bytes.putLong(words[word]);
        }
        bytes.order(ByteOrder.BIG_ENDIAN).putInt(4, checksum(bytes.array()));
        return bytes.array();
    }

    /** The bytes of {@link #page} are durable, and nothing of it was changed since they were taken. */
    public void written(int page) {
        changed.remove(page);
        if (pages[page] != null && Arrays.stream(pages[page]).allMatch(word -> word == 0)) {
            pages[page] = null;
        }
    }

    /**
     * Takes a page over as it is on the disk, after a start.
     *
     * @return whether it held; where it did not, all of it is dirty now
     */
    public boolean load(int page, byte[] kept) {
        var bytes = ByteBuffer.wrap(kept);
        boolean holds = kept.length == PAGE_BYTES
                && bytes.getInt() == MAGIC
                && bytes.getInt() == checksum(kept)
                && bytes.getInt() == page;
        bytes.position(Math.min(HEADER_BYTES, kept.length)).order(ByteOrder.LITTLE_ENDIAN);
        long first = (long) page * PAGE_BLOCKS;
        long end = Math.min(blocks, first + PAGE_BLOCKS);
        if (!holds) {
            change(first, end, true);
            return false;
        }
        for (int word = 0; word < PAGE_WORDS; word++) {
            long bits = bytes.getLong();
            if (bits != 0) {
                changeWord(page, word, bits, true);
            }
        }
        changed.remove(page);
        return true;
    }

    private static int checksum(byte[] page) {
        var sum = new CRC32C();
        sum.update(page, CHECKED_FROM, page.length - CHECKED_FROM);
        return (int) sum.getValue();
    }
}
