package io.tidemark.domain;

import java.time.DayOfWeek;
import java.util.List;
import java.util.OptionalLong;

/**
 * How many bytes a second may be sent, by the calendar of the site that sends.
 *
 * @param bytesPerSecond outside every window; empty: no limit
 * @param windows at most {@link #WINDOWS_MAXIMUM}; where several hold at once, the first one counts
 */
public record RateLimits(OptionalLong bytesPerSecond, List<RateWindow> windows) {
    public static final RateLimits NONE = new RateLimits(OptionalLong.empty(), List.of());
    /** More than a week's worth of day and night; a longer list is a mistake. */
    public static final int WINDOWS_MAXIMUM = 16;
    /** One frame of blocks in 4 s: a slower sender would look dead to its peer. */
    public static final long BYTES_PER_SECOND_MINIMUM = 64L << 10;
    /** Faster than any line; a larger number is a mistake. */
    public static final long BYTES_PER_SECOND_MAXIMUM = 1L << 40;

    public RateLimits {
        windows = List.copyOf(windows);
        if (windows.size() > WINDOWS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "%d rate windows, at most %d allowed".formatted(windows.size(), WINDOWS_MAXIMUM));
        }
        bytesPerSecond.ifPresent(RateLimits::check);
    }

    static void check(long bytesPerSecond) {
        if (bytesPerSecond < BYTES_PER_SECOND_MINIMUM || bytesPerSecond > BYTES_PER_SECOND_MAXIMUM) {
            throw new IllegalArgumentException("rate is %d bytes a second, %d to %d allowed"
                    .formatted(bytesPerSecond, BYTES_PER_SECOND_MINIMUM, BYTES_PER_SECOND_MAXIMUM));
        }
    }

    /**
     * What holds at that minute.
     *
     * @param minuteOfDay 0 to 1439, by the site's own time
     */
    public OptionalLong at(DayOfWeek day, int minuteOfDay) {
        for (var window : windows) {
            if (window.holds(day, minuteOfDay)) {
                return window.bytesPerSecond();
            }
        }
        return bytesPerSecond;
    }
}
