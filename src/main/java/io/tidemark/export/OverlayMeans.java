package io.tidemark.export;

import io.tidemark.nativeblock.HostCalls;
import java.io.IOException;
import java.util.Optional;

/**
 * What an overlay is made with.
 *
 * @param bytesMaximum what it may take of its storage; a write past it is refused
 * @param room of the file system that it lies on
 * @param memory of the sets of all overlays
 * @param sets makes its two sets of blocks
 * @param host makes holes of what is zeroed; without it the space stays taken
 */
record OverlayMeans(long bytesMaximum, Room room, SetMemory memory, Sets sets, Optional<HostCalls> host) {
    /**
     * Left free by overlays: the site's database and the logs of streams lie there too. More than streams leave free
     * (256 MiB), so that overlays stop before replication does.
     */
    static final long FREE_BYTES_MINIMUM = 512L << 20;

    /** Tells how much is free. */
    @FunctionalInterface
    interface Room {
        long usableBytes() throws IOException;
    }

    /** Makes sets of blocks. */
    @FunctionalInterface
    interface Sets {
        BlockSet of(long blockCount, SetMemory.Share memory) throws OutOfSpaceException;
    }
}
