package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Which chunks of a volume have changed since a classic snapshot of it was cut: those that its exception store has kept.
 * Source: Linux, drivers/md/dm-snap-persistent.c, version 1 of the disk format; little-endian. Chunk 0 is the header: magic,
 * valid, version, sectors a chunk, each of 32 bits. An area is a chunk of entries (old chunk, new chunk; 64 bits each),
 * followed by as many chunks as it has entries, which hold what the old ones held; the first one is chunk 1. The list ends at
 * the first entry whose new chunk is 0, for that is the header's.
 *
 * <p>It may be read while the kernel adds to it: entries are only ever added, each as a whole. Nothing that is read is
 * believed: neither numbers nor order.
 */
final class ExceptionStore {
    private static final int MAGIC = 0x7041_6e53;
    private static final int VERSION = 1;
    private static final int SECTOR_BYTES = 512;
    private static final int ENTRY_BYTES = 16;
    /** LVM's least and its greatest, lvcreate(8), "--chunksize"; the kernel allows less and more. */
    private static final int CHUNK_BYTES_MINIMUM = 4 << 10;

    private static final int CHUNK_BYTES_MAXIMUM = 512 << 10;

    /** Of what has changed, 32 MiB of memory: of a volume above 1 TiB in chunks of 4 KiB several chunks share a bit. */
    private static final long BITS_MAXIMUM = 1L << 28;

    private static final int VALID_AT = 4;
    private static final int VERSION_AT = 8;
    private static final int CHUNK_AT = 12;

    private final Bytes bytes;
    private final String name;
    private final int chunkBytes;

    private ExceptionStore(Bytes bytes, String name, int chunkBytes) {
        this.bytes = bytes;
        this.name = name;
        this.chunkBytes = chunkBytes;
    }

    /** Where a store lies. */
    interface Bytes {
        long sizeBytes();

        /** Of whole blocks of 4 KiB, past the page cache, in which the kernel does not write. */
        ByteBuffer read(long offsetBytes, int lengthBytes) throws ProviderException;
    }

    /** @throws ProviderException Corrupt for what is no such store, or one that has overflowed */
    static ExceptionStore open(String name, Bytes bytes) throws ProviderException {
        if (bytes.sizeBytes() < CHUNK_BYTES_MINIMUM) {
            throw corrupt(name, "it has %d bytes".formatted(bytes.sizeBytes()));
        }
        var header = header(name, bytes);
        int version = header.getInt(VERSION_AT);
        long sectors = Integer.toUnsignedLong(header.getInt(CHUNK_AT));
        long chunkBytes = sectors * SECTOR_BYTES;
        if (version != VERSION) {
            throw corrupt(name, "its version is %d, not %d".formatted(version, VERSION));
        }
        if (chunkBytes < CHUNK_BYTES_MINIMUM || chunkBytes > CHUNK_BYTES_MAXIMUM || Long.bitCount(chunkBytes) != 1) {
            throw corrupt(name, "its chunks have %d sectors".formatted(sectors));
        }
        return new ExceptionStore(bytes, name, (int) chunkBytes);
    }

    private static ByteBuffer header(String name, Bytes bytes) throws ProviderException {
        var header = bytes.read(0, CHUNK_BYTES_MINIMUM).order(ByteOrder.LITTLE_ENDIAN);
        if (header.getInt(0) != MAGIC) {
            throw corrupt(name, "it has no magic number");
        }
        if (header.getInt(VALID_AT) != 1) {
            throw corrupt(name, "invalid: its exception store of %d bytes overflowed".formatted(bytes.sizeBytes()));
        }
        return header;
    }

    int chunkBytes() {
        return chunkBytes;
    }

    /**
     * @param volumeBytes of the volume when it was cut, in the device's length
     * @return ascending, joined, within the volume
     * @throws ProviderException Corrupt where an entry names what cannot be, or the store overflowed meanwhile
     */
    List<BlockRange> changed(long volumeBytes) throws ProviderException {
        var changed = new Changed(chunksOf(volumeBytes));
        visit(volumeBytes, area -> area.chunks().forEach(changed::add));
        return changed.ranges(chunkBytes, volumeBytes);
    }

    /**
     * Entries of one table.
     *
     * @param chunks of the volume, ascending
     * @param highestKept chunk of the store that one of them is kept in
     */
    record Area(List<Long> chunks, long highestKept) {}

    /** Is told each area. */
    @FunctionalInterface
    interface Visitor {
        void visit(Area area) throws ProviderException;
    }

    /**
     * All that it keeps, an area at a time, also what is added meanwhile.
     *
     * @throws ProviderException as {@link #changed}; what was told before is then worth nothing
     */
    void visit(long volumeBytes, Visitor visitor) throws ProviderException {
        long storeChunks = bytes.sizeBytes() / chunkBytes;
        int entries = entriesOfAnArea();
        boolean more = true;
        for (long at = 1; more && at < storeChunks; at += entries + 1L) {
            var area = readArea(at, storeChunks, chunksOf(volumeBytes));
            visitor.visit(area);
            more = area.chunks().size() == entries;
        }
        // What it said is worth something only if it was valid to the end.
        var unused = header(name, bytes);
    }

    private long chunksOf(long volumeBytes) {
        return Math.ceilDiv(volumeBytes, (long) chunkBytes);
    }

    private int entriesOfAnArea() {
        return chunkBytes / ENTRY_BYTES;
    }

    private Area readArea(long area, long storeChunks, long volumeChunks) throws ProviderException {
        var table = bytes.read(area * chunkBytes, chunkBytes).order(ByteOrder.LITTLE_ENDIAN);
        var chunks = new ArrayList<Long>();
        long highestKept = 0;
        for (int at = 0; at < chunkBytes; at += ENTRY_BYTES) {
            long from = table.getLong(at);
            long kept = table.getLong(at + Long.BYTES);
            if (kept == 0) {
                break;
            }
            if (from < 0 || from >= volumeChunks || kept < 0 || kept >= storeChunks || isTable(kept)) {
                throw corrupt(
                        name,
                        "entry %d of area chunk %d is of chunk %d, kept in %d; the volume has %d chunks, the store %d"
                                .formatted(at / ENTRY_BYTES, area, from, kept, volumeChunks, storeChunks));
            }
            chunks.add(from);
            highestKept = Math.max(highestKept, kept);
        }
        chunks.sort(null);
        return new Area(List.copyOf(chunks), highestKept);
    }

    /**
     * What writing to a volume would take of this store.
     *
     * @param lackingChunks that would be kept: those that are not yet
     * @param freeChunks that it can keep
     */
    record Demand(long lackingChunks, long freeChunks) {}

    /** @param written ascending, of the volume */
    Demand demand(List<BlockRange> written, long volumeBytes) throws ProviderException {
        var kept = new Changed(chunksOf(volumeBytes));
        var seen = new Use();
        visit(volumeBytes, area -> {
            area.chunks().forEach(kept::add);
            seen.add(area);
        });
        long lacking = 0;
        long next = 0;
        for (var range : written) {
            long end = Math.ceilDiv(range.endBytes(), (long) chunkBytes);
            for (long chunk = Math.max(next, range.offsetBytes() / chunkBytes); chunk < end; chunk++) {
                lacking += kept.surelyHas(chunk) ? 0 : 1;
            }
            next = Math.max(next, end);
        }
        return new Demand(lacking, Math.max(0, free(seen)));
    }

    /** What is in use of it. */
    private static final class Use {
        private long exceptions;
        private long highestKept = 1;

        void add(Area area) {
            exceptions += area.chunks().size();
            highestKept = Math.max(highestKept, area.highestKept());
        }
    }

    /** The kernel goes on behind the highest, past the tables; and an area that becomes full has to have its next table. */
    private long free(Use use) {
        long storeChunks = bytes.sizeBytes() / chunkBytes;
        int entries = entriesOfAnArea();
        long behind = storeChunks - (use.highestKept + 1);
        long data = behind - (tablesBelow(storeChunks) - tablesBelow(use.highestKept + 1));
        long lastTable = (storeChunks - 2) / (entries + 1L);
        long listed = lastTable * entries + entries - 1 - use.exceptions;
        return Math.min(data, listed);
    }

    private long tablesBelow(long chunk) {
        return chunk <= 1 ? 0 : (chunk - 2) / (entriesOfAnArea() + 1L) + 1;
    }

    private boolean isTable(long chunk) {
        return chunk % (entriesOfAnArea() + 1L) == 1;
    }

    /** Chunks of a volume, as bits. */
    private static final class Changed {
        private final BitSet bits = new BitSet();
        private final int shift;

        Changed(long chunks) {
            int needed = 0;
            while ((chunks >> needed) > BITS_MAXIMUM) {
                needed++;
            }
            shift = needed;
        }

        void add(long chunk) {
            bits.set((int) (chunk >> shift));
        }

        /** Where several chunks share a bit nothing is sure. */
        boolean surelyHas(long chunk) {
            return shift == 0 && bits.get((int) chunk);
        }

        List<BlockRange> ranges(int chunkBytes, long volumeBytes) {
            long bitBytes = (long) chunkBytes << shift;
            var ranges = new ArrayList<BlockRange>();
            int from = bits.nextSetBit(0);
            while (from >= 0) {
                int end = bits.nextClearBit(from);
                long offset = from * bitBytes;
                ranges.add(new BlockRange(offset, Math.min(end * bitBytes, volumeBytes) - offset));
                from = bits.nextSetBit(end);
            }
            return ranges;
        }
    }

    private static ProviderException corrupt(String name, String evidence) {
        return new ProviderException(new ProviderError.Corrupt(name, evidence));
    }
}
