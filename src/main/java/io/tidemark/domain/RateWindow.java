package io.tidemark.domain;

import java.time.DayOfWeek;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A rate that holds at certain hours of certain days: {@code mon-fri 08:00-18:00=10MiB/s}.
 *
 * @param days on which it begins; it may end on the next
 * @param fromMinute of the day, 0 to 1439
 * @param toMinute first minute after it, 1 to 1440; not above {@code fromMinute} when it ends on the next day
 * @param bytesPerSecond empty: no limit
 */
public record RateWindow(Set<DayOfWeek> days, int fromMinute, int toMinute, OptionalLong bytesPerSecond) {
    public static final String FORM = "[mon-fri|sat,sun|daily] 08:00-18:00=10MiB/s, with KiB, MiB, GiB or unlimited";
    private static final int DAY_MINUTES = 24 * 60;
    private static final int HOUR_MINUTES = 60;
    private static final int DAY_LETTERS = 3;
    private static final Pattern WINDOW = Pattern.compile(
            "(?:([a-z,-]{3,31}) )?([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])=([0-9A-Za-z/]{1,24})");
    private static final Pattern RATE = Pattern.compile("([0-9]{1,13})(B|KiB|MiB|GiB)/s");

    public RateWindow {
        if (days.isEmpty()) {
            throw new IllegalArgumentException("rate window has no days");
        }
        days = Set.copyOf(days);
        if (fromMinute < 0 || fromMinute >= DAY_MINUTES || toMinute < 1 || toMinute > DAY_MINUTES) {
            throw new IllegalArgumentException(
                    "rate window from minute %d to %d is outside a day".formatted(fromMinute, toMinute));
        }
        if (fromMinute == toMinute) {
            throw new IllegalArgumentException("rate window is empty; a whole day is 00:00-24:00");
        }
        bytesPerSecond.ifPresent(RateLimits::check);
    }

    /** @throws IllegalArgumentException saying what would be right */
    public static RateWindow parse(String text) {
        var matcher = WINDOW.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("rate window \"%s\" is not of the form %s".formatted(text, FORM));
        }
        int from = minute(matcher, 2);
        int to = minute(matcher, 4);
        // 00:00 as an end is the end of the day.
        return new RateWindow(days(matcher.group(1)), from, to == 0 ? DAY_MINUTES : to, rate(matcher.group(6)));
    }

    private static int minute(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group)) * HOUR_MINUTES + Integer.parseInt(matcher.group(group + 1));
    }

    /**
     * {@code 50MiB/s}, or {@code unlimited}.
     *
     * @throws IllegalArgumentException saying what would be right
     */
    public static OptionalLong rate(String text) {
        if (text.equals("unlimited")) {
            return OptionalLong.empty();
        }
        var matcher = RATE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "rate \"%s\" is not of the form 50MiB/s (B, KiB, MiB, GiB) or unlimited".formatted(text));
        }
        int shift = switch (matcher.group(2)) {
            case "KiB" -> 10;
            case "MiB" -> 20;
            case "GiB" -> 30;
            default -> 0;
        };
        long number = Long.parseLong(matcher.group(1));
        if (number > RateLimits.BYTES_PER_SECOND_MAXIMUM >> shift) {
            throw new IllegalArgumentException(
                    "rate \"%s\" is above %d bytes a second".formatted(text, RateLimits.BYTES_PER_SECOND_MAXIMUM));
        }
        RateLimits.check(number << shift);
        return OptionalLong.of(number << shift);
    }

    private static Set<DayOfWeek> days(@org.jspecify.annotations.Nullable String text) {
        if (text == null || text.equals("daily")) {
            return EnumSet.allOf(DayOfWeek.class);
        }
        var days = EnumSet.noneOf(DayOfWeek.class);
        for (String part : List.of(text.split(",", -1))) {
            int dash = part.indexOf('-');
            var first = day(dash < 0 ? part : part.substring(0, dash));
            var last = dash < 0 ? first : day(part.substring(dash + 1));
            for (var each = first; ; each = each.plus(1)) {
                days.add(each);
                if (each == last) {
                    break;
                }
            }
        }
        return days;
    }

    private static DayOfWeek day(String text) {
        for (var day : DayOfWeek.values()) {
            if (shortName(day).equals(text)) {
                return day;
            }
        }
        throw new IllegalArgumentException("day \"%s\" is none of mon, tue, wed, thu, fri, sat, sun".formatted(text));
    }

    private static String shortName(DayOfWeek day) {
        return day.name().substring(0, DAY_LETTERS).toLowerCase(Locale.ROOT);
    }

    /** @param minuteOfDay 0 to 1439 */
    boolean holds(DayOfWeek day, int minuteOfDay) {
        if (fromMinute < toMinute) {
            return days.contains(day) && minuteOfDay >= fromMinute && minuteOfDay < toMinute;
        }
        return (days.contains(day) && minuteOfDay >= fromMinute)
                || (days.contains(day.minus(1)) && minuteOfDay < toMinute);
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        var names = days.stream().sorted().map(RateWindow::shortName).toList();
        String when = days.size() == DayOfWeek.values().length ? "daily" : String.join(",", names);
        String rate = bytesPerSecond.isPresent() ? bytesPerSecond.getAsLong() + "B/s" : "unlimited";
        return "%s %s-%s=%s".formatted(when, clock(fromMinute), clock(toMinute), rate);
    }

    private static String clock(int minute) {
        return "%02d:%02d".formatted(minute / HOUR_MINUTES, minute % HOUR_MINUTES);
    }
}
