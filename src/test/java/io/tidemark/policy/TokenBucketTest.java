package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenBucketTest {
    private static final long SECOND = 1_000_000_000;
    private static final long FRAME = 256 << 10;

    /** Bytes that pass in a time, asked again whenever the bucket says. */
    private static long passed(long rate, long nanos) {
        var bucket = TokenBucket.empty(0);
        long now = 0;
        long bytes = 0;
        while (now < nanos) {
            long wait = bucket.waitNanos(rate, now);
            if (wait == 0) {
                bucket = bucket.passed(FRAME, rate, now);
                bytes += FRAME;
            }
            now += wait;
        }
        return bytes;
    }

    @Test
    void theRateIsKeptOverTime() {
        for (long rate : new long[] {64 << 10, 10 << 20, 1 << 30}) {
            long bytes = passed(rate, 60 * SECOND);

            assertThat(bytes).as("rate %d", rate).isBetween((long) (rate * 59.9) - FRAME, rate * 60 + 2 * FRAME);
        }
    }

    @Test
    void aPauseDoesNotBecomeABurst() {
        var bucket = TokenBucket.empty(0);
        long rate = 10 << 20;
        long now = 3_600 * SECOND;
        long bytes = 0;
        while (bucket.waitNanos(rate, now) == 0) {
            bucket = bucket.passed(FRAME, rate, now);
            bytes += FRAME;
        }

        assertThat(bytes).isLessThanOrEqualTo(rate / 20 + FRAME);
    }

    @Test
    void aChangedRateHoldsForWhatIsOwedAlready() {
        var owing = TokenBucket.empty(0).passed(10 << 20, 1 << 20, 0);

        assertThat(owing.waitNanos(1 << 20, 0)).isEqualTo(10 * SECOND);
        assertThat(owing.waitNanos(10 << 20, 0)).isEqualTo(SECOND);
    }

    @Test
    void aClockThatStandsStillOrGoesBackGivesNothing() {
        var owing = TokenBucket.empty(SECOND).passed(FRAME, 1 << 20, SECOND);

        assertThat(owing.waitNanos(1 << 20, 0)).isPositive();
        var owingMore = owing.passed(FRAME, 1 << 20, 0);
        assertThat(owingMore.waitNanos(1 << 20, SECOND))
                .as("paid by no second twice")
                .isEqualTo(SECOND / 2);
    }
}
