package io.tidemark.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MetricsTest {
    @Test
    void exportsAreShownAsTheyAreAtEachScrape() {
        var open = new AtomicInteger(1);
        try (var metrics = new Metrics()) {
            metrics.watchExports(new Metrics.OfExports(open::get, () -> 2, () -> 3_000, () -> 4_000, () -> 5));

            assertThat(metrics.scrape())
                    .contains(
                            "tidemark_exports_open 1.0",
                            "tidemark_exports_connections 2.0",
                            "tidemark_exports_read_bytes_total 3000.0",
                            "tidemark_exports_written_bytes_total 4000.0",
                            "tidemark_exports_errors_requests_total 5.0");
            open.set(0);
            assertThat(metrics.scrape()).contains("tidemark_exports_open 0.0");
        }
    }

    /** The registry holds what a counter asks weakly: the figures stood still from the first collection on. */
    @Test
    void figuresGoOnAfterGarbageWasCollected() {
        var counted = new AtomicLong(3);
        try (var metrics = new Metrics()) {
            var beside = new WeakReference<>(watched(metrics, counted));
            while (beside.get() != null) {
                System.gc();
            }
            counted.set(7);

            assertThat(metrics.scrape()).contains("tidemark_exports_errors_requests_total 7.0");
        }
    }

    /** @return something that nothing holds any more once this has returned, as little as what it has given away */
    private static Object watched(Metrics metrics, AtomicLong counted) {
        metrics.watchExports(new Metrics.OfExports(() -> 1, () -> 1, () -> 1, () -> 1, counted::get));
        return new Object();
    }
}
