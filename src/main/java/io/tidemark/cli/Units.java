package io.tidemark.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes and times as people write and read them; the same units as in {@code config/tidemark.yaml}. */
final class Units {
    private static final Pattern AMOUNT = Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,6})?) ?([A-Za-z]*)");
    private static final Map<String, Long> SIZES =
            Map.of("", 1L, "B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30, "TiB", 1L << 40);
    private static final Map<String, Long> TIMES =
            Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);
    private static final String[] SIZE_STEPS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    private Units() {}

    /** A size on the command line. */
    record Size(long bytes) {}

    static final class SizeConverter implements ITypeConverter<Size> {
        @Override
        public Size convert(String text) {
            return new Size(parse(text, SIZES, "is not a size; write it like 512MiB, 4GiB or a number of bytes"));
        }
    }

    static final class DurationConverter implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            return Duration.ofMillis(parse(text, TIMES, "is not a time; write it like 500ms, 10s, 15m, 12h or 7d"));
        }
    }

    private static long parse(String text, Map<String, Long> units, String otherwise) {
        var match = AMOUNT.matcher(text);
        if (match.matches() && units.containsKey(match.group(2))) {
            var amount = new BigDecimal(match.group(1)).multiply(BigDecimal.valueOf(units.get(match.group(2))));
            try {
                return amount.longValueExact();
            } catch (ArithmeticException e) {
                throw new TypeConversionException("'%s' is not a whole number of its unit".formatted(text));
            }
        }
        throw new TypeConversionException("'%s' %s".formatted(text, otherwise));
    }

    static String size(long bytes) {
        double amount = bytes;
        int step = 0;
        while (amount >= 1024 && step < SIZE_STEPS.length - 1) {
            amount /= 1024;
            step++;
        }
        return step == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", amount, SIZE_STEPS[step]);
    }

    static String millis(double millis) {
        if (millis < 1_000) {
            return String.format(Locale.ROOT, millis == Math.rint(millis) ? "%.0f ms" : "%.1f ms", millis);
        }
        if (millis < 120_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1_000);
        }
        return String.format(Locale.ROOT, "%.1f min", millis / 60_000);
    }
}
