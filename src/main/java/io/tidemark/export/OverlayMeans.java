package io.tidemark.export;

import io.tidemark.nativeblock.HostCalls;
import java.util.Optional;

/**
 * What an overlay is made with.
 *
 * @param bytesMaximum what it may take of its storage; a write past it is refused
 * @param memory of the sets of all overlays
 * @param sets makes its two sets of blocks
 * @param host makes holes of what is zeroed; without it the space stays taken
 */
record OverlayMeans(long bytesMaximum, SetMemory memory, Sets sets, Optional<HostCalls> host) {
    /** Makes sets of blocks. */
    @FunctionalInterface
    interface Sets {
        BlockSet of(long blockCount, SetMemory.Share memory) throws OutOfSpaceException;
    }
}
