package io.tidemark.nativeblock;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;

/**
 * Progress, pace and cancellation of calls that may take long: memory that a running call reads and writes too
 * ({@code struct tidemark_control}). One control may serve several calls one after the other, which keep one pace and
 * add up. Any thread may ask and cancel.
 */
public final class ScanControl {
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private static final int DONE_BYTES = 0;
    private static final int RATE = 8;
    private static final int PACED_BYTES = 16;
    private static final int PACED_FROM = 24;
    private static final int CANCELLED = 32;
    private static final int READ_BY = 36;
    private static final int LENGTH_BYTES = 40;

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final ByteBuffer memory = ByteBuffer.allocateDirect(LENGTH_BYTES).order(ByteOrder.nativeOrder());

    /** As fast as it goes. */
    public ScanControl() {
        this(0);
    }

    /** @param rateBytesPerSecond upper bound of what is read; 0 for none */
    public ScanControl(long rateBytesPerSecond) {
        if (rateBytesPerSecond < 0) {
            throw new IllegalArgumentException("rateBytesPerSecond is negative: " + rateBytesPerSecond);
        }
        memory.putLong(RATE, rateBytesPerSecond);
        memory.putInt(READ_BY, ReadBy.BUFFERED.code());
    }

    /** Bytes computed so far, by all calls. */
    public long doneBytes() {
        return (long) LONG.getVolatile(memory, DONE_BYTES);
    }

    /** Calls under way, and later ones, end with {@link HostCallException#ECANCELED} after the read under way. */
    public void cancel() {
        INT.setVolatile(memory, CANCELLED, 1);
    }

    public boolean cancelled() {
        return (int) INT.getVolatile(memory, CANCELLED) != 0;
    }

    /** What served the last call: not always what was asked for. */
    public ReadBy readBy() {
        return ReadBy.ofCode((int) INT.getVolatile(memory, READ_BY));
    }

    void readBy(ReadBy way) {
        INT.setVolatile(memory, READ_BY, way.code());
    }

    void done(long bytes) {
        long before = (long) LONG.getAndAdd(memory, DONE_BYTES, bytes);
        if (before < 0) {
            throw new AssertionError("counted past 2^63");
        }
    }

    /** Waits as {@code keep_pace} of {@code work.c} does; returns early when cancelled. */
    void keepPace(long bytes) throws InterruptedException {
        long rate = (long) LONG.getVolatile(memory, RATE);
        if (rate == 0) {
            return;
        }
        // Nobody else counts from this clock's zero, but zero stands for "not yet".
        long now = System.nanoTime() | 1;
        long witness = (long) LONG.compareAndExchange(memory, PACED_FROM, 0L, now);
        long from = witness == 0 ? now : witness;
        long before = (long) LONG.getAndAdd(memory, PACED_BYTES, bytes);
        double dueNanos = (double) before / rate * TimeUnit.SECONDS.toNanos(1);
        for (double left = dueNanos - (System.nanoTime() - from);
                left > 0 && !cancelled();
                left = dueNanos - (System.nanoTime() - from)) {
            TimeUnit.NANOSECONDS.sleep((long) Math.min(left, (double) PAUSE_NANOS));
        }
    }

    /** Memory of the struct, for the duration of a call. */
    ByteBuffer memory() {
        return memory;
    }
}
