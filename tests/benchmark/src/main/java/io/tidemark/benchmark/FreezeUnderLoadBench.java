package io.tidemark.benchmark;

import io.tidemark.benchmark.DatabaseCuts.Held;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.PgBenchLoad;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * What a recovery point costs the clients of a PostgreSQL that is kept at 80 % of what it can do: 200 of them, in turn
 * with an administrator's shell. No client may see an error, and no transaction may be lost.
 */
final class FreezeUnderLoadBench implements Bench {
    private static final int CUTS_MINIMUM = 200;
    private static final long IMAGE_BYTES = 3L << 30;
    private static final long ROOM_BYTES = 8L << 30;
    private static final double LOAD = 0.8;
    private static final int CALIBRATION_SECONDS = 20;
    private static final int FIRST_SECONDS = 5;
    private static final long PAUSE_MILLIS = 400;
    private static final double P50_LIMIT_MILLIS = 100;
    private static final double P99_LIMIT_MILLIS = 500;
    private static final String NAME = "freeze under load";

    @Override
    public String name() {
        return "freeze-under-load";
    }

    @Override
    public String description() {
        return "200 recovery points of a PostgreSQL at 80 % load, beside a shell's fsfreeze; needs root";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            DatabaseCuts.need(run, ROOM_BYTES);
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, DatabaseCuts.SHELL, e.reason()));
        }
        try (var database = new DatabaseOnImage(IMAGE_BYTES)) {
            PgBenchLoad.fill(database.server());
            double most = PgBenchLoad.most(database.server(), CALIBRATION_SECONDS);
            System.err.printf(Locale.ROOT, "pgbench at most %.0f transactions/s, kept at %.0f%n", most, LOAD * most);
            try (var load = PgBenchLoad.start(database.server(), LOAD * most);
                    var cuts = new DatabaseCuts(database)) {
                TimeUnit.SECONDS.sleep(FIRST_SECONDS);
                return measure(run.withRoundsOfAtLeast(CUTS_MINIMUM), cuts, load);
            }
        }
    }

    private static List<Measure> measure(BenchRun run, DatabaseCuts cuts, PgBenchLoad load) throws Exception {
        List<Held> ours = new ArrayList<>();
        List<Held> shell = new ArrayList<>();
        for (int cut = 0; cut < run.rounds(); cut++) {
            var id = new RecoveryPointId("rp-load" + cut);
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            ours.add(cuts.recoveryPoint(id));
            cuts.undo(id);
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            shell.add(cuts.byShell());
            cuts.removeShell();
            System.err.printf(
                    Locale.ROOT,
                    "cut %d: held %.1f ms, worst commit %.1f ms; shell %.1f ms, worst commit %.1f ms%n",
                    cut + 1,
                    ours.getLast().windowMillis(),
                    ours.getLast().stallMillis(),
                    shell.getLast().windowMillis(),
                    shell.getLast().stallMillis());
        }
        var done = load.stop();
        System.err.printf("%d transactions, none failed, %d lost%n", done.transactions(), done.lost());
        if (done.lost() != 0) {
            throw new IOException("the database lost %d transactions".formatted(done.lost()));
        }
        return measures(Held.windows(ours), Held.windows(shell), Held.stalls(ours), Held.stalls(shell));
    }

    private static List<Measure> measures(double[] ours, double[] shell, double[] stalls, double[] shellStalls) {
        double p50 = DatabaseCuts.percentile(ours, 0.5);
        double p99 = DatabaseCuts.percentile(ours, 0.99);
        return List.of(
                Measure.within(NAME + " p50", p50, "ms", "limit", P50_LIMIT_MILLIS),
                Measure.within(NAME + " p99", p99, "ms", "limit", P99_LIMIT_MILLIS),
                Measure.cost(NAME + " p50", p50, "ms", DatabaseCuts.SHELL, DatabaseCuts.percentile(shell, 0.5), 1),
                Measure.cost(NAME + " p99", p99, "ms", DatabaseCuts.SHELL, DatabaseCuts.percentile(shell, 0.99), 1),
                Measure.reported(
                        "worst commit beside a cut, p50",
                        DatabaseCuts.percentile(stalls, 0.5),
                        "ms",
                        DatabaseCuts.SHELL,
                        DatabaseCuts.percentile(shellStalls, 0.5)),
                Measure.reported(
                        "worst commit beside a cut, p99",
                        DatabaseCuts.percentile(stalls, 0.99),
                        "ms",
                        DatabaseCuts.SHELL,
                        DatabaseCuts.percentile(shellStalls, 0.99)));
    }
}
