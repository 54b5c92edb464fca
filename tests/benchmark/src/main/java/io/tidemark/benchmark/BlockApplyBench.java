package io.tidemark.benchmark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;

/** Bringing a copy up to date by index, delta and apply, beside {@code rsync --inplace} of the same change. */
final class BlockApplyBench implements Bench {
    private static final int CHANGED_BLOCKS = 1_000;
    private static final int BLOCK_BYTES = 4096;
    private static final double TIME_GOAL = 1.0;
    private static final double BYTES_GOAL = 1.02;
    private static final String NAME = "update of a copy, 1,000 blocks changed";
    private static final String PEER = "rsync --inplace";

    @Override
    public String name() {
        return "block-apply";
    }

    @Override
    public String description() {
        return "tidemark block diff against an index, and apply, beside rsync --inplace --no-whole-file";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        Tool rsync;
        try {
            rsync = Tool.of("rsync", "rsync");
            run.needs(3 * run.sizeBytes());
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
        var newer = run.image("newer", run.sizeBytes(), 1);
        var ours = run.copy(newer, "ours");
        var theirs = run.copy(newer, "theirs");
        var offsets = BenchRun.blockOffsets(CHANGED_BLOCKS, run.sizeBytes(), 7);
        var index = run.scratch().resolve("index");
        var delta = run.scratch().resolve("delta");
        var tidemark = Tool.tidemark("block");
        tidemark.run("index", newer, "-o", index);
        double[] seconds = new double[2];
        for (int round = 0; round < run.rounds(); round++) {
            change(newer, offsets, round);
            seconds[0] += BenchRun.seconds(() -> {
                tidemark.run("diff", "--base", index, newer, "-o", delta, "--force");
                tidemark.run("apply", delta, ours);
            });
            seconds[1] +=
                    BenchRun.seconds(() -> rsync.run("--inplace", "--no-whole-file", "--ignore-times", newer, theirs));
            // The next round starts from what both copies hold now.
            tidemark.run("index", newer, "-o", index, "--force");
        }
        double changedBytes = (double) CHANGED_BLOCKS * BLOCK_BYTES;
        return List.of(
                Measure.cost(NAME, seconds[0] / run.rounds(), "s", PEER, seconds[1] / run.rounds(), TIME_GOAL),
                Measure.cost(
                        "bytes of the delta",
                        (double) Files.size(delta),
                        "B",
                        "bytes truly changed",
                        changedBytes,
                        BYTES_GOAL));
    }

    static void change(Path image, long[] offsets, int round) throws IOException {
        var random = new Random(round);
        var block = new byte[BLOCK_BYTES];
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            for (long offset : offsets) {
                random.nextBytes(block);
                channel.write(ByteBuffer.wrap(block), offset);
            }
            channel.force(true);
        }
    }
}
