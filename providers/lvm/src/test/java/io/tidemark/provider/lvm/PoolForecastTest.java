package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.lvm.PoolForecast.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PoolForecastTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final long DATA_BYTES = 1_000_000;
    private static final long METADATA_BYTES = 10_000;

    private static PoolForecast of(Sample... samples) {
        return new PoolForecast(DATA_BYTES, METADATA_BYTES, Arrays.asList(samples));
    }

    private static Sample at(int minutes, long dataBytes, long metadataBytes) {
        return new Sample(START.plus(Duration.ofMinutes(minutes)), dataBytes, metadataBytes);
    }

    @Test
    void timeLeftIsWhatIsFreeByTheRateSoFar() {
        var forecast = of(at(0, 100_000, 1_000), at(30, 150_000, 1_000), at(60, 200_000, 1_100));

        assertThat(forecast.dataLeft()).contains(Duration.ofHours(8));
        assertThat(forecast.metadataLeft()).contains(Duration.ofHours(89));
        assertThat(forecast.note()).contains("at the present rate data are full in 8 h, metadata are full in 3 d");
    }

    @Test
    void whatDeletionsGaveBackDoesNotCountAgainstTheRate() {
        var forecast = of(at(0, 500_000, 1_000), at(30, 600_000, 1_000), at(60, 200_000, 1_000));

        assertThat(forecast.dataLeft()).contains(Duration.ofHours(8));
        assertThat(forecast.metadataLeft()).isEmpty();
    }

    @Test
    void nothingIsSaidWithoutARateOrOfTooShortATime() {
        assertThat(of().note()).isEmpty();
        assertThat(of(at(0, 1, 1)).note()).isEmpty();
        assertThat(of(at(0, 1, 1), at(60, 1, 1)).note()).isEmpty();
        assertThat(of(at(0, 1, 1), new Sample(START.plusSeconds(59), 500, 1)).note())
                .isEmpty();
    }

    @Test
    void fullPoolHasNoTimeLeftAndASlowOneMoreThanAYear() {
        assertThat(of(at(0, 0, 0), at(60, DATA_BYTES, 0)).dataLeft()).contains(Duration.ZERO);
        assertThat(of(at(0, 0, 0), at(60, 1, 0)).note())
                .contains("at the present rate data are full in more than a year");
    }
}
