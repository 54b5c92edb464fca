package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeepForTest {
    private static final KeepFor WEEK = of("7d");
    private static final Duration DAY = Duration.ofDays(1);
    /** Full in five days. */
    private static final FillForecast SHORT = new FillForecast(500, 100, DAY);
    /** Full in ten days. */
    private static final FillForecast LONG = new FillForecast(1_000, 100, DAY);

    private static KeepFor of(String text) {
        return KeepFor.of(Map.of("keepFor", text), "lvm");
    }

    private static void refuse(KeepFor keepFor, FillForecast forecast) throws ProviderException {
        keepFor.refuseWhereShort("pool tank", forecast, "enlarge it");
    }

    @Test
    void whatIsNotSetRefusesNothing() {
        var none = KeepFor.of(Map.of(), "lvm");

        assertThat(none.isSet()).isFalse();
        assertThatCode(() -> refuse(none, SHORT)).doesNotThrowAnyException();
        assertThat(none.note(List.of(SHORT))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7", "59s", "91d", "forever", "-1d", "0s"})
    void settingThatIsNoTimeWithinTheLimitsIsRefusedWithThem(String text) {
        assertThatThrownBy(() -> of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("keepFor of provider lvm is " + text, "1m to 90d", "36h", "without it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1m", "36h", "90d"})
    void timesWithinTheLimitsAreTaken(String text) {
        assertThat(of(text).isSet()).isTrue();
    }

    @Test
    void roomThatIsFullBeforeTheTimeIsOverRefusesAndSaysWhyAndWhatToDo() {
        var error = catchThrowableOfType(ProviderException.class, () -> refuse(WEEK, SHORT))
                .error();

        assertThat(error)
                .isEqualTo(new ProviderError.OutOfSpace(
                        "pool tank (full in 5 d at the rate of the last 24 h, keepFor is 7d; enlarge it, or lower keepFor)",
                        500,
                        700));
        assertThat(WEEK.note(List.of(LONG, SHORT))).isEqualTo(", less than keepFor (7d): no snapshot is made");
    }

    @Test
    void roomThatLastsIsNotRefused() {
        assertThatCode(() -> refuse(WEEK, LONG)).doesNotThrowAnyException();
        assertThatCode(() -> refuse(WEEK, new FillForecast(700, 100, DAY))).doesNotThrowAnyException();
        assertThatCode(() -> refuse(WEEK, new FillForecast(699, 100, DAY))).isInstanceOf(ProviderException.class);
        assertThat(WEEK.note(List.of(LONG))).isEqualTo(", enough for keepFor (7d)");
    }

    @Test
    void whatDidNotGrowIsNotRefusedHoweverLittleIsFree() {
        assertThatCode(() -> refuse(WEEK, new FillForecast(1, 0, DAY))).doesNotThrowAnyException();
        assertThat(WEEK.note(List.of(new FillForecast(1, 0, DAY)))).isEqualTo(", enough for keepFor (7d)");
    }

    @Test
    void rateOfAMinuteTellsOfTheNextHundredAndNothingOfAWeek() throws Exception {
        var minute = Duration.ofMinutes(1);
        var fullInTenMinutes = new FillForecast(1_000, 100, minute);
        var fullInHundredMinutes = new FillForecast(10_000, 100, minute);
        var fullLater = new FillForecast(10_002, 100, minute);

        assertThatCode(() -> refuse(WEEK, fullInTenMinutes)).isInstanceOf(ProviderException.class);
        assertThatCode(() -> refuse(WEEK, fullInHundredMinutes)).isInstanceOf(ProviderException.class);
        assertThatCode(() -> refuse(WEEK, fullLater)).doesNotThrowAnyException();
        assertThat(WEEK.note(List.of(fullInTenMinutes))).isEqualTo(", less than keepFor (7d): no snapshot is made");
        assertThat(WEEK.note(List.of(fullLater))).contains("nothing is known yet for keepFor (7d)");
        assertThatCode(() -> refuse(of("1m"), new FillForecast(500, 5_000, Duration.ofSeconds(59))))
                .doesNotThrowAnyException();
    }

    @Test
    void nothingIsKnownOfWhatWasNeverSeen() {
        assertThat(WEEK.note(List.of())).contains("nothing is known yet");
    }
}
