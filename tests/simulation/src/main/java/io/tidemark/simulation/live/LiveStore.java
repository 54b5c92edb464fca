package io.tidemark.simulation.live;

import io.tidemark.replication.live.ActivityLogRing;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStart;
import io.tidemark.replication.live.MetadataFormat;
import io.tidemark.replication.live.Superblock;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** A copy's metadata, in its true bytes: a power cut keeps any of the sectors that were being written. */
final class LiveStore {
    private static final int SECTOR_BYTES = 512;

    private final MetadataFormat format;
    private final byte[] file;
    private long sequence;

    LiveStore(LiveSettings settings) {
        format = MetadataFormat.of(settings);
        file = new byte[(int) format.bytes()];
        replace(Superblock.none());
    }

    Superblock superblock() {
        return found().superblock();
    }

    private MetadataFormat.Found found() {
        return format.newest(
                read(MetadataFormat.superblockAt(0), MetadataFormat.BLOCK_BYTES),
                read(MetadataFormat.superblockAt(1), MetadataFormat.BLOCK_BYTES));
    }

    private byte[] read(long at, int length) {
        return Arrays.copyOfRange(file, (int) at, (int) at + length);
    }

    void replace(Superblock changed) {
        byte[] block = format.superblock(changed, sequence);
        System.arraycopy(block, 0, file, (int) MetadataFormat.superblockAt(sequence), block.length);
        sequence++;
    }

    void persist(LiveEffect.Persist persist) {
        writes(persist).forEach((at, bytes) -> System.arraycopy(bytes, 0, file, (int) (long) at, bytes.length));
        persist.superblock().ifPresent(written -> sequence++);
    }

    private Map<Long, byte[]> writes(LiveEffect.Persist persist) {
        var writes = new TreeMap<Long, byte[]>();
        persist.superblock()
                .ifPresent(
                        each -> writes.put(MetadataFormat.superblockAt(sequence), format.superblock(each, sequence)));
        persist.pages().forEach((page, bytes) -> writes.put(format.pageAt(page), bytes));
        persist.transaction()
                .ifPresent(each -> writes.put(
                        MetadataFormat.ringAt() + (long) each.position() * ActivityLogRing.BLOCK_BYTES,
                        bytes(each.block())));
        return writes;
    }

    private static byte[] bytes(ByteBuffer block) {
        var bytes = new byte[block.remaining()];
        block.duplicate().get(bytes);
        return bytes;
    }

    /** Of each block that was being written all, none, or some sectors are there. */
    void tear(LiveEffect.Persist persist, Random random) {
        writes(persist).forEach((at, bytes) -> {
            int kind = random.nextInt(5);
            for (int sector = 0; sector < bytes.length; sector += SECTOR_BYTES) {
                if (kind < 2 || (kind == 2 && random.nextBoolean())) {
                    System.arraycopy(bytes, sector, file, (int) (at + sector), SECTOR_BYTES);
                }
            }
        });
    }

    /**
     * What a process finds.
     *
     * @param readsActivityLog else it takes nothing for hot
     */
    LiveStart start(boolean readsActivityLog) {
        var found = found();
        sequence = found.sequence() + 1;
        var bitmap = new DirtyBitmap(format.sizeBytes());
        for (int page = 0; page < DirtyBitmap.pageCount(format.sizeBytes()); page++) {
            var bytes = read(format.pageAt(page), DirtyBitmap.PAGE_BYTES);
            if (!Arrays.equals(bytes, new byte[DirtyBitmap.PAGE_BYTES])) {
                bitmap.load(page, bytes);
            }
        }
        var recovered =
                ActivityLogRing.recover(format.activityLogExtents(), read(MetadataFormat.ringAt(), format.ringBytes()));
        var hot = readsActivityLog ? recovered.hot() : Set.<Integer>of();
        return LiveStart.of(found.superblock(), bitmap, format.sizeBytes(), hot, recovered.nextSequence());
    }
}
