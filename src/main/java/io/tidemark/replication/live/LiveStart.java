package io.tidemark.replication.live;

import java.util.Set;

/**
 * What a copy finds when its process starts.
 *
 * @param bitmap as its pages were found; {@link #of} adds what was hot
 * @param nextSequence of the activity log
 * @param chosen what was answered to {@link LiveEvent.Resolve} since the two were in step last, which the metadata does not
 *     have
 */
public record LiveStart(Superblock superblock, DirtyBitmap bitmap, long nextSequence, Chosen chosen) {
    /** Of which nobody has chosen. */
    public LiveStart(Superblock superblock, DirtyBitmap bitmap, long nextSequence) {
        this(superblock, bitmap, nextSequence, Chosen.NOBODY);
    }

    public LiveStart with(Chosen said) {
        return new LiveStart(superblock, bitmap, nextSequence, said);
    }

    /**
     * Extents that were hot when the process before ended may differ between the copies: all their blocks are dirty.
     *
     * @param hot as {@link ActivityLogRing#recover} tells
     */
    public static LiveStart of(
            Superblock superblock, DirtyBitmap bitmap, long sizeBytes, Set<Integer> hot, long nextSequence) {
        for (int extent : hot) {
            long offset = (long) extent * ActivityLog.EXTENT_BYTES;
            bitmap.mark(offset, Math.min(ActivityLog.EXTENT_BYTES, sizeBytes - offset));
        }
        return new LiveStart(superblock, bitmap, nextSequence);
    }

    /** Of a copy that was just made. */
    public static LiveStart none(long sizeBytes) {
        return new LiveStart(Superblock.none(), new DirtyBitmap(sizeBytes), 0);
    }
}
