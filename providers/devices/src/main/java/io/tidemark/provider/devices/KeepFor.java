package io.tidemark.provider.devices;

import io.tidemark.spi.DurationText;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A provider's setting {@code keepFor}: how long a snapshot has to be kept. Where by the measured rate the room for it
 * would be used up before that, none is made. A rate is believed for a hundred times its own window and no longer: a minute,
 * which is all that a process knows after its start, tells of a pool that is full in an hour, and nothing of a week.
 *
 * @param written as it stands in the configuration; empty where it does not
 */
public record KeepFor(String written, Duration time) {
    public static final String SETTING = "keepFor";

    /** Refuses nothing. */
    public static final KeepFor NONE = new KeepFor("", Duration.ZERO);

    private static final Duration MINIMUM = Duration.ofMinutes(1);

    /** For longer than that no rate of a day is believed. */
    private static final Duration MAXIMUM = Duration.ofDays(90);

    private static final int BELIEVED_WINDOWS = 100;

    /** @throws IllegalArgumentException naming the setting and what is allowed */
    public static KeepFor of(Map<String, String> settings, String provider) {
        var written = settings.get(SETTING);
        if (written == null) {
            return NONE;
        }
        return DurationText.parse(written)
                .filter(time -> time.compareTo(MINIMUM) >= 0 && time.compareTo(MAXIMUM) <= 0)
                .map(time -> new KeepFor(written.strip(), time))
                .orElseThrow(() -> new IllegalArgumentException(
                        "%s of provider %s is %s, expected a time from 1m to 90d, such as 36h or 7d; without it nothing is refused"
                                .formatted(SETTING, provider, written)));
    }

    public boolean isSet() {
        return !time.isZero();
    }

    /**
     * @param room for people: what has the room; {@code thin pool vg/pool, its data}
     * @param wayOut to more room: {@code enlarge it: lvextend ...; delete snapshots}
     * @throws ProviderException OutOfSpace where it would be full too soon
     */
    public void refuseWhereShort(String room, FillForecast forecast, String wayOut) throws ProviderException {
        if (tooShort(forecast)) {
            var left = FillForecast.text(forecast.left().orElse(Duration.ZERO));
            throw new ProviderException(new ProviderError.OutOfSpace(
                    "%s (full in %s at the rate of the last %s, keepFor is %s; %s, or lower keepFor)"
                            .formatted(room, left, FillForecast.text(forecast.window()), written, wayOut),
                    forecast.freeBytes(),
                    forecast.comesIn(time)));
        }
    }

    private boolean tooShort(FillForecast forecast) {
        return isSet()
                && forecast.left()
                        .filter(left -> left.compareTo(time) < 0 && left.compareTo(believed(forecast)) <= 0)
                        .isPresent();
    }

    /** How far ahead its rate tells anything. */
    private static Duration believed(FillForecast forecast) {
        return forecast.measured() ? forecast.window().multipliedBy(BELIEVED_WINDOWS) : Duration.ZERO;
    }

    /** For people, behind the time left: what comes of the setting; empty where there is none. */
    public String note(List<FillForecast> forecasts) {
        if (!isSet()) {
            return "";
        }
        if (forecasts.stream().anyMatch(this::tooShort)) {
            return ", less than keepFor (%s): no snapshot is made".formatted(written);
        }
        return forecasts.stream().anyMatch(forecast -> believed(forecast).compareTo(time) >= 0)
                ? ", enough for keepFor (%s)".formatted(written)
                : ", nothing is known yet for keepFor (%s): it has been looked at for too short a time"
                        .formatted(written);
    }
}
