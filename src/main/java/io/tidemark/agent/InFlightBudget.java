package io.tidemark.agent;

import io.tidemark.replication.TargetSync;
import io.tidemark.replication.protocol.Message;

/**
 * Payload that this host's links have sent and their targets have not made durable yet: all together no more than so
 * many bytes, and one frame for each link. While less than half is taken a link may have as much as its own window lets
 * it; above that no more than an equal share, so that slow targets leave some to the others.
 *
 * <p>A target acknowledges each {@link TargetSync#SYNC_BYTES}, not each frame: a link that may not send as much would
 * wait for ever. So each has that much for its own, whether it uses it or not; that of many links can be more than the
 * maximum, and counts then.
 */
public final class InFlightBudget {
    private static final int FRAME_BYTES = Message.Blocks.DATA_BYTES_MAXIMUM;

    private final long maximumBytes;
    private final long ownBytes;
    /** In flight. */
    private long usedBytes;
    /** The same, where a link's own counts whether it is used or not. */
    private long takenBytes;

    private int linkCount;

    /** @param maximumBytes at least 1 */
    public InFlightBudget(long maximumBytes) {
        this(maximumBytes, TargetSync.SYNC_BYTES);
    }

    /** @param ownBytes that each link may always have */
    InFlightBudget(long maximumBytes, long ownBytes) {
        if (maximumBytes < 1) {
            throw new IllegalArgumentException("maximumBytes is not positive: " + maximumBytes);
        }
        this.maximumBytes = maximumBytes;
        this.ownBytes = ownBytes;
    }

    /** Holds nobody up. */
    public static InFlightBudget unlimited() {
        return new InFlightBudget(Long.MAX_VALUE);
    }

    /** Of all links, with what was granted and is not sent yet. */
    public synchronized long usedBytes() {
        return usedBytes;
    }

    /** For one link that runs; to be closed when it ends. */
    Share join() {
        synchronized (this) {
            linkCount++;
            takenBytes += ownBytes;
        }
        return new Share();
    }

    /** One link's part. Used by one thread; what it says is guarded by the budget. */
    final class Share implements AutoCloseable {
        private long mineBytes;
        private boolean closed;

        private Share() {}

        /** Whether one more frame may be made and sent; if so it counts from now on, until {@link #hold} tells better. */
        boolean grant() {
            synchronized (InFlightBudget.this) {
                boolean room = takenBytes < maximumBytes
                        && (mineBytes < maximumBytes / linkCount || takenBytes < maximumBytes / 2);
                if (mineBytes >= ownBytes && !room) {
                    return false;
                }
                set(mineBytes + FRAME_BYTES);
                return true;
            }
        }

        /** @param bytes that are in flight now */
        void hold(long bytes) {
            synchronized (InFlightBudget.this) {
                if (!closed) {
                    set(bytes);
                }
            }
        }

        private void set(long bytes) {
            usedBytes += bytes - mineBytes;
            takenBytes += Math.max(bytes, ownBytes) - Math.max(mineBytes, ownBytes);
            mineBytes = bytes;
        }

        @Override
        public void close() {
            synchronized (InFlightBudget.this) {
                if (!closed) {
                    closed = true;
                    set(0);
                    takenBytes -= ownBytes;
                    linkCount--;
                }
            }
        }
    }
}
