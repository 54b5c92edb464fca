package io.tidemark.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DayOfWeek;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RateLimitsTest {
    private static final RateLimits LIMITS = new RateLimits(
            OptionalLong.of(50 << 20),
            List.of(
                    RateWindow.parse("mon-fri 08:00-18:00=10MiB/s"),
                    RateWindow.parse("fri 22:00-06:00=unlimited"),
                    RateWindow.parse("12:00-13:00=1MiB/s")));

    @ParameterizedTest
    @CsvSource({
        "MONDAY, 8, 0, 10", "MONDAY, 7, 59, 50", "FRIDAY, 17, 59, 10", "FRIDAY, 18, 0, 50", "MONDAY, 12, 30, 10",
        "SUNDAY, 12, 30, 1", "FRIDAY, 22, 0, 0", "SATURDAY, 5, 59, 0", "SATURDAY, 6, 0, 50", "FRIDAY, 5, 0, 50"
    })
    void theFirstWindowThatHoldsCounts(DayOfWeek day, int hour, int minute, long mib) {
        var expected = mib == 0 ? OptionalLong.empty() : OptionalLong.of(mib << 20);

        assertThat(LIMITS.at(day, hour * 60 + minute)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mon-fri 08:00-18:00=10MiB/s",
                "sat,sun 00:00-24:00=unlimited",
                "22:00-06:00=64KiB/s",
                "daily 18:00-00:00=1GiB/s",
                "sun-tue 01:02-03:04=65536B/s"
            })
    void aWindowIsReadAsItIsWritten(String text) {
        var window = RateWindow.parse(text);

        assertThat(RateWindow.parse(window.toString())).isEqualTo(window);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "08:00-18:00|not of the form",
                "08:00-18:00=10MB/s|50MiB/s",
                "08:00-18:00=10MiB|50MiB/s",
                "mon-xyz 08:00-18:00=10MiB/s|none of mon",
                "mon- 08:00-18:00=10MiB/s|none of mon",
                "25:00-18:00=10MiB/s|outside a day",
                "08:00-24:01=10MiB/s|outside a day",
                "08:00-08:00=10MiB/s|whole day",
                "08:60-09:00=10MiB/s|not of the form",
                "08:00-09:00=63KiB/s|65536 to",
                "08:00-09:00=9999999999999GiB/s|above",
            })
    void aBadWindowIsRefusedWithWhatWouldBeRight(String text, String message) {
        assertThatThrownBy(() -> RateWindow.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void tooManyWindowsAreRefused() {
        var many = Collections.nCopies(17, RateWindow.parse("08:00-18:00=10MiB/s"));

        assertThatThrownBy(() -> new RateLimits(OptionalLong.empty(), many)).hasMessageContaining("at most 16");
    }
}
