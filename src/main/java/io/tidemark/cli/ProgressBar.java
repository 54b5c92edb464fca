package io.tidemark.cli;

import io.tidemark.client.Json;
import java.io.PrintWriter;

/** How far an operation has come: one line that is drawn over on a terminal, nothing elsewhere. */
final class ProgressBar implements AutoCloseable {
    private static final int WIDTH = 30;
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final PrintWriter err;
    private final boolean drawn;

    ProgressBar(PrintWriter err, boolean drawn) {
        this.err = err;
        this.drawn = drawn;
    }

    void show(Json operation) {
        if (drawn) {
            err.print(CLEAR_LINE + line(operation));
            err.flush();
        }
    }

    static String line(Json operation) {
        var progress = operation.at("progress");
        long total = progress.at("totalUnits").number();
        long done = progress.at("doneUnits").number();
        String unit = progress.at("unit").text();
        String phase = progress.at("phase")
                .optional()
                .filter(text -> !text.isEmpty())
                .orElse(operation.at("state").text());
        if (total <= 0) {
            return "%s %s".formatted(operation.at("kind").text(), phase);
        }
        double share = Math.clamp((double) done / total, 0, 1);
        int full = (int) Math.round(share * WIDTH);
        return "%s %s [%s%s] %3.0f %% of %s"
                .formatted(
                        operation.at("kind").text(),
                        phase,
                        "#".repeat(full),
                        ".".repeat(WIDTH - full),
                        share * 100,
                        unit.equals("bytes") ? Units.size(total) : total + " " + unit);
    }

    @Override
    public void close() {
        if (drawn) {
            err.print(CLEAR_LINE);
            err.flush();
        }
    }
}
