package io.tidemark.replication.live;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * The bytes of an {@link ActivityLog}: a ring of blocks, a transaction each. A transaction has what it changes and a part
 * of all slots, the next part each time, so that the blocks of the ring together always tell every slot; one that is torn
 * has no right checksum, and no write depends on it yet.
 *
 * <p>Big-endian: magic, checksum (CRC-32C of the rest), sequence (8), slots of the log (4), first slot of the part (4),
 * slots of the part (2), updates (2), updates as slot (2) and extent (4), the part as extents (4). 4 MiB extents, 32 bits
 * of them without a sign: volumes of up to 8 PiB.
 */
public final class ActivityLogRing {
    public static final int BLOCK_BYTES = 4_096;
    /** A slot without an extent. */
    static final int NONE = -1;

    private static final int MAGIC = 0x544D414C;
    private static final int SLOTS_AT = 16;
    private static final int FIRST_AT = 20;
    private static final int CHECKED_FROM = 8;
    private static final int PART_MAXIMUM = 900;

    private final int slots;
    private long sequence;

    /**
     * What a ring tells.
     *
     * @param hot extents, and perhaps some that were not any more
     * @param nextSequence that of the next transaction
     */
    public record Recovered(Set<Integer> hot, long nextSequence) {}

    ActivityLogRing(int slots, long nextSequence) {
        this.slots = slots;
        this.sequence = nextSequence;
    }

    /** Blocks that the ring of a log has: a full round of parts, and the one that may be torn. */
    public static int blocks(int slots) {
        return Math.ceilDiv(slots, PART_MAXIMUM) + 1;
    }

    int position() {
        return (int) (sequence % blocks(slots));
    }

    /** The next transaction, of slots as they are with its updates in them. */
    byte[] transaction(Map<Integer, Integer> updates, int[] extents) {
        int parts = Math.ceilDiv(slots, PART_MAXIMUM);
        int first = (int) (sequence % parts) * PART_MAXIMUM;
        int size = Math.min(PART_MAXIMUM, slots - first);
        var block = ByteBuffer.allocate(BLOCK_BYTES);
        block.putInt(MAGIC).putInt(0).putLong(sequence).putInt(slots).putInt(first);
        block.putShort((short) size).putShort((short) updates.size());
        updates.forEach((slot, extent) -> block.putShort((short) (int) slot).putInt(extent));
        for (int slot = first; slot < first + size; slot++) {
            block.putInt(extents[slot]);
        }
        block.putInt(4, checksum(block.array()));
        sequence++;
        return block.array();
    }

    private static int checksum(byte[] block) {
        var sum = new CRC32C();
        sum.update(block, CHECKED_FROM, BLOCK_BYTES - CHECKED_FROM);
        return (int) sum.getValue();
    }

    /**
     * What was hot when the last durable transaction was written.
     *
     * @param ring all its blocks, as they are on the disk; zeros where none was written
     * @throws IllegalArgumentException where more is damaged than the one block that may have been torn: then every extent
     *     may have been hot
     */
    public static Recovered recover(int slots, byte[] ring) {
        int blocks = blocks(slots);
        if (ring.length != blocks * BLOCK_BYTES) {
            throw new IllegalArgumentException(
                    "the ring of %d slots has %d bytes, not %d".formatted(slots, blocks * BLOCK_BYTES, ring.length));
        }
        var found = new ArrayList<ByteBuffer>();
        int broken = 0;
        for (int block = 0; block < blocks; block++) {
            var bytes = Arrays.copyOfRange(ring, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
            if (isWhole(bytes, slots)) {
                found.add(ByteBuffer.wrap(bytes));
            } else if (!isZeros(bytes)) {
                broken++;
            }
        }
        found.sort(Comparator.comparingLong(ActivityLogRing::sequenceOf));
        if (broken > 1 || !isComplete(found, blocks - 1)) {
            throw new IllegalArgumentException(
                    "of %d blocks of the activity log %d hold, %d are damaged".formatted(blocks, found.size(), broken));
        }
        int[] extents = new int[slots];
        Arrays.fill(extents, NONE);
        found.forEach(each -> apply(each, extents));
        var hot = new TreeSet<Integer>();
        for (int extent : extents) {
            if (extent != NONE) {
                hot.add(extent);
            }
        }
        return new Recovered(hot, found.isEmpty() ? 0 : sequenceOf(found.getLast()) + 1);
    }

    private static long sequenceOf(ByteBuffer block) {
        return block.getLong(CHECKED_FROM);
    }

    /** All from the first transaction on, or the last ones of a full round of parts. */
    private static boolean isComplete(List<ByteBuffer> found, int parts) {
        for (int next = 1; next < found.size(); next++) {
            if (sequenceOf(found.get(next)) != sequenceOf(found.get(next - 1)) + 1) {
                return false;
            }
        }
        return found.isEmpty() || sequenceOf(found.getFirst()) == 0 || found.size() >= parts;
    }

    private static void apply(ByteBuffer block, int[] extents) {
        block.position(FIRST_AT);
        int first = block.getInt();
        int size = block.getShort();
        int updates = block.getShort();
        // The part has the updates of its own slots in it already.
        for (int update = 0; update < updates; update++) {
            int slot = Short.toUnsignedInt(block.getShort());
            extents[slot] = block.getInt();
        }
        for (int slot = first; slot < first + size; slot++) {
            extents[slot] = block.getInt();
        }
    }

    private static boolean isWhole(byte[] bytes, int slots) {
        var block = ByteBuffer.wrap(bytes);
        return block.getInt() == MAGIC && block.getInt() == checksum(bytes) && block.getInt(SLOTS_AT) == slots;
    }

    private static boolean isZeros(byte[] bytes) {
        for (byte each : bytes) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }
}
