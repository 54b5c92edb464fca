package io.tidemark.benchmark;

import java.io.IOException;
import java.util.List;

/** A writer under protocol A whose peer is on a slow line, and is left behind; beside the same writer on a fast one. */
final class LivePullAhead implements LivePart {
    private static final long SIZE_BYTES = 256L << 20;
    private static final long BUFFER_BYTES = 4L << 20;
    /** A tenth of what the writer writes, and less. */
    private static final long SLOW_BYTES_PER_SECOND = 2L << 20;

    private static final Fio.Work WORK = new Fio.Work("randwrite", "4k", 32, SIZE_BYTES);

    @Override
    public String name() {
        return "pull-ahead";
    }

    @Override
    public String description() {
        return "a writer's p99 under A with a peer on a line of 2 MiB/s that is left behind, beside a line without a limit";
    }

    @Override
    public boolean isOverLine() {
        return true;
    }

    @Override
    public List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception {
        pair.volume("ahead", run.image("ahead", SIZE_BYTES, 4));
        var link = pair.link("ahead", new LivePair.Terms("A", "PULL_AHEAD", BUFFER_BYTES));
        pair.awaitInStep(link);
        fio.onExport(link.uri(), WORK, 1);
        var free = new double[run.rounds()];
        var slow = new double[run.rounds()];
        var freeRate = new double[run.rounds()];
        var slowRate = new double[run.rounds()];
        for (int round = 0; round < run.rounds(); round++) {
            pair.awaitInStep(link);
            pair.settle();
            var fast = fio.onExport(link.uri(), WORK, run.seconds());
            free[round] = fast.p99Micros();
            freeRate[round] = fast.perSecond();
            pair.awaitInStep(link);
            pair.settle();
            var throttled = throttled(run, pair, fio, link);
            slow[round] = throttled.p99Micros();
            slowRate[round] = throttled.perSecond();
        }
        return List.of(
                Measure.within(
                        "4 KiB random write, depth 32, A, slow peer: p99",
                        BenchRun.median(slow),
                        "us",
                        "the same, peer not slow",
                        BenchRun.median(free)),
                Measure.reported(
                        "  rate",
                        BenchRun.median(slowRate),
                        "/s",
                        "the same, peer not slow",
                        BenchRun.median(freeRate)));
    }

    private static Fio.Took throttled(BenchRun run, LivePair pair, Fio fio, LivePair.Link link) throws Exception {
        pair.line().rate(SLOW_BYTES_PER_SECOND);
        try {
            var took = fio.onExport(link.uri(), WORK, run.seconds());
            long dirtyBytes =
                    LivePair.status(pair.first(), link.id()).at("dirtyBytes").number();
            if (dirtyBytes == 0) {
                throw new IOException("the peer was not left behind: nothing was measured");
            }
            return took;
        } finally {
            pair.line().heal();
        }
    }
}
