package io.tidemark.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Live replication between two sites in processes of their own, over TLS on loopback, on one file system. */
final class LiveBench implements Bench {
    /** The crash last: it ends a process. */
    private static final List<LivePart> PARTS =
            List.of(new LiveRates(), new LiveLatency(), new LiveResync(), new LivePullAhead(), new LiveCrash());

    private static final long NEEDED_BYTES = 16L << 30;
    private static final int ROUNDS = 3;

    private final String name;
    private final String description;
    private final List<LivePart> parts;

    private LiveBench(String name, String description, List<LivePart> parts) {
        this.name = name;
        this.description = description;
        this.parts = List.copyOf(parts);
    }

    /** All parts in one run, and each by itself. */
    static Stream<Bench> all() {
        var whole = new LiveBench("live", "live links between two sites: all of live-* in one run", PARTS);
        return Stream.concat(
                Stream.of(whole),
                PARTS.stream().map(part -> new LiveBench("live-" + part.name(), part.description(), List.of(part))));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int rounds() {
        return ROUNDS;
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            var fio = Fio.found();
            run.needs(NEEDED_BYTES);
            var measures = new ArrayList<Measure>();
            var direct = parts.stream().filter(part -> !part.isOverLine()).toList();
            if (!direct.isEmpty()) {
                try (var pair = LivePair.direct(run.scratch().resolve("direct"))) {
                    measures.addAll(measure(run, pair, fio, direct));
                }
            }
            var overLine = parts.stream().filter(LivePart::isOverLine).toList();
            if (!overLine.isEmpty()) {
                try (var pair = LivePair.overLine(run.scratch().resolve("line"))) {
                    measures.addAll(measure(run, pair, fio, overLine));
                }
            }
            return List.copyOf(measures);
        } catch (Skipped e) {
            return List.of(Measure.skipped(name, "", e.reason()));
        }
    }

    private static List<Measure> measure(BenchRun run, LivePair pair, Fio fio, List<LivePart> parts) throws Exception {
        var measures = new ArrayList<Measure>();
        for (var part : parts) {
            measures.addAll(part.measure(run, pair, fio));
        }
        return measures;
    }
}
