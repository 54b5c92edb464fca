package io.tidemark.replication.live;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The bytes of a copy's metadata, and where each lies: two places for the superblock, the ring of the activity log, the
 * pages of the bitmap. All is in blocks of {@link #BLOCK_BYTES}; docs/formats/live-metadata.md has the offsets.
 *
 * @param sizeBytes of the volume
 * @param activityLogExtents as many as the ring was made for
 */
public record MetadataFormat(CopyId self, CopyId peer, long sizeBytes, int activityLogExtents) {
    public static final int BLOCK_BYTES = 4_096;

    private static final int MAGIC = 0x544D4C56;
    private static final int VERSION = 1;
    private static final int CHECKED_FROM = 8;
    private static final int SUPERBLOCKS = 2;
    private static final int CONSISTENT = 1;
    private static final int OUTDATED = 2;
    private static final int PRIMARY = 4;

    /**
     * A superblock as it was found.
     *
     * @param sequence of the change that wrote it; the next change has one more
     */
    public record Found(Superblock superblock, long sequence) {}

    public static MetadataFormat of(LiveSettings settings) {
        return new MetadataFormat(
                settings.self(), settings.peer(), settings.sizeBytes(), settings.activityLogExtents());
    }

    /** Where the superblock of a change is written: never over that of the change before. */
    public static long superblockAt(long sequence) {
        return sequence % SUPERBLOCKS * BLOCK_BYTES;
    }

    public static long ringAt() {
        return (long) SUPERBLOCKS * BLOCK_BYTES;
    }

    public int ringBytes() {
        return ActivityLogRing.blocks(activityLogExtents) * ActivityLogRing.BLOCK_BYTES;
    }

    /** Where a page of the bitmap lies; one that is all zeros was never written: nothing of it is dirty. */
    public long pageAt(int page) {
        return ringAt() + ringBytes() + (long) page * DirtyBitmap.PAGE_BYTES;
    }

    /** Bytes in all. */
    public long bytes() {
        return pageAt(DirtyBitmap.pageCount(sizeBytes));
    }

    /** @param sequence one more than that of the change before, 0 of the first */
    public byte[] superblock(Superblock superblock, long sequence) {
        var block = ByteBuffer.allocate(BLOCK_BYTES);
        block.putInt(MAGIC).putInt(0).putInt(VERSION).putLong(sequence);
        block.putLong(sizeBytes).putInt(activityLogExtents);
        GenerationsFormat.put(block, self);
        GenerationsFormat.put(block, peer);
        block.put((byte) ((superblock.isConsistent() ? CONSISTENT : 0)
                | (superblock.isOutdated() ? OUTDATED : 0)
                | (superblock.wasPrimary() ? PRIMARY : 0)));
        GenerationsFormat.put(block, superblock.generations());
        block.putLong(superblock.apartSince());
        return block.putInt(4, checksum(block.array())).array();
    }

    private static int checksum(byte[] block) {
        var sum = new CRC32C();
        sum.update(block, CHECKED_FROM, BLOCK_BYTES - CHECKED_FROM);
        return (int) sum.getValue();
    }

    /**
     * The newer of two superblocks of which one may be torn.
     *
     * @param first and {@code second}: the two places as they were read, {@link #BLOCK_BYTES} each
     * @throws IllegalArgumentException where neither holds, or they are of another volume, copy, activity log or version
     */
    public Found newest(byte[] first, byte[] second) {
        return Stream.of(first, second)
                .filter(MetadataFormat::holds)
                .map(ByteBuffer::wrap)
                .map(this::read)
                .max(Comparator.comparingLong(Found::sequence))
                .orElseThrow(() -> new IllegalArgumentException("no superblock of copy %s holds".formatted(self)));
    }

    private static boolean holds(byte[] bytes) {
        var block = ByteBuffer.wrap(bytes);
        return bytes.length == BLOCK_BYTES && block.getInt() == MAGIC && block.getInt() == checksum(bytes);
    }

    private Found read(ByteBuffer block) {
        try {
            block.position(CHECKED_FROM);
            expect("version", VERSION, block.getInt());
            long sequence = block.getLong();
            expect("volume's size", sizeBytes, block.getLong());
            expect("activity log's extents", activityLogExtents, block.getInt());
            expect("copy", self, GenerationsFormat.id(block));
            expect("peer", peer, GenerationsFormat.id(block));
            byte flags = block.get();
            var generations = GenerationsFormat.read(block);
            return new Found(
                    new Superblock(
                            generations,
                            (flags & CONSISTENT) != 0,
                            (flags & OUTDATED) != 0,
                            (flags & PRIMARY) != 0,
                            block.getLong()),
                    sequence);
        } catch (BufferUnderflowException | NegativeArraySizeException e) {
            throw new IllegalArgumentException("the superblock of copy %s is damaged".formatted(self), e);
        }
    }

    private void expect(String what, Object here, Object found) {
        if (!here.equals(found)) {
            throw new IllegalArgumentException(
                    "the metadata of copy %s is of another %s: %s, not %s".formatted(self, what, found, here));
        }
    }
}
