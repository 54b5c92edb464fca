package io.tidemark.cli.block;

import java.io.PrintWriter;
import java.util.Locale;

/** Bar, rate and time left on one line of a terminal; nothing where there is none. Owned by one thread. */
final class ProgressLine implements AutoCloseable {
    /** Often enough to be smooth, seldom enough to cost nothing. */
    private static final long REDRAW_NANOS = 100_000_000;

    private static final int BAR_COLUMNS = 30;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final int SECONDS_PER_MINUTE = 60;

    private final PrintWriter terminal;
    private final boolean shown;
    private final String phase;
    private final long totalBytes;
    private final long startNanos = System.nanoTime();
    private long drawnNanos;
    private boolean drawn;

    ProgressLine(PrintWriter terminal, boolean shown, String phase, long totalBytes) {
        this.terminal = terminal;
        this.shown = shown;
        this.phase = phase;
        this.totalBytes = totalBytes;
        this.drawnNanos = startNanos;
    }

    void at(long doneBytes) {
        long now = System.nanoTime();
        if (!shown || now - drawnNanos < REDRAW_NANOS) {
            return;
        }
        drawnNanos = now;
        drawn = true;
        // Carriage return, then clear to the end of the line.
        terminal.print("\r" + line(phase, doneBytes, totalBytes, (now - startNanos) / NANOS_PER_SECOND) + "\033[K");
        terminal.flush();
    }

    static String line(String phase, long doneBytes, long totalBytes, double seconds) {
        if (totalBytes == 0 && doneBytes > 0) {
            // A pipe: nobody knows how much is to come.
            return "%-8s %s, %s/s".formatted(phase, Sizes.text(doneBytes), Sizes.text((long) (doneBytes / seconds)));
        }
        double part = totalBytes == 0 ? 1 : Math.min(1, (double) doneBytes / totalBytes);
        int full = (int) (part * BAR_COLUMNS);
        double rate = doneBytes / seconds;
        return String.format(
                Locale.ROOT,
                "%-8s [%s%s] %3.0f%% %s of %s, %s/s, %s left",
                phase,
                "#".repeat(full),
                "-".repeat(BAR_COLUMNS - full),
                part * 100,
                Sizes.text(doneBytes),
                Sizes.text(totalBytes),
                Sizes.text((long) rate),
                duration((long) Math.ceil((totalBytes - doneBytes) / Math.max(rate, 1))));
    }

    private static String duration(long seconds) {
        return seconds < SECONDS_PER_MINUTE
                ? seconds + " s"
                : "%d min %02d s".formatted(seconds / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE);
    }

    @Override
    public void close() {
        if (drawn) {
            terminal.print("\r\033[K");
            terminal.flush();
        }
    }
}
