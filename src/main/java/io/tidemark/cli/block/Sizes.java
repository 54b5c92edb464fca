package io.tidemark.cli.block;

import java.util.Locale;
import java.util.regex.Pattern;

/** Bytes and rates for people, and back. */
final class Sizes {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    private static final Pattern RATE =
            Pattern.compile("(\\d{1,12}(?:\\.\\d{1,3})?)\\s*([kKmMgGtT]?)(?:i?[bB])?(?:/s)?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*([kKmM]?)(?:i?[bB])?");

    private Sizes() {}

    static String text(long bytes) {
        int unit = 0;
        double value = (double) bytes;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }

    /** @return bytes, or -1 when the text is no size such as {@code 4096}, {@code 64k}, {@code 1MiB} */
    static long parse(String text) {
        var matcher = SIZE.matcher(text.strip());
        if (!matcher.matches()) {
            return -1;
        }
        int shift = switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "k" -> 10;
            case "m" -> 20;
            default -> 0;
        };
        return Long.parseLong(matcher.group(1)) << shift;
    }

    /** @return bytes a second, or -1 when the text is no rate such as {@code 65536}, {@code 100M}, {@code 1.5GiB/s} */
    static long parseRate(String text) {
        var matcher = RATE.matcher(text.strip());
        if (!matcher.matches()) {
            return -1;
        }
        int shift = switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "k" -> 10;
            case "m" -> 20;
            case "g" -> 30;
            case "t" -> 40;
            default -> 0;
        };
        return (long) Math.min((double) Long.MAX_VALUE, Double.parseDouble(matcher.group(1)) * (double) (1L << shift));
    }
}
