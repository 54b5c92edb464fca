package io.tidemark.simulation.live;

import io.tidemark.replication.live.ActivityLogRing;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveStart;
import io.tidemark.replication.live.Superblock;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** A copy's metadata on its disk: a power cut tears what was being made durable. */
final class LiveStore {
    private final long sizeBytes;
    private final int extents;
    private final byte[] ring;
    private final TreeMap<Integer, byte[]> pages = new TreeMap<>();
    private Superblock superblock = Superblock.none();

    LiveStore(long sizeBytes, int extents) {
        this.sizeBytes = sizeBytes;
        this.extents = extents;
        ring = new byte[ActivityLogRing.blocks(extents) * ActivityLogRing.BLOCK_BYTES];
    }

    Superblock superblock() {
        return superblock;
    }

    void replace(Superblock changed) {
        superblock = changed;
    }

    void persist(LiveEffect.Persist persist) {
        persist.superblock().ifPresent(this::replace);
        pages.putAll(persist.pages());
        persist.transaction().ifPresent(each -> write(each.position(), bytes(each.block()), 0));
    }

    private void write(int position, byte[] block, int from) {
        System.arraycopy(block, from, ring, position * ActivityLogRing.BLOCK_BYTES + from, block.length - from);
    }

    /** Each part of it is there, or not, or torn. */
    void tear(LiveEffect.Persist persist, Random random) {
        persist.superblock().filter(each -> random.nextBoolean()).ifPresent(this::replace);
        persist.pages().forEach((page, bytes) -> {
            if (random.nextInt(8) == 0) {
                pages.put(page, new byte[] {1});
            } else if (random.nextBoolean()) {
                pages.put(page, bytes);
            }
        });
        persist.transaction().ifPresent(each -> {
            int from = random.nextInt(4) * 512;
            if (random.nextInt(3) > 0) {
                write(each.position(), bytes(each.block()), from);
            }
        });
    }

    private static byte[] bytes(ByteBuffer block) {
        var bytes = new byte[block.remaining()];
        block.duplicate().get(bytes);
        return bytes;
    }

    /**
     * What a process finds.
     *
     * @param readsActivityLog else it takes nothing for hot
     */
    LiveStart start(boolean readsActivityLog) {
        var bitmap = new DirtyBitmap(sizeBytes);
        pages.forEach((page, bytes) -> bitmap.load(page, bytes));
        var recovered = ActivityLogRing.recover(extents, ring);
        var hot = readsActivityLog ? recovered.hot() : Set.<Integer>of();
        return LiveStart.of(superblock, bitmap, sizeBytes, hot, recovered.nextSequence());
    }
}
