package io.tidemark.replication.live;

/**
 * What a copy keeps of itself, beside its bitmap and activity log. Replaced as a whole: after a crash it is the old one or
 * the new.
 *
 * @param isConsistent false from before the first block of a resync into it until its end
 * @param isOutdated another copy is known to have been written without it
 * @param wasPrimary it may have writes under way that the peer of the same generation lacks: set before the first write as
 *     a connected primary, taken back when none is under way any more
 * @param apartSince when the first of the generations was begun that the peer lacks, in milliseconds since 1970 by the host's
 *     clock; 0: not known. Of no meaning without a base
 */
public record Superblock(
        Generations generations, boolean isConsistent, boolean isOutdated, boolean wasPrimary, long apartSince) {
    /** Of which nobody knows since when it was written alone. */
    public Superblock(Generations generations, boolean isConsistent, boolean isOutdated, boolean wasPrimary) {
        this(generations, isConsistent, isOutdated, wasPrimary, 0);
    }

    /** Of a copy that was just made. */
    public static Superblock none() {
        return new Superblock(Generations.none(), true, false, false);
    }

    /**
     * Another generation begins without the peer; where it was in step, that is since now.
     *
     * @param isBroughtUp the peer may have come to the end of a resync: where it has not, it is of no moment, and nobody asks
     */
    Superblock apart(Generations changed, CopyId peer, boolean isBroughtUp, long now) {
        boolean isFirst = isBroughtUp || generations.basesOf(peer).isEmpty();
        return new Superblock(changed, isConsistent, isOutdated, wasPrimary, isFirst ? now : apartSince);
    }

    /** As {@link #apart}, before another process: that one does not know whether the peer has come to the end. */
    Superblock broughtUp() {
        return new Superblock(generations, isConsistent, isOutdated, wasPrimary, 0);
    }

    Superblock with(Generations changed) {
        return new Superblock(changed, isConsistent, isOutdated, wasPrimary, apartSince);
    }

    Superblock consistent(boolean value) {
        return new Superblock(generations, value, isOutdated, wasPrimary, apartSince);
    }

    Superblock outdated(boolean value) {
        return new Superblock(generations, isConsistent, value, wasPrimary, apartSince);
    }

    Superblock primary(boolean value) {
        return new Superblock(generations, isConsistent, isOutdated, value, apartSince);
    }
}
