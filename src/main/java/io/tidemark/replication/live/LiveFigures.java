package io.tidemark.replication.live;

import java.util.List;
import java.util.Optional;

/**
 * What is told of a copy on demand alone, for it changes with almost every event.
 *
 * @param generation of its content, durable or about to be; empty: it was never written
 * @param unconfirmedBytes in the send buffer: of writes that the peer has not made durable
 * @param resync while this copy is the source of one
 * @param apart after a split brain, until somebody has chosen, and from when they meet then until they are in step
 */
public record LiveFigures(
        Optional<Generation> generation, long unconfirmedBytes, Optional<Resync> resync, Optional<Apart> apart) {
    /**
     * What each of two that were written apart has that the other lacks, as they said when they met.
     *
     * @param here the first runs that this copy has alone, {@link #RUNS_MAXIMUM} at most; the peer's are told there
     */
    public record Apart(LiveMessage.Hello self, LiveMessage.Hello peer, List<DirtyBitmap.Run> here) {
        public static final int RUNS_MAXIMUM = 64;

        public Apart {
            here = List.copyOf(here);
        }
    }

    /**
     * How far a resync has come.
     *
     * @param doneBlocks of 4 KiB, that were dirty when it began and are no more
     * @param leftBlocks that are still
     */
    public record Resync(long doneBlocks, long leftBlocks) {}
}
