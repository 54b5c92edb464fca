package io.tidemark.benchmark;

import io.tidemark.benchmark.DatabaseCuts.Held;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How long writers are held: pgbench and a writer of a sequence commit to a database whose image on Btrfs has 50,000
 * extents and more, while recovery points are taken, in turn with a shell of {@code fsfreeze} and {@code btrfs}.
 */
final class FreezeWindowBench implements Bench {
    private static final int POINTS_MINIMUM = 20;
    private static final long IMAGE_BYTES = 3L << 30;
    /** Image, filler, and what copying on write keeps of both while recovery points exist. */
    private static final long ROOM_BYTES = 8L << 30;

    private static final int FRAGMENTED_BLOCKS = 65_000;
    private static final int EXTENTS_MINIMUM = 50_000;
    private static final int BLOCK_BYTES = 4_096;
    private static final double P50_LIMIT_MILLIS = 150;
    private static final long PAUSE_MILLIS = 500;
    private static final int LOAD_SECONDS_MAXIMUM = 1_800;
    private static final String NAME = "freeze window";

    @Override
    public String name() {
        return "freeze-window";
    }

    @Override
    public String description() {
        return "how long writers of a PostgreSQL under pgbench are held by a recovery point; needs root";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            DatabaseCuts.need(run, ROOM_BYTES);
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, DatabaseCuts.SHELL, e.reason()));
        }
        try (var database = new DatabaseOnImage(IMAGE_BYTES)) {
            fragment(database.volume().mountPoint().resolve("filler"));
            database.server().pgbench("-i", "-q", "-s", "5", "postgres").start().waitFor();
            var load = database.server()
                    .pgbench("-n", "-c", "2", "-T", Integer.toString(LOAD_SECONDS_MAXIMUM), "postgres")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (var cuts = new DatabaseCuts(database)) {
                return measure(run.withRoundsOfAtLeast(POINTS_MINIMUM), cuts, load);
            } finally {
                load.destroy();
                load.waitFor();
            }
        }
    }

    /** Every second block is written anew after all of them were: with copying on write, an extent each. */
    private static void fragment(Path filler) throws IOException {
        try (var file = new RandomAccessFile(filler.toFile(), "rw")) {
            var chunk = new byte[1 << 20];
            Arrays.fill(chunk, (byte) 1);
            for (long written = 0; written < 2L * FRAGMENTED_BLOCKS * BLOCK_BYTES; written += chunk.length) {
                file.write(chunk);
            }
            file.getFD().sync();
            var block = new byte[BLOCK_BYTES];
            for (long index = 0; index < FRAGMENTED_BLOCKS; index++) {
                file.seek(2 * index * BLOCK_BYTES);
                file.write(block);
            }
            file.getFD().sync();
        }
    }

    private static List<Measure> measure(BenchRun run, DatabaseCuts cuts, Process load) throws Exception {
        List<Held> ours = new ArrayList<>();
        List<Held> shell = new ArrayList<>();
        for (int point = 0; point < run.rounds(); point++) {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            ours.add(cuts.recoveryPoint(id(point)));
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            shell.add(cuts.byShell());
            System.err.printf(
                    Locale.ROOT,
                    "point %d: held %.1f ms, worst commit %.1f ms; shell %.1f ms%n",
                    point + 1,
                    ours.getLast().windowMillis(),
                    ours.getLast().stallMillis(),
                    shell.getLast().windowMillis());
        }
        long extents = BlockKernels.hostCalls().orElseThrow().extentCount(cuts.image());
        if (extents < EXTENTS_MINIMUM || !load.isAlive()) {
            throw new IOException("not what was to be measured: %d extents, pgbench %s"
                    .formatted(extents, load.isAlive() ? "running" : "ended"));
        }
        for (int point = 0; point < run.rounds(); point++) {
            cuts.undo(id(point));
        }
        return measures(ours, shell, extents);
    }

    private static RecoveryPointId id(int point) {
        return new RecoveryPointId("rp-window" + point);
    }

    private static List<Measure> measures(List<Held> ours, List<Held> shell, long extents) {
        double[] windows = Held.windows(ours);
        double p50 = DatabaseCuts.percentile(windows, 0.5);
        double longest = windows[windows.length - 1];
        double[] stalls = Held.stalls(ours);
        String size = " (%d extents)".formatted(extents);
        return List.of(
                Measure.within(NAME + " p50" + size, p50, "ms", "limit", P50_LIMIT_MILLIS),
                Measure.within(NAME + " maximum" + size, longest, "ms", "group's freeze limit", (double)
                        DatabaseCuts.LIMIT.toMillis()),
                Measure.reported(
                        NAME + " p50",
                        p50,
                        "ms",
                        DatabaseCuts.SHELL,
                        DatabaseCuts.percentile(Held.windows(shell), 0.5)),
                Measure.reported(
                        "writer's worst commit", stalls[stalls.length - 1], "ms", "longest freeze window", longest));
    }
}
