package io.tidemark.transport;

import io.tidemark.replication.protocol.FrameType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeoutException;

/**
 * Direct buffers of one frame each, shared by all connections of a host. Whoever wants more than there are waits, so
 * that a slow disk slows its own peers down in place of filling memory. While more than half are free a connection may
 * have as many as it likes; below that no more than its share, so that a disk that hangs leaves some to the others.
 */
final class FrameBuffers {
    /** The largest frame of blocks, its header, and one record that the engine may decrypt beyond it. */
    static final int BUFFER_BYTES = (FrameType.BLOCKS.payloadBytesMaximum() + (4 << 10)) + 2 * TlsChannel.RECORD_BYTES;

    /** 80 MiB: half for one session whose writer is a whole queue behind, the other half for four of a share each. */
    private static final int COUNT_MAXIMUM = 256;

    /** Direct memory has the heap's limit; this part of it may be frames. */
    private static final int HEAP_DIVISOR = 8;

    private static final int COUNT_MINIMUM = 16;

    /** An eighth: 10 MiB, what a disk of 200 MB/s takes in 50 ms. */
    private static final int SHARE_DIVISOR = 8;

    /** One is written while the next arrives. */
    private static final int SHARE_MINIMUM = 2;

    /** Longest wait for a buffer: a disk that has synced nothing for so long does not come back by itself. */
    static final Duration WAIT_MAXIMUM = Duration.ofMinutes(5);

    private final int count;
    private final int share;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private int used;

    FrameBuffers(int count) {
        this.count = count;
        this.share = Math.max(SHARE_MINIMUM, count / SHARE_DIVISOR);
    }

    static FrameBuffers ofHost() {
        long affordable = Runtime.getRuntime().maxMemory() / HEAP_DIVISOR / BUFFER_BYTES;
        return new FrameBuffers(Math.clamp(affordable, COUNT_MINIMUM, COUNT_MAXIMUM));
    }

    /** One that a connection has of its own, beside what it keeps. */
    static ByteBuffer allocate() {
        return ByteBuffer.allocateDirect(BUFFER_BYTES);
    }

    /** Of one connection. */
    Share share() {
        return new Share();
    }

    /** What one connection takes and gives back; all of it is guarded by the pool. */
    final class Share implements AutoCloseable {
        private int taken;
        private boolean closed;

        private Share() {}

        /**
         * Waits while none is to be had.
         *
         * @throws TimeoutException when there was none within {@code limit}, or the share was closed; the message says
         *     which
         */
        ByteBuffer take(Duration limit) throws InterruptedException, TimeoutException {
            synchronized (FrameBuffers.this) {
                long until = System.nanoTime() + limit.toNanos();
                while (!closed && !available()) {
                    long left = until - System.nanoTime();
                    if (left <= 0) {
                        throw new TimeoutException(
                                "no buffer was free for %d ms: storage takes nothing".formatted(limit.toMillis()));
                    }
                    // A millisecond more than is left, for none would be a wait without end.
                    FrameBuffers.this.wait(Duration.ofNanos(left).toMillis() + 1);
                }
                if (closed) {
                    throw new TimeoutException("closed here");
                }
                var buffer = free.poll();
                var fresh = buffer == null ? allocate() : buffer.clear();
                taken++;
                used++;
                return fresh;
            }
        }

        private boolean available() {
            return used < count && (taken < share || used < count / 2);
        }

        void give(ByteBuffer buffer) {
            synchronized (FrameBuffers.this) {
                if (buffer.capacity() == BUFFER_BYTES) {
                    free.add(buffer);
                }
                taken--;
                used--;
                FrameBuffers.this.notifyAll();
            }
        }

        /** Ends a wait. What was taken is still to be given back. */
        @Override
        public void close() {
            synchronized (FrameBuffers.this) {
                closed = true;
                FrameBuffers.this.notifyAll();
            }
        }
    }
}
