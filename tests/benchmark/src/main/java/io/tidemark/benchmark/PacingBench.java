package io.tidemark.benchmark;

import java.util.Arrays;
import java.util.List;

/** What a busy database keeps of its transactions while a volume on the same disk is being sent. */
final class PacingBench implements Bench {
    private static final long VOLUME_BYTES = 512L << 20;
    /** Each of the three phases of a round: forty samples of the controller, four checkpoints' worth of writes. */
    private static final int SECONDS = 20;

    private static final double PACED_GOAL = 0.90;
    private static final double UNPACED_GOAL = 0.50;
    private static final String PACED = "transactions/s beside two paced syncs";
    private static final String UNPACED = "transactions/s beside two unpaced syncs";
    private static final String ALONE = "alone";

    @Override
    public String name() {
        return "pacing";
    }

    @Override
    public String description() {
        return "transactions of pgbench beside two synchronisations with and without pacing, and alone";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            run.needs(8 * VOLUME_BYTES);
            try (var database = PgBench.start(run);
                    var sync = LoopbackSync.in(run.scratch(), VOLUME_BYTES)) {
                return measures(run, database, sync);
            }
        } catch (Skipped e) {
            return List.of(Measure.skipped(PACED, ALONE, e.reason()), Measure.skipped(UNPACED, ALONE, e.reason()));
        }
    }

    private static List<Measure> measures(BenchRun run, PgBench database, LoopbackSync sync) throws Exception {
        var alone = new double[run.rounds()];
        var paced = new double[run.rounds()];
        var unpaced = new double[run.rounds()];
        for (int round = 0; round < run.rounds(); round++) {
            // In turn, so that the machine's moods meet all three alike.
            alone[round] = quiet(database).transactionsPerSecond(SECONDS);
            quiet(database);
            var slow = sync.during(true, () -> database.transactionsPerSecond(SECONDS));
            quiet(database);
            var fast = sync.during(false, () -> database.transactionsPerSecond(SECONDS));
            unpaced[round] = fast.measured();
            paced[round] = slow.measured();
            System.err.printf(
                    "round %d: alone %.0f tps; unpaced %.0f tps, %.1f MiB/s sent; paced %.0f tps, %.1f MiB/s sent%n",
                    round + 1,
                    alone[round],
                    fast.measured(),
                    fast.sentBytesPerSecond() / (1 << 20),
                    slow.measured(),
                    slow.sentBytesPerSecond() / (1 << 20));
        }
        return List.of(
                Measure.rate(PACED, median(paced), "tps", ALONE, median(alone), PACED_GOAL),
                Measure.cost(UNPACED, median(unpaced), "tps", ALONE, median(alone), UNPACED_GOAL));
    }

    /** What the phase before has left in the page cache must not be this one's burden. */
    private static PgBench quiet(PgBench database) throws Exception {
        Tool.of("sync", "coreutils").run();
        return database;
    }

    private static double median(double[] values) {
        var sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
