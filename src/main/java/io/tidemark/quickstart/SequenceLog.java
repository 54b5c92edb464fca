package io.tidemark.quickstart;

import java.util.Arrays;
import java.util.BitSet;

/**
 * When each number of a growing sequence was handed to storage, and when storage said it was safe. Numbers start at 1
 * and are written one after the other. Times are {@link System#nanoTime()}, which on Linux is the CLOCK_MONOTONIC of
 * the sites' certificates on the same boot.
 */
final class SequenceLog {
    /** Half an hour at 1,000 a second; 32 MiB. */
    static final int NUMBERS_MAXIMUM = 2_000_000;

    private static final int FIRST_CAPACITY = 1 << 14;

    private long[] issuedNanos = new long[FIRST_CAPACITY];
    private long[] acknowledgedNanos = new long[FIRST_CAPACITY];
    private int last;

    synchronized void acknowledged(int number, long issued, long acknowledged) {
        if (number != last + 1) {
            throw new AssertionError("number %d came after %d".formatted(number, last));
        }
        if (number >= issuedNanos.length) {
            issuedNanos = Arrays.copyOf(issuedNanos, issuedNanos.length * 2);
            acknowledgedNanos = Arrays.copyOf(acknowledgedNanos, acknowledgedNanos.length * 2);
        }
        issuedNanos[number] = issued;
        acknowledgedNanos[number] = acknowledged;
        last = number;
    }

    synchronized int last() {
        return last;
    }

    /** Longest time a number that was under way at some instant between the two took to be acknowledged. */
    synchronized long worstNanosBetween(long from, long to) {
        long worst = 0;
        for (int number = 1; number <= last; number++) {
            if (issuedNanos[number] <= to && acknowledgedNanos[number] >= from) {
                worst = Math.max(worst, acknowledgedNanos[number] - issuedNanos[number]);
            }
        }
        return worst;
    }

    /** How many were acknowledged before the instant. */
    synchronized int acknowledgedBefore(long nanos) {
        int count = 0;
        while (count < last && acknowledgedNanos[count + 1] < nanos) {
            count++;
        }
        return count;
    }

    /** Acknowledged before the instant and yet not there. */
    synchronized int lost(BitSet present, long beforeNanos) {
        int lost = 0;
        for (int number = 1; number <= last && acknowledgedNanos[number] < beforeNanos; number++) {
            lost += present.get(number) ? 0 : 1;
        }
        return lost;
    }

    /** There, though issued only after the instant. */
    synchronized int fromTheFuture(BitSet present, long afterNanos) {
        int future = 0;
        for (int number = present.nextSetBit(1); number >= 0; number = present.nextSetBit(number + 1)) {
            future += number > last || issuedNanos[number] > afterNanos ? 1 : 0;
        }
        return future;
    }
}
