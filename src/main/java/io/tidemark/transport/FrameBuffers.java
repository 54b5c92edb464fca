package io.tidemark.transport;

import io.tidemark.replication.protocol.FrameType;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;

/**
 * Direct buffers of one frame each, shared by all connections of a host. Whoever wants more than there are waits in
 * turn, so that several links share what there is, and a slow disk slows its own peers down in place of filling memory.
 */
final class FrameBuffers {
    /** The largest frame of blocks, its header, and one record that the engine may decrypt beyond it. */
    static final int BUFFER_BYTES = (FrameType.BLOCKS.payloadBytesMaximum() + (4 << 10)) + 2 * TlsChannel.RECORD_BYTES;

    /** 80 MiB: five sessions whose writers are a whole queue behind. */
    private static final int COUNT_MAXIMUM = 256;

    /** Direct memory has the heap's limit; this part of it may be frames. */
    private static final int HEAP_DIVISOR = 8;

    private static final int COUNT_MINIMUM = 16;

    private final Semaphore permits;
    private final ConcurrentLinkedQueue<ByteBuffer> free = new ConcurrentLinkedQueue<>();

    private FrameBuffers(int count) {
        this.permits = new Semaphore(count, true);
    }

    static FrameBuffers ofHost() {
        long affordable = Runtime.getRuntime().maxMemory() / HEAP_DIVISOR / BUFFER_BYTES;
        return new FrameBuffers(Math.clamp(affordable, COUNT_MINIMUM, COUNT_MAXIMUM));
    }

    /** Waits while all are in use. */
    ByteBuffer take() throws InterruptedException {
        permits.acquire();
        var buffer = free.poll();
        return buffer == null ? allocate() : buffer.clear();
    }

    /** One that a connection has of its own, beside what it keeps. */
    static ByteBuffer allocate() {
        return ByteBuffer.allocateDirect(BUFFER_BYTES);
    }

    void give(ByteBuffer buffer) {
        if (buffer.capacity() == BUFFER_BYTES) {
            free.add(buffer);
        }
        permits.release();
    }
}
