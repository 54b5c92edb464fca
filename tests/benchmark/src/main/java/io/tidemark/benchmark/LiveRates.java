package io.tidemark.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Requests a second of live links under protocol A, B and C, beside a writable export of the same site without a copy. */
final class LiveRates implements LivePart {
    private static final String PLAIN = "unreplicated";
    private static final long SIZE_BYTES = 256L << 20;
    /** Of what A does, to what is done without a copy: issue 7. */
    private static final double GOAL = 0.60;

    private static final int WARM_UP_SECONDS = 6;

    private static final List<String> PROTOCOLS = List.of("A", "B", "C");
    private static final String GOAL_PROTOCOL = ", A";

    private static final List<Named> WORKS = List.of(
            new Named("4 KiB random write, depth 32", new Fio.Work("randwrite", "4k", 32, SIZE_BYTES)),
            new Named("4 KiB random read, depth 32", new Fio.Work("randread", "4k", 32, SIZE_BYTES)),
            new Named("1 MiB sequential write, depth 8", new Fio.Work("write", "1m", 8, SIZE_BYTES)));

    private record Named(String name, Fio.Work work) {}

    /** One of those that are compared. */
    private record Side(String name, String uri) {}

    /** Of one run of fio, and what both sites took for a request. */
    private record Took(double perSecond, double sitesMicros) {}

    @Override
    public String name() {
        return "rates";
    }

    @Override
    public String description() {
        return "fio on live links under A, B and C, beside an export of the same site without a copy";
    }

    @Override
    public List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception {
        var all = sides(run, pair);
        var measures = new ArrayList<Measure>();
        for (var named : WORKS) {
            // The primary reads by itself, under each protocol alike.
            measures.addAll(measures(run, pair, fio, named, named.work().reads() ? all.subList(0, 2) : all));
        }
        return measures;
    }

    /** @param sides the first is what the others are compared with */
    private static List<Measure> measures(BenchRun run, LivePair pair, Fio fio, Named named, List<Side> sides)
            throws Exception {
        var took = new ArrayList<List<Took>>();
        for (var side : sides) {
            // Untimed: it is compiled then, and has all buffers it uses. In its first seconds a site takes five times
            // as much.
            fio.onExport(side.uri(), named.work(), WARM_UP_SECONDS);
            took.add(new ArrayList<>());
        }
        for (int round = 0; round < run.rounds(); round++) {
            for (int side = 0; side < sides.size(); side++) {
                pair.settle();
                took.get(side).add(once(run, pair, fio, named.work(), sides.get(side)));
            }
        }
        var measures = new ArrayList<Measure>();
        for (int side = 1; side < sides.size(); side++) {
            var title = "%s, %s".formatted(named.name(), sides.get(side).name());
            measures.addAll(compared(title, took.get(side), took.getFirst()));
        }
        return measures;
    }

    private static List<Side> sides(BenchRun run, LivePair pair) throws Exception {
        var content = run.image("content", SIZE_BYTES, 1);
        pair.volume("plain", content);
        var sides = new ArrayList<>(List.of(new Side(PLAIN, pair.export("plain"))));
        var links = new ArrayList<LivePair.Link>();
        for (var protocol : PROTOCOLS) {
            pair.volume("rates-" + protocol, content);
            var link = pair.link("rates-" + protocol, LivePair.Terms.of(protocol));
            links.add(link);
            sides.add(new Side(protocol, link.uri()));
        }
        Files.delete(content);
        for (var link : links) {
            pair.awaitInStep(link);
        }
        return sides;
    }

    private static Took once(BenchRun run, LivePair pair, Fio fio, Fio.Work work, Side side)
            throws IOException, InterruptedException {
        double before = sitesMicros(pair);
        var took = fio.onExport(side.uri(), work, run.seconds());
        return new Took(took.perSecond(), (sitesMicros(pair) - before) / Math.max(1, took.requests()));
    }

    private static double sitesMicros(LivePair pair) throws IOException {
        return ProcessTime.micros(pair.first().pid())
                + ProcessTime.micros(pair.second().pid());
    }

    private static List<Measure> compared(String title, List<Took> ours, List<Took> plain) {
        double rate = median(ours, Took::perSecond);
        double plainRate = median(plain, Took::perSecond);
        return List.of(
                title.endsWith(GOAL_PROTOCOL)
                        ? Measure.rate(title, rate, "/s", PLAIN, plainRate, GOAL)
                        : Measure.reported(title, rate, "/s", PLAIN, plainRate),
                Measure.reported(
                        "  processor time of both sites",
                        median(ours, Took::sitesMicros),
                        "us",
                        PLAIN,
                        median(plain, Took::sitesMicros)));
    }

    private static double median(List<Took> rounds, ToDoubleFunction<Took> figure) {
        return BenchRun.median(rounds.stream().mapToDouble(figure).toArray());
    }
}
