package io.tidemark.quickstart;

import java.io.PrintWriter;
import java.util.Locale;

/** Tells the person at the terminal what happens, as it happens. */
final class Narrator {
    private final PrintWriter to;
    private final long startNanos = System.nanoTime();
    private int step;

    Narrator(PrintWriter to) {
        this.to = to;
    }

    void step(String what) {
        step++;
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        to.printf(Locale.ROOT, "%n[%5.1f s] %d. %s%n", seconds, step, what);
        to.flush();
    }

    void say(String format, Object... values) {
        to.println("           " + (values.length == 0 ? format : String.format(Locale.ROOT, format, values)));
        to.flush();
    }

    void plain(String line) {
        to.println(line);
        to.flush();
    }
}
