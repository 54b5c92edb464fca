package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FillForecastTest {
    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void timeLeftIsWhatIsFreeByTheRateOfTheWindow() {
        var forecast = new FillForecast(800_000, 100_000, HOUR);

        assertThat(forecast.left()).contains(Duration.ofHours(8));
        assertThat(forecast.comesIn(Duration.ofHours(36))).isEqualTo(3_600_000);
    }

    @Test
    void nothingIsSaidWithoutARateOrOfTooShortAWindow() {
        assertThat(new FillForecast(1, 0, HOUR).left()).isEmpty();
        assertThat(new FillForecast(1, 0, HOUR).measured()).isTrue();
        var short59 = new FillForecast(1, 500, Duration.ofSeconds(59));
        assertThat(short59.left()).isEmpty();
        assertThat(short59.comesIn(HOUR)).isZero();
        assertThat(short59.measured()).isFalse();
        assertThat(new FillForecast(1, 500, Duration.ofSeconds(60)).left()).isPresent();
    }

    @Test
    void whatIsFullHasNoTimeLeft() {
        assertThat(new FillForecast(0, 1, HOUR).left()).contains(Duration.ZERO);
    }

    @Test
    void numbersThatALongCannotMultiplyDoNotOverflow() {
        var huge = new FillForecast(Long.MAX_VALUE, 1, HOUR);
        assertThat(huge.left()).contains(FillForecast.LEFT_MAXIMUM);
        var fast = new FillForecast(1, Long.MAX_VALUE, Duration.ofMinutes(1));
        assertThat(fast.left()).contains(Duration.ZERO);
        assertThat(fast.comesIn(Duration.ofDays(90))).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void rateCanBeHeldAgainstAnotherStoresRoom() {
        assertThat(new FillForecast(0, 100, HOUR).towards(200).left()).contains(Duration.ofHours(2));
    }

    @ParameterizedTest
    @CsvSource({"PT0S, 0 min", "PT119M, 119 min", "PT2H, 2 h", "PT47H, 47 h", "P2D, 2 d", "P365D, more than a year"})
    void timesAreToldInTheUnitThatSaysMost(Duration time, String text) {
        assertThat(FillForecast.text(time)).isEqualTo(text);
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatThrownBy(() -> new FillForecast(-1, 0, HOUR)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new FillForecast(0, -1, HOUR)).isInstanceOf(IllegalArgumentException.class);
    }
}
