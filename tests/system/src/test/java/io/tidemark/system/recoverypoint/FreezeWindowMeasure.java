package io.tidemark.system.recoverypoint;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.SequenceWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How long writers are held: pgbench and a sequence writer run on a database whose image has 50,000 extents and more,
 * on Btrfs, while recovery points are taken one after the other. Prints what each part of the window took.
 *
 * <p>Run as a program, as root: {@code FreezeWindowMeasure [points] [pgbench clients]}.
 */
public final class FreezeWindowMeasure {
    private static final long IMAGE_BYTES = 3L << 30;
    private static final int FRAGMENTED_BLOCKS = 65_000;
    private static final int BLOCK_BYTES = 4_096;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final long PAUSE_MILLIS = 1_000;
    private static final int RUN_SECONDS_MAXIMUM = 600;

    private FreezeWindowMeasure() {}

    /** All in milliseconds, except the extents. */
    private record Window(double freeze, double toCut, double cut, double toThaw, double thaw, double all) {}

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        int points = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20;
        var clients = arguments.length > 1 ? arguments[1] : "2";
        try (var database = new DatabaseOnImage(IMAGE_BYTES)) {
            fragment(database);
            var init =
                    database.server().pgbench("-i", "-q", "-s", "5", "postgres").start();
            init.waitFor();
            var load = database.server()
                    .pgbench("-n", "-c", clients, "-T", Integer.toString(RUN_SECONDS_MAXIMUM), "postgres")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (var writer = SequenceWriter.start(database.server())) {
                measure(database, writer, points);
            } finally {
                load.destroy();
                load.waitFor();
            }
        }
        System.exit(0);
    }

    /** Every second block is written anew after a snapshot's worth of copying on write: an extent each. */
    private static void fragment(DatabaseOnImage database) throws IOException {
        Path filler = database.volume().mountPoint().resolve("filler");
        try (var file = new RandomAccessFile(filler.toFile(), "rw")) {
            var chunk = new byte[1 << 20];
            java.util.Arrays.fill(chunk, (byte) 1);
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

    private static void measure(DatabaseOnImage database, SequenceWriter writer, int points) throws Exception {
        List<Window> windows = new ArrayList<>();
        long worstStallNanos = 0;
        try (var taker = database.open()) {
            var image = taker.provider().volume(DatabaseOnImage.VOLUME).device().orElseThrow();
            for (int point = 1; point <= points; point++) {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                var id = new RecoveryPointId("rp-window" + point);
                var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION));
                long asked = System.nanoTime();
                var taken = taker.taker().take(plan, ProgressListener.NONE);
                var window = window(taken);
                windows.add(window);
                writer.awaitMore(2);
                var freeze = fileSystem(taken);
                long stall = writer.worstBetween(freeze.requestedNanos(), freeze.releasedNanos())
                        .toNanos();
                worstStallNanos = Math.max(worstStallNanos, stall);
                System.out.printf(
                        "point %2d extents %d: freeze %.1f +%.1f cut %.1f +%.1f thaw %.1f = %.1f ms;"
                                + " stall %.1f; whole take %d ms%n",
                        point,
                        BlockKernels.hostCalls().orElseThrow().extentCount(image),
                        window.freeze(),
                        window.toCut(),
                        window.cut(),
                        window.toThaw(),
                        window.thaw(),
                        window.all(),
                        stall / 1e6,
                        (System.nanoTime() - asked) / 1_000_000);
            }
            for (int point = 1; point <= points; point++) {
                taker.taker().undo(new RecoveryPointId("rp-window" + point));
            }
        }
        var sorted = windows.stream().mapToDouble(Window::all).sorted().toArray();
        System.out.printf(
                "{\"points\":%d,\"freezeP50Millis\":%.1f,\"freezeMaxMillis\":%.1f,\"worstStallMillis\":%.1f}%n",
                points, sorted[points / 2], sorted[points - 1], worstStallNanos / 1e6);
    }

    private static Certificate.Freeze fileSystem(RecoveryPoint point) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(Certificate.FILE_SYSTEM))
                .findFirst()
                .orElseThrow();
    }

    private static Window window(RecoveryPoint point) {
        var freeze = fileSystem(point);
        var cut = point.certificate().cuts().getFirst();
        return new Window(
                millis(freeze.requestedNanos(), freeze.acknowledgedNanos()),
                millis(freeze.acknowledgedNanos(), cut.startedNanos()),
                millis(cut.startedNanos(), cut.finishedNanos()),
                millis(cut.finishedNanos(), freeze.thawedNanos()),
                millis(freeze.thawedNanos(), freeze.releasedNanos()),
                millis(freeze.requestedNanos(), freeze.releasedNanos()));
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }
}
