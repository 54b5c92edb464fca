package io.tidemark.replication.live;

/**
 * What a copy is told of itself; both copies of a volume are told the same protocol and size.
 *
 * @param sizeBytes of the volume
 * @param bufferBytes of writes that the peer has not made durable, {@link #BUFFER_MINIMUM} at least
 * @param activityLogExtents extents of 4 MiB that may be written to at once: what a crash makes to be resynced
 * @param resyncBlocks of 4 KiB that one block message of a resync has at most
 * @param resyncWindow such messages that may be under way at once
 * @param patience how long a peer may take to say what it is, on the clock of {@link LiveCopy#on}
 * @param isFenced whether a primary that can neither reach its peer nor holds a lease answers nobody
 * @param isComparing whether a resync sends digests first, and then only blocks that differ (DRBD's csums-alg): worth it
 *     where most of what is dirty is the same, as in a full resync of copies that were one, and reading is cheap
 * @param resyncRate with another than {@link ResyncRate#NONE}, the clock of {@link LiveCopy#on} counts nanoseconds
 * @param afterSplitBrain not heard where {@code isFenced}: who gives out leases would not know whose content was chosen
 */
public record LiveSettings(
        CopyId self,
        CopyId peer,
        long sizeBytes,
        Protocol protocol,
        Congestion congestion,
        long bufferBytes,
        int activityLogExtents,
        int resyncBlocks,
        int resyncWindow,
        long patience,
        boolean isFenced,
        boolean isComparing,
        ResyncRate resyncRate,
        AfterSplitBrain afterSplitBrain) {
    /** 32 MiB. */
    public static final int RESYNC_BLOCKS_MAXIMUM = 8_192;

    public static final long BUFFER_MINIMUM = 1 << 16;
    /** Of a client's write or read. */
    public static final int REQUEST_MAXIMUM = 32 << 20;
    /**
     * Requests of clients that may wait or be under way at once; one more is refused. More than all connections of an
     * export can have: 128 of 64 MiB in parts of 256 KiB, and 64 of any length.
     */
    public static final int REQUESTS_MAXIMUM = 1 << 16;

    /** Whose resync sends what is dirty without comparing it, and as fast as its window lets it. */
    public LiveSettings(
            CopyId self,
            CopyId peer,
            long sizeBytes,
            Protocol protocol,
            Congestion congestion,
            long bufferBytes,
            int activityLogExtents,
            int resyncBlocks,
            int resyncWindow,
            long patience,
            boolean isFenced) {
        this(
                self,
                peer,
                sizeBytes,
                protocol,
                congestion,
                bufferBytes,
                activityLogExtents,
                resyncBlocks,
                resyncWindow,
                patience,
                isFenced,
                false,
                ResyncRate.NONE,
                AfterSplitBrain.DISCONNECT);
    }

    /** Whether a copy may go over to them while it lives. */
    boolean follows(LiveSettings before) {
        return self.equals(before.self)
                && peer.equals(before.peer)
                && sizeBytes == before.sizeBytes
                && activityLogExtents == before.activityLogExtents
                && resyncBlocks == before.resyncBlocks
                && resyncWindow == before.resyncWindow
                && patience == before.patience
                && isFenced == before.isFenced;
    }

    public LiveSettings {
        if (self.equals(peer)) {
            throw new IllegalArgumentException("a copy cannot be its own peer: " + self);
        }
        if (bufferBytes < BUFFER_MINIMUM) {
            throw new IllegalArgumentException(
                    "the send buffer has at least %d bytes, not %d".formatted(BUFFER_MINIMUM, bufferBytes));
        }
        if (resyncBlocks < 1 || resyncBlocks > RESYNC_BLOCKS_MAXIMUM || resyncWindow < 1) {
            throw new IllegalArgumentException(
                    "a resync has 1 to %d blocks a message and at least 1 message at once, not %d and %d"
                            .formatted(RESYNC_BLOCKS_MAXIMUM, resyncBlocks, resyncWindow));
        }
    }
}
