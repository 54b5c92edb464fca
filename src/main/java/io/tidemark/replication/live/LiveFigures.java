package io.tidemark.replication.live;

import java.util.Optional;

/**
 * What is told of a copy on demand alone, for it changes with almost every event.
 *
 * @param generation of its content, durable or about to be; empty: it was never written
 * @param unconfirmedBytes in the send buffer: of writes that the peer has not made durable
 * @param resync while this copy is the source of one
 */
public record LiveFigures(Optional<Generation> generation, long unconfirmedBytes, Optional<Resync> resync) {
    /**
     * How far a resync has come.
     *
     * @param doneBlocks of 4 KiB, that were dirty when it began and are no more
     * @param leftBlocks that are still
     */
    public record Resync(long doneBlocks, long leftBlocks) {}
}
