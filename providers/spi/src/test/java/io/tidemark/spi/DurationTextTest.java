package io.tidemark.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationTextTest {
    @ParameterizedTest
    @CsvSource({"500ms, PT0.5S", "10s, PT10S", "5m, PT5M", "36h, PT36H", "7d, P7D", "' 7 D ', P7D", "0s, PT0S"})
    void everyUnitIsRead(String text, Duration time) {
        assertThat(DurationText.parse(text)).contains(time);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7", "d", "-1d", "1.5h", "7w", "7 days", "1h30m", "P7D", "1234567890123456s"})
    void whatHasNoUnitOrAnotherFormIsNone(String text) {
        assertThat(DurationText.parse(text)).isEmpty();
    }

    @Test
    void moreThanALongHoldsIsNone() {
        assertThat(DurationText.parse("106751991167d")).contains(Duration.ofDays(106_751_991_167L));
        assertThat(DurationText.parse("106751991168d")).isEmpty();
    }

    @Test
    void isWrittenInTheLargestUnitAndReadBack() {
        for (var text : new String[] {"0ms", "500ms", "90s", "10m", "25h", "7d"}) {
            assertThat(DurationText.of(DurationText.parse(text).orElseThrow())).isEqualTo(text);
        }
        assertThat(DurationText.of(Duration.ofHours(2))).isEqualTo("2h");
    }
}
