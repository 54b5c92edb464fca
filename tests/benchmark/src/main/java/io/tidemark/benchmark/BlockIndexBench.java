package io.tidemark.benchmark;

import java.util.List;

/** The index of a cached image beside {@code xxhsum -H2} of it, start of the processes included. */
final class BlockIndexBench implements Bench {
    private static final double GOAL = 0.6;
    private static final String NAME = "index of a cached image";
    private static final String PEER = "xxhsum -H2";

    @Override
    public String name() {
        return "block-index";
    }

    @Override
    public String description() {
        return "tidemark block index of a cached image, beside xxhsum -H2 of it";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        Tool xxhsum;
        try {
            xxhsum = Tool.of("xxhsum", "xxhash");
            run.needs(run.sizeBytes());
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
        var image = run.image("image", run.sizeBytes(), 1);
        var index = run.scratch().resolve("index");
        var tidemark = Tool.tidemark("block");
        // Both once before: the image is cached, the launcher has built what it builds.
        xxhsum.run("-H2", image);
        tidemark.run("index", image, "-o", index, "--force");

        var seconds = run.alternate(
                () -> tidemark.run("index", image, "-o", index, "--force"), () -> xxhsum.run("-H2", image));

        double gibibytes = run.sizeBytes() / (double) (1L << 30);
        return List.of(Measure.rate(NAME, gibibytes / seconds[0], "GiB/s", PEER, gibibytes / seconds[1], GOAL));
    }
}
