package io.tidemark.benchmark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Comparing two equal cached images, beside {@code cmp -s} and {@code qemu-img compare}. */
final class BlockDiffBench implements Bench {
    private static final double CMP_GOAL = 1.5;
    private static final double QEMU_GOAL = 1.2;
    private static final String NAME = "verify of two equal cached images";

    @Override
    public String name() {
        return "block-diff";
    }

    @Override
    public String description() {
        return "tidemark block verify of two equal images, beside cmp -s and qemu-img compare";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            run.needs(2 * run.sizeBytes());
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, "cmp -s", e.reason()));
        }
        var left = run.image("left", run.sizeBytes(), 1);
        var right = run.copy(left, "right");
        var measures = new ArrayList<Measure>();
        measures.add(against("cmp", "diffutils", "cmp -s", CMP_GOAL, run, left, right, "-s"));
        measures.add(against(
                "qemu-img",
                "qemu-utils",
                "qemu-img compare",
                QEMU_GOAL,
                run,
                left,
                right,
                "compare",
                "-f",
                "raw",
                "-F",
                "raw"));
        return measures;
    }

    private static Measure against(
            String program,
            String debianPackage,
            String peer,
            double goal,
            BenchRun run,
            Path left,
            Path right,
            String... options)
            throws Exception {
        Tool tool;
        try {
            tool = Tool.of(program, debianPackage);
        } catch (Skipped e) {
            return Measure.skipped(NAME, peer, e.reason());
        }
        var words = new ArrayList<Object>(List.of(options));
        words.add(left);
        words.add(right);
        var tidemark = Tool.tidemark("block");
        tool.run(words.toArray());
        tidemark.run("verify", left, right);

        var seconds = run.alternate(() -> tidemark.run("verify", left, right), () -> tool.run(words.toArray()));

        double gibibytes = run.sizeBytes() / (double) (1L << 30);
        return Measure.rate(NAME, gibibytes / seconds[0], "GiB/s", peer, gibibytes / seconds[1], goal);
    }
}
