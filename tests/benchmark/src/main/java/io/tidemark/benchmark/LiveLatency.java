package io.tidemark.benchmark;

import java.nio.file.Path;
import java.util.List;

/** What one write takes under protocol C, beside what it cannot do without: to be durable, and a round trip. */
final class LiveLatency implements LivePart {
    private static final long SIZE_BYTES = 256L << 20;
    /** Issue 7. */
    private static final double SPARE_MICROS = 150;

    private static final int WARM_UP_SECONDS = 6;

    private static final Fio.Work ONE = new Fio.Work("randwrite", "4k", 1, SIZE_BYTES);

    @Override
    public String name() {
        return "latency";
    }

    @Override
    public String description() {
        return "fio at depth 1 under C, beside a durable write on the same disk and a round trip on such a connection";
    }

    @Override
    public List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception {
        var file = run.image("local", SIZE_BYTES, 2);
        pair.volume("latency", file);
        var link = pair.link("latency", LivePair.Terms.of("C"));
        pair.awaitInStep(link);
        try (var roundTrip = RoundTrip.in(run.scratch().resolve("round-trip"))) {
            return measures(run, fio, link, file, roundTrip);
        }
    }

    private static List<Measure> measures(BenchRun run, Fio fio, LivePair.Link link, Path file, RoundTrip roundTrip)
            throws Exception {
        var live = new double[run.rounds()];
        var durable = new double[run.rounds()];
        var trip = new double[run.rounds()];
        // Untimed: compiled then.
        fio.onExport(link.uri(), ONE, WARM_UP_SECONDS);
        roundTrip.medianMicros(1);
        for (int round = 0; round < run.rounds(); round++) {
            live[round] = fio.onExport(link.uri(), ONE, run.seconds()).medianMicros();
            durable[round] = fio.durableWriteMicros(file, SIZE_BYTES, run.seconds());
            trip[round] = roundTrip.medianMicros(1);
        }
        double local = BenchRun.median(durable);
        double there = BenchRun.median(trip);
        double ours = BenchRun.median(live);
        return List.of(
                Measure.within(
                        "4 KiB random write, depth 1, C: median",
                        ours,
                        "us",
                        "durable here + trip + 150 us",
                        local + there + SPARE_MICROS),
                Measure.reported("  of that", ours, "us", "durable write here", local),
                Measure.reported("  of that", ours, "us", "round trip", there));
    }
}
