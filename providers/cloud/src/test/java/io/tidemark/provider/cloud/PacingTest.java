package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PacingTest {
    private static ProviderException throttled() {
        return new ProviderException(new ProviderError.Busy("the account", "too many calls", Duration.ofSeconds(1)));
    }

    private final AtomicLong now = new AtomicLong();
    private final Pacing pacing = new Pacing(now::get);

    private void passes(Duration time) {
        now.addAndGet(time.toNanos());
    }

    @Test
    void nobodyWaitsBeforeTheFirstRefusal() {
        pacing.answered();

        assertThat(pacing.turn()).isZero();
        assertThat(pacing.turn()).isZero();
    }

    @Test
    void afterARefusalTurnsAreTakenOneByOne() {
        pacing.refused();

        assertThat(pacing.turn()).isZero();
        assertThat(pacing.turn()).isEqualTo(Duration.ofMillis(10));
        assertThat(pacing.turn()).isEqualTo(Duration.ofMillis(20));
        passes(Duration.ofMillis(25));
        assertThat(pacing.turn()).isEqualTo(Duration.ofMillis(5));
    }

    @Test
    void eachRefusalHalvesTheSpeedAndAnswersGiveItBack() {
        for (int count = 0; count < 20; count++) {
            pacing.refused();
        }
        pacing.turn();
        assertThat(pacing.turn()).isEqualTo(Duration.ofSeconds(2));

        int answers = 0;
        passes(Duration.ofHours(1));
        while (!pacing.turn().plus(pacing.turn()).isZero()) {
            pacing.answered();
            passes(Duration.ofHours(1));
            answers++;
        }
        assertThat(answers).isBetween(60, 90);
    }

    @Test
    void nobodyWaitsLongerThanHalfAMinute() {
        for (int count = 0; count < 20; count++) {
            pacing.refused();
        }
        var longest = Duration.ZERO;
        for (int count = 0; count < 100; count++) {
            var turn = pacing.turn();
            longest = turn.compareTo(longest) > 0 ? turn : longest;
        }
        assertThat(longest).isEqualTo(Duration.ofSeconds(30));
    }

    /** A cloud that refuses whoever asks it more often than each 100 ms: most of what is asked is answered. */
    @Test
    void aBucketIsFoundOutByAsking() throws Exception {
        var slept = new ArrayList<Duration>();
        var attempts = new Attempts(
                new Random(1),
                pause -> {
                    slept.add(pause);
                    passes(pause);
                },
                now::get);
        var last = new AtomicLong(Long.MIN_VALUE / 2);
        int[] refusals = {0};
        for (int call = 0; call < 200; call++) {
            attempts.until(() -> {
                passes(Duration.ofMillis(1));
                boolean tooSoon =
                        now.get() - last.get() < Duration.ofMillis(100).toNanos();
                last.set(now.get());
                if (tooSoon) {
                    refusals[0]++;
                    throw throttled();
                }
                return true;
            });
        }
        assertThat(refusals[0]).isBetween(1, 120);
        assertThat(slept).isNotEmpty();
    }

    @Test
    void whatIsNoRefusalForTooManyCallsIsNoReasonToSlowDown() {
        var attempts = new Attempts(new Random(1), this::passes, now::get);
        var denied = new ProviderException(new ProviderError.Denied("DescribeVolumes", "not allowed"));

        assertThatThrownBy(() -> attempts.until(() -> {
                    throw denied;
                }))
                .isSameAs(denied);
        assertThat(List.of(now.get())).containsExactly(0L);
    }

    @Test
    void whoHasNoTimeForASecondCallDoesNotWaitForATurn() throws Exception {
        var attempts = new Attempts(new Random(1), this::passes, now::get);
        assertThatThrownBy(() -> attempts.until(() -> {
                    throw throttled();
                }))
                .isInstanceOf(ProviderException.class);
        long before = now.get();

        assertThat(attempts.once().until(() -> true)).isTrue();

        assertThat(now.get()).isEqualTo(before);
    }
}
