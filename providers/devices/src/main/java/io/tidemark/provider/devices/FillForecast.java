package io.tidemark.provider.devices;

import java.time.Duration;
import java.util.Optional;

/**
 * When a pool, or a store, will be full, from how it was filled so far. Only what came in counts, not what deletions gave
 * back in between: they do not repeat by themselves. Pure.
 *
 * @param freeBytes now, of the size that it has now
 * @param cameInBytes within the window
 * @param window from the first look at it to the last
 */
public record FillForecast(long freeBytes, long cameInBytes, Duration window) {
    /** A rate from less says more of chance than of the pool. */
    static final Duration WINDOW_MINIMUM = Duration.ofSeconds(60);

    /** Beyond this an estimate helps nobody. */
    static final Duration LEFT_MAXIMUM = Duration.ofDays(365);

    public FillForecast {
        if (freeBytes < 0 || cameInBytes < 0 || window.isNegative()) {
            throw new IllegalArgumentException(
                    "%d bytes free, %d came in within %s".formatted(freeBytes, cameInBytes, window));
        }
    }

    /** Whether it was looked at for long enough; what did not grow since is measured, too. */
    public boolean measured() {
        return window.compareTo(WINDOW_MINIMUM) >= 0;
    }

    /** Empty where nothing came in, or too little time has been seen. */
    public Optional<Duration> left() {
        if (!measured() || cameInBytes == 0) {
            return Optional.empty();
        }
        double millis = freeBytes / bytesPerMilli();
        return Optional.of(Duration.ofMillis((long) Math.min(millis, (double) LEFT_MAXIMUM.toMillis())));
    }

    /** What would come in within a time; 0 without a rate. More than a long holds is the most that it holds. */
    long comesIn(Duration time) {
        return measured() ? (long) Math.ceil(bytesPerMilli() * time.toMillis()) : 0;
    }

    /** Of doubles: sizes times times have no room in a long. */
    private double bytesPerMilli() {
        return (double) cameInBytes / window.toMillis();
    }

    /** The same rate, towards something else that has so much free. */
    public FillForecast towards(long otherFreeBytes) {
        return new FillForecast(otherFreeBytes, cameInBytes, window);
    }

    /** For people: {@code 3 h}. */
    public static String text(Duration time) {
        if (time.compareTo(LEFT_MAXIMUM) >= 0) {
            return "more than a year";
        }
        if (time.toDays() >= 2) {
            return time.toDays() + " d";
        }
        return time.toHours() >= 2 ? time.toHours() + " h" : time.toMinutes() + " min";
    }
}
