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
            var answer = bucket.take(FRAME, rate, now);
            bucket = answer.bucket();
            bytes += answer.waitNanos() == 0 ? FRAME : 0;
            now += answer.waitNanos();
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
        for (var answer = bucket.take(FRAME, rate, now);
                answer.waitNanos() == 0;
                answer = bucket.take(FRAME, rate, now)) {
            bucket = answer.bucket();
            bytes += FRAME;
        }

        assertThat(bytes).isLessThanOrEqualTo(rate / 20 + FRAME);
    }

    @Test
    void aChangedRateHoldsForWhatIsOwedAlready() {
        var owing = TokenBucket.empty(0).take(10 << 20, 1 << 20, 0).bucket();

        assertThat(owing.take(FRAME, 1 << 20, 0).waitNanos()).isEqualTo(10 * SECOND);
        assertThat(owing.take(FRAME, 10 << 20, 0).waitNanos()).isEqualTo(SECOND);
    }

    @Test
    void aClockThatStandsStillOrGoesBackGivesNothing() {
        var owing = TokenBucket.empty(SECOND).take(FRAME, 1 << 20, SECOND).bucket();

        assertThat(owing.take(FRAME, 1 << 20, 0).waitNanos()).isPositive();
    }
}
