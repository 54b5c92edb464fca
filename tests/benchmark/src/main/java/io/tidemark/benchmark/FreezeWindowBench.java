package io.tidemark.benchmark;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import io.tidemark.system.recoverypoint.TakerOfImages;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long writers are held: pgbench and a writer of a sequence commit to a database whose image on Btrfs has 50,000
 * extents and more, while recovery points are taken, in turn with a script of {@code fsfreeze} and {@code btrfs}.
 */
final class FreezeWindowBench implements Bench {
    private static final int POINTS_MINIMUM = 20;
    private static final long IMAGE_BYTES = 3L << 30;
    /** Image, filler, and what copying on write keeps of both while recovery points exist. */
    private static final long ROOM_BYTES = 8L << 30;

    private static final int FRAGMENTED_BLOCKS = 65_000;
    private static final int EXTENTS_MINIMUM = 50_000;
    private static final int BLOCK_BYTES = 4_096;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final double P50_LIMIT_MILLIS = 150;
    private static final long PAUSE_MILLIS = 500;
    private static final int LOAD_SECONDS_MAXIMUM = 1_800;
    private static final String NAME = "freeze window";
    private static final String SCRIPT = "fsfreeze, btrfs snapshot, thaw";

    /** One recovery point's window, and the longest a commit took that met it. */
    private record Held(double windowMillis, double stallMillis) {}

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
            needs(run);
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, SCRIPT, e.reason()));
        }
        try (var database = new DatabaseOnImage(IMAGE_BYTES)) {
            fragment(database.volume().mountPoint().resolve("filler"));
            database.server().pgbench("-i", "-q", "-s", "5", "postgres").start().waitFor();
            var load = database.server()
                    .pgbench("-n", "-c", "2", "-T", Integer.toString(LOAD_SECONDS_MAXIMUM), "postgres")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (var writer = SequenceWriter.start(database.server())) {
                return measure(run.withRoundsOfAtLeast(POINTS_MINIMUM), database, writer, load);
            } finally {
                load.destroy();
                load.waitFor();
            }
        }
    }

    private static void needs(BenchRun run) throws IOException, Skipped {
        if (!System.getProperty("user.name").equals("root")) {
            throw new Skipped("mounting and freezing file systems needs root: run it with sudo");
        }
        Tool.of("mkfs.btrfs", "btrfs-progs");
        Tool.of("mkfs.ext4", "e2fsprogs");
        Tool.of("losetup", "mount");
        Tool.of("fsfreeze", "util-linux");
        if (!Files.isDirectory(Path.of("/usr/lib/postgresql"))) {
            throw new Skipped("PostgreSQL is missing: apt-get install postgresql");
        }
        if (BlockKernels.hostCalls().isEmpty()) {
            throw new Skipped("no native library, so nothing guards the thaw: "
                    + BlockKernels.unavailableReason().orElse("it was not built"));
        }
        run.needs(ROOM_BYTES);
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

    private static List<Measure> measure(BenchRun run, DatabaseOnImage database, SequenceWriter writer, Process load)
            throws Exception {
        List<Held> ours = new ArrayList<>();
        double[] script = new double[run.rounds()];
        try (var taker = database.open()) {
            var image = taker.provider().volume(DatabaseOnImage.VOLUME).device().orElseThrow();
            for (int point = 0; point < run.rounds(); point++) {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                var held = take(taker, database, writer, new RecoveryPointId("rp-window" + point));
                ours.add(held);
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                script[point] = byScript(database.volume().mountPoint(), image, point);
                System.err.printf(
                        Locale.ROOT,
                        "point %d: held %.1f ms, worst commit %.1f ms; script %.1f ms%n",
                        point + 1,
                        held.windowMillis(),
                        held.stallMillis(),
                        script[point]);
            }
            long extents = BlockKernels.hostCalls().orElseThrow().extentCount(image);
            if (extents < EXTENTS_MINIMUM || !load.isAlive()) {
                throw new IOException("not what was to be measured: %d extents, pgbench %s"
                        .formatted(extents, load.isAlive() ? "running" : "ended"));
            }
            for (int point = 0; point < run.rounds(); point++) {
                taker.taker().undo(new RecoveryPointId("rp-window" + point));
            }
            return measures(ours, script, extents);
        }
    }

    private static List<Measure> measures(List<Held> ours, double[] script, long extents) {
        double[] windows =
                ours.stream().mapToDouble(Held::windowMillis).sorted().toArray();
        double p50 = windows[windows.length / 2];
        double longest = windows[windows.length - 1];
        double stall = ours.stream().mapToDouble(Held::stallMillis).max().orElseThrow();
        Arrays.sort(script);
        String size = " (%d extents)".formatted(extents);
        return List.of(
                Measure.within(NAME + " p50" + size, p50, "ms", "limit", P50_LIMIT_MILLIS),
                Measure.within(
                        NAME + " maximum" + size, longest, "ms", "group's freeze limit", (double) LIMIT.toMillis()),
                Measure.reported(NAME + " p50", p50, "ms", SCRIPT, script[script.length / 2]),
                Measure.reported("writer's worst commit", stall, "ms", "longest freeze window", longest));
    }

    private static Held take(TakerOfImages taker, DatabaseOnImage database, SequenceWriter writer, RecoveryPointId id)
            throws Exception {
        var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION));
        var freeze = fileSystem(taker.taker().take(plan, ProgressListener.NONE));
        writer.awaitMore(2);
        var stall = writer.worstBetween(freeze.requestedNanos(), freeze.releasedNanos());
        return new Held((freeze.releasedNanos() - freeze.requestedNanos()) / 1e6, stall.toNanos() / 1e6);
    }

    private static Certificate.Freeze fileSystem(RecoveryPoint point) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(Certificate.FILE_SYSTEM))
                .findFirst()
                .orElseThrow();
    }

    /** What an administrator's script does; its snapshots go with the file system. */
    private static double byScript(Path mountPoint, Path image, int point) throws Exception {
        var subvolume = image.toAbsolutePath().getParent();
        var snapshot = parent(subvolume).resolve("script-" + point);
        return 1_000
                * BenchRun.seconds(() -> {
                    Programs.run("fsfreeze", "-f", mountPoint.toString());
                    try {
                        Programs.run(
                                "btrfs", "subvolume", "snapshot", "-r", String.valueOf(subvolume), snapshot.toString());
                    } finally {
                        Programs.run("fsfreeze", "-u", mountPoint.toString());
                    }
                });
    }

    private static Path parent(@Nullable Path subvolume) {
        if (subvolume == null || subvolume.getParent() == null) {
            throw new IllegalStateException("the image lies in no subvolume of its own");
        }
        return subvolume.getParent();
    }
}
