package io.tidemark.spi;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Times as they are written in the configuration, the sections of providers included: {@code 500ms}, {@code 36h}. */
public final class DurationText {
    private static final Pattern AMOUNT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]{1,2})");

    private DurationText() {}

    /** Empty for whatever is no such time, or more milliseconds than a long holds. */
    public static Optional<Duration> parse(String text) {
        var matcher = AMOUNT.matcher(text.trim());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long number = Long.parseLong(matcher.group(1));
        return millis(matcher.group(2).toLowerCase(Locale.ROOT))
                .filter(unit -> number <= Long.MAX_VALUE / unit)
                .map(unit -> Duration.ofMillis(number * unit));
    }

    /** As {@link #parse} reads it, in the largest unit of which it is a whole number; what is below a millisecond is cut. */
    public static String of(Duration time) {
        long millis = time.toMillis();
        for (var unit : new String[] {"d", "h", "m", "s"}) {
            long length = millis(unit).orElseThrow();
            if (millis != 0 && millis % length == 0) {
                return millis / length + unit;
            }
        }
        return millis + "ms";
    }

    private static Optional<Long> millis(String unit) {
        return switch (unit) {
            case "ms" -> Optional.of(1L);
            case "s" -> Optional.of(1_000L);
            case "m" -> Optional.of(60_000L);
            case "h" -> Optional.of(3_600_000L);
            case "d" -> Optional.of(86_400_000L);
            default -> Optional.empty();
        };
    }
}
