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

    /** How far reading may be behind its rate and make up for it, as in {@code work.c}. */
    private static final double CREDIT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final ByteBuffer memory = ByteBuffer.allocateDirect(LENGTH_BYTES).order(ByteOrder.nativeOrder());

    /** As fast as it goes. */
    public ScanControl() {
        this(0);
    }

    /** @param rateBytesPerSecond upper bound of what is read, of all files together; 0 for none */
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

    /**
     * Waits until the rate allows so many more bytes, as {@code keep_pace} of {@code work.c} does; returns early when
     * cancelled. For who reads beside the calls that the control is for: they share one rate.
     */
    public void keepPace(long bytes) throws InterruptedException {
        long rate = (long) LONG.getVolatile(memory, RATE);
        if (rate == 0) {
            return;
        }
        // The clock of work.c: System.nanoTime() is CLOCK_MONOTONIC on Linux. Zero stands for "not yet".
        LONG.compareAndSet(memory, PACED_FROM, 0L, System.nanoTime() | 1);
        long before = (long) LONG.getAndAdd(memory, PACED_BYTES, bytes);
        double dueNanos = (double) before / rate * TimeUnit.SECONDS.toNanos(1);
        for (double left = nanosUntil(dueNanos); left > 0 && !cancelled(); left = nanosUntil(dueNanos)) {
            TimeUnit.NANOSECONDS.sleep((long) Math.min(left, (double) PAUSE_NANOS));
        }
    }

    /** Moves the start forward for who is behind by more than the credit: idle time is not made up for. */
    private double nanosUntil(double dueNanos) {
        while (true) {
            long from = (long) LONG.getVolatile(memory, PACED_FROM);
            double left = dueNanos - (System.nanoTime() - from);
            if (left >= -CREDIT_NANOS) {
                return left;
            }
            // Where another thread has just moved it, this one may be behind no more.
            if (LONG.compareAndSet(memory, PACED_FROM, from, from + (long) (-left - CREDIT_NANOS))) {
                return -CREDIT_NANOS;
            }
        }
    }

    /** Memory of the struct, for the duration of a call. */
    ByteBuffer memory() {
        return memory;
    }
}
