package io.tidemark.replication.live;

/**
 * What a copy keeps of itself, beside its bitmap and activity log. Replaced as a whole: after a crash it is the old one or
 * the new.
 *
 * @param isConsistent false from before the first block of a resync into it until its end
 * @param isOutdated another copy is known to have been written without it
 * @param wasPrimary it may have writes under way that the peer of the same generation lacks: set before the first write as
 *     a connected primary, taken back when none is under way any more
 */
public record Superblock(Generations generations, boolean isConsistent, boolean isOutdated, boolean wasPrimary) {
    /** Of a copy that was just made. */
    public static Superblock none() {
        return new Superblock(Generations.none(), true, false, false);
    }

    Superblock with(Generations changed) {
        return new Superblock(changed, isConsistent, isOutdated, wasPrimary);
    }

    Superblock consistent(boolean value) {
        return new Superblock(generations, value, isOutdated, wasPrimary);
    }

    Superblock outdated(boolean value) {
        return new Superblock(generations, isConsistent, value, wasPrimary);
    }

    Superblock primary(boolean value) {
        return new Superblock(generations, isConsistent, isOutdated, value);
    }
}
