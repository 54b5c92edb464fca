package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class FillRatesTest {
    private static final long SIZE_BYTES = 1_000_000;

    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final FillRates rates = new FillRates(() -> now);

    private FillForecast after(Duration time, long usedBytes) {
        now = now.plus(time);
        return rates.seen("pool", SIZE_BYTES, usedBytes);
    }

    private FillForecast afterMinutes(int minutes, long usedBytes) {
        return after(Duration.ofMinutes(minutes), usedBytes);
    }

    @Test
    void firstLookSaysNothing() {
        assertThat(rates.seen("pool", SIZE_BYTES, 10)).isEqualTo(new FillForecast(999_990, 0, Duration.ZERO));
    }

    @Test
    void whatCameInIsCountedFromTheFirstLook() {
        afterMinutes(0, 100_000);
        afterMinutes(30, 150_000);

        assertThat(afterMinutes(30, 200_000)).isEqualTo(new FillForecast(800_000, 100_000, Duration.ofHours(1)));
    }

    @Test
    void whatDeletionsGaveBackDoesNotCountAgainstTheRate() {
        afterMinutes(0, 500_000);
        afterMinutes(30, 600_000);

        assertThat(afterMinutes(30, 200_000)).isEqualTo(new FillForecast(800_000, 100_000, Duration.ofHours(1)));
    }

    @Test
    void looksCloseTogetherLoseNothingThatCameInBetweenThem() {
        afterMinutes(0, 0);
        for (int minute = 0; minute < 60; minute++) {
            after(Duration.ofSeconds(30), 1_000);
            after(Duration.ofSeconds(30), 0);
        }

        assertThat(afterMinutes(0, 0)).isEqualTo(new FillForecast(SIZE_BYTES, 60_000, Duration.ofHours(1)));
    }

    @Test
    void whatWasEnlargedHasItsNewRoom() {
        afterMinutes(0, 0);
        now = now.plusSeconds(3_600);

        assertThat(rates.seen("pool", 2 * SIZE_BYTES, 100_000))
                .isEqualTo(new FillForecast(1_900_000, 100_000, Duration.ofHours(1)));
    }

    @Test
    void whatWasMadeSmallerThanItsUseHasNoRoom() {
        assertThat(rates.seen("pool", 10, 20).freeBytes()).isZero();
    }

    @Test
    void bulkLoadIsForgottenOnceADayHasPassed() {
        afterMinutes(0, 0);
        var loaded = afterMinutes(1, 500_000);
        assertThat(loaded).isEqualTo(new FillForecast(500_000, 500_000, Duration.ofMinutes(1)));
        var last = loaded;
        for (int i = 0; i < 23 * 60; i++) {
            last = afterMinutes(1, 500_000);
        }
        assertThat(last.cameInBytes()).isEqualTo(500_000);
        for (int i = 0; i < 90; i++) {
            last = afterMinutes(1, 500_000);
        }

        assertThat(last.cameInBytes()).isZero();
        assertThat(last.window())
                .isBetween(Duration.ofHours(24), Duration.ofHours(24).plusMinutes(15));
    }

    @Test
    void whatIsLookedAtMoreSeldomThanADayHasTheRateSinceTheLookBefore() {
        afterMinutes(0, 0);
        after(Duration.ofHours(25), 100);
        after(Duration.ofDays(7), 800);

        assertThat(after(Duration.ofDays(7), 900)).isEqualTo(new FillForecast(999_100, 100, Duration.ofDays(7)));
    }

    @Test
    void whatWasNotLookedAtForMoreThanAWeekBeginsAnew() {
        afterMinutes(0, 0);

        assertThat(after(Duration.ofDays(9), 900).window()).isZero();
    }

    @Test
    void clockThatWasPutBackBeginsAnew() {
        afterMinutes(0, 0);
        afterMinutes(60, 100);

        assertThat(afterMinutes(-30, 200)).isEqualTo(new FillForecast(999_800, 0, Duration.ZERO));
    }

    @Test
    void sumOfWhatCameInDoesNotOverflow() {
        afterMinutes(0, 0);
        for (int i = 0; i < 3; i++) {
            afterMinutes(60, Long.MAX_VALUE);
            afterMinutes(60, 0);
        }

        assertThat(afterMinutes(60, Long.MAX_VALUE).cameInBytes()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void everyNameHasARateOfItsOwn() {
        afterMinutes(0, 0);
        now = now.plusSeconds(3_600);

        assertThat(rates.seen("other", SIZE_BYTES, 500)).isEqualTo(new FillForecast(999_500, 0, Duration.ZERO));
    }
}
